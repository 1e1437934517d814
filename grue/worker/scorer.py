"""The worker's side of the second step: one scoring program for many jobs, started when it is needed."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from grue.store.service.values import Progress
from grue.submissions.settings import ServiceSettings
from grue.worker.lease import Lease
from grue.worker.programs import Deadline, Program, clean_environment, python
from grue.worker.reasons import SCORE_TIMEOUT, JobError, internal, too_slow
from grue.worker.scored import ScoreRequest

# A program that served so many jobs, or none for so long, is ended, with the memory that it took.
MOST_JOBS = 200
IDLE_SECONDS = 120.0
# Where judges of the hub are kept and fetched from; no token of this machine is among it.
CACHES = ("HF_HOME", "HF_HUB_CACHE", "HF_ENDPOINT", "HF_HUB_OFFLINE", "HF_DATASETS_CACHE", "XDG_CACHE_HOME")


class Scorer:
    """Keeps a scoring program; use it as a context manager.

    Args:
        settings: Say where labels and caches are, which the program is told and generation is not.
        folder: The program's working folder.
        process_id: Of this worker.
    """

    def __init__(self, settings: ServiceSettings, folder: Path, process_id: int) -> None:
        self._settings, self._folder, self._process_id = settings, folder, process_id
        self._program: Program | None = None
        self._jobs = 0
        self._used = time.monotonic()

    def score(self, request: ScoreRequest, lease: Lease) -> None:
        """Have a run directory made.

        Raises:
            JobError: where there is none.
            LostError: where the job is no longer this worker's.
            StoppedError: where the worker is to stop.
        """
        program = self._running()
        deadline = Deadline(self._settings.score_hours)

        def watch() -> None:
            lease.check()
            if deadline.is_over:
                raise too_slow(SCORE_TIMEOUT, self._settings.score_hours)

        program.send(request.to_json())
        outcome: Mapping[str, Any] = {}
        try:
            for message in program.messages(watch):
                if message.get("kind") == "phase":
                    task = str(message["text"]).removeprefix("scoring ")
                    lease.tell(Progress(step="scoring", task=task, rows_done=0, rows_total=0))
                    continue
                outcome = message
                break
        except BaseException:
            # It is busy with what nobody waits for.
            self.close()
            raise
        self._used = time.monotonic()
        if outcome.get("kind") == "failed":
            known = {key: outcome[key] for key in ("reason", "detail", "is_ours", "note")}
            raise JobError(**known)
        if outcome.get("kind") != "done":
            code = program.ended()
            self.close()
            raise internal(f"the scoring program ended with {code}: {program.error_tail}")

    def rest(self) -> None:
        """Nothing to do: end the program where that lasts."""
        if self._program is not None and time.monotonic() - self._used > IDLE_SECONDS:
            self.close()

    def close(self) -> None:
        """End the program."""
        if self._program is not None:
            self._program.close()
            self._program = None

    def __enter__(self) -> Scorer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _running(self) -> Program:
        if self._program is not None and (self._jobs >= MOST_JOBS or not self._program.is_alive):
            self.close()
        if self._program is None:
            home = str(self._settings.home)
            known = {name: os.environ[name] for name in CACHES if name in os.environ}
            environment = clean_environment(HOME=str(Path.home()), GRUE_HOME=home, **known)
            command = python("grue.worker.scoring", parent=self._process_id)
            self._program = Program(command, environment=environment, folder=self._folder)
            self._jobs = 0
        self._jobs += 1
        return self._program
