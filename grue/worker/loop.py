"""The worker: takes jobs one after the other until it is asked to stop."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

from grue.core.errors import GrueError, StoreError
from grue.runs.lock import FolderLock
from grue.store.database import Store
from grue.store.service import jobs
from grue.submissions.artifacts import Artifacts
from grue.submissions.settings import ServiceSettings
from grue.worker.expected import publish_expected
from grue.worker.garbage import WORKERS, delete_withdrawn, drop_dead_folders, drop_old_checkpoints
from grue.worker.job import Workplace, work_on
from grue.worker.lease import Lease
from grue.worker.reasons import StoppedError
from grue.worker.sandbox import Sandbox, best_sandbox
from grue.worker.scorer import Scorer

CACHE = "artifacts-cache"
TIDY_SECONDS = 600.0
# While the database does not answer, it is asked again after so long.
STORE_SECONDS = 5.0


def run_worker(
    settings: ServiceSettings,
    store: Store,
    *,
    name: str | None = None,
    stop: threading.Event,
    once: bool = False,
    poll_seconds: float = 1.0,
    tell: Callable[[str], None] | None = None,
) -> int:
    """Work on jobs until ``stop`` is set.

    Args:
        settings: Of the service, with the data that hold the labels.
        store: The open store; the worker uses it from two threads.
        name: As the queue shows it; the host's name and the process id where nothing is said.
        stop: Ends the work: a running job is given back, and what it generated is kept for whoever takes it.
        once: Return as soon as no job waits.
        poll_seconds: How often an empty queue is asked.
        tell: Takes lines for the people who run the service; none has a row of a hidden split in it.

    Returns:
        How many jobs it took.

    Raises:
        GrueError: where the worker cannot begin: no data, no artifacts, no store.
    """
    return _Worker(settings, store, name or own_name(), stop, tell or _silent).work(once=once, poll=poll_seconds)


def own_name() -> str:
    """Host and process id."""
    return f"{socket.gethostname()}-{os.getpid()}"


class _Worker:
    def __init__(
        self, settings: ServiceSettings, store: Store, name: str, stop: threading.Event, tell: Callable[[str], None]
    ) -> None:
        self._settings, self._store, self._name, self._stop, self._tell = settings, store, name, stop, tell
        self._artifacts = Artifacts(settings.artifacts, settings.home / CACHE)
        self._private = Artifacts(settings.private_artifacts, settings.home / CACHE)
        self._sandbox: Sandbox | None = None
        self._tidied = self._published = float("-inf")
        self._said = float("-inf")

    def work(self, *, once: bool, poll: float) -> int:
        """Take jobs until there is a reason to end."""
        publish_expected(self._settings, self._artifacts)
        self._published = time.monotonic()
        folder = self._settings.home / WORKERS / f"{os.getpid()}-{secrets.token_hex(4)}"
        folder.mkdir(parents=True)
        lock = FolderLock.acquire(folder)
        self._tell(str(best_sandbox(folder, quickly=True).protection))
        try:
            with Scorer(self._settings, folder, os.getpid()) as scorer:
                return self._loop(self._workplace(folder, scorer), once=once, poll=poll)
        finally:
            lock.release()
            drop_dead_folders(self._settings.home)

    def _loop(self, place: Workplace, *, once: bool, poll: float) -> int:
        taken = 0
        while not self._stop.is_set():
            try:
                self._tidy()
                took = self._take(place)
            except StoppedError:
                break
            except StoreError as error:
                self._tell(f"The store does not answer: {error.cause}")
                self._stop.wait(STORE_SECONDS)
                continue
            taken += took
            if took:
                continue
            if once:
                break
            place.scorer.rest()
            self._stop.wait(poll)
        return taken

    def _take(self, place: Workplace) -> bool:
        """Work on the next job; whether there was one."""
        settings = self._settings
        job = jobs.claim(self._store, self._name, settings.lease_seconds, queue_hours=settings.queue_hours)
        if job is None:
            if time.monotonic() - self._said >= settings.heartbeat_seconds:
                jobs.seen(self._store, self._name, None)
                self._said = time.monotonic()
            return False
        jobs.seen(self._store, self._name, job.job_id)
        self._said = float("-inf")
        with Lease(self._store, job, self._name, settings, self._stop) as lease:
            work_on(place, job, lease)
        return True

    def _tidy(self) -> None:
        if time.monotonic() - self._tidied < TIDY_SECONDS:
            return
        self._tidied = time.monotonic()
        jobs.expire(self._store, self._settings.queue_hours)
        delete_withdrawn(self._settings, self._store, (self._artifacts, self._private), self._tell)
        drop_dead_folders(self._settings.home)
        drop_old_checkpoints(self._settings.home)
        if self._tidied - self._published < TIDY_SECONDS / 2:
            return
        try:
            publish_expected(self._settings, self._artifacts)
        except GrueError as error:
            self._tell(f"The rows cannot be read now: {error.cause}")

    def _workplace(self, folder: Path, scorer: Scorer) -> Workplace:
        return Workplace(
            settings=self._settings,
            store=self._store,
            artifacts=self._artifacts,
            private=self._private,
            scorer=scorer,
            sandbox=lambda: self._protected(folder),
            folder=folder,
            tell=self._tell,
        )

    def _protected(self, folder: Path) -> Sandbox:
        """The enclosure, tried out when the first checkpoint comes."""
        if self._sandbox is None:
            self._sandbox = best_sandbox(folder)
        return self._sandbox


def _silent(line: str) -> None:
    """Nobody listens."""
