"""What the routes of the service work with: its settings, store, artifacts and the board kept in memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from grue.store.database import Store, open_store
from grue.store.service.values import Limits
from grue.submissions.artifacts import Artifacts
from grue.submissions.expected import Expected, read_expected
from grue.submissions.settings import ServiceSettings
from leaderboard_site.boards import Boards

_EXPECTED_SECONDS = 30.0
_CACHE = "artifacts-cache"


@dataclass(slots=True, kw_only=True)
class Service:
    """One process that serves.

    Attributes:
        settings: As they were when it started.
        store: The open store.
        artifacts: Uploads and public run directories.
        boards: The board in memory.
        limits: What an account may submit, where no host says otherwise.
        include: Task plugins outside the installed packages.
    """

    settings: ServiceSettings
    store: Store
    artifacts: Artifacts
    boards: Boards
    limits: Limits
    include: tuple[Path, ...] = ()
    _expected: tuple[float, Expected | None] = (float("-inf"), None)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def expected(self) -> Expected | None:
        """The rows that a submission must answer; ``None`` until a worker has written them down."""
        with self._lock:
            read_at, found = self._expected
            # Absent ones are looked for again each time: the first worker may have just come.
            if found is None or time.monotonic() - read_at > _EXPECTED_SECONDS:
                found = read_expected(self.artifacts, self.settings.split)
                self._expected = (time.monotonic(), found)
            return found


@contextmanager
def open_service(settings: ServiceSettings, include: Sequence[Path] = ()) -> Iterator[Service]:
    """Open the store and the artifacts of the settings, and close them at the end.

    Raises:
        StoreError: where the database cannot be used.
        UsageError: where the artifacts cannot.
    """
    with open_store(settings.database_url or None) as store:
        artifacts = Artifacts(settings.artifacts, settings.home / _CACHE)
        limits = Limits(
            scored_per_day=settings.scored_per_day,
            attempts_per_day=settings.attempts_per_day,
            jobs_waiting=settings.jobs_waiting,
        )
        boards = Boards(store, artifacts, include)
        yield Service(
            settings=settings,
            store=store,
            artifacts=artifacts,
            boards=boards,
            limits=limits,
            include=tuple(include),
        )
