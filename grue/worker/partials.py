"""Generations of a job that is not done, kept in the artifacts so that another worker, on any host, goes on."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from grue.core.errors import StoreError
from grue.submissions.artifacts import Artifacts
from grue.worker.plain_files import ForeignFileError, copy_plain

# Seconds between two times that they are stored; more where storing them takes long.
EVERY_SECONDS = 2.0
MOST_SHARE = 0.05


class Partials:
    """The files of a part of a run that another start needs: texts, events, and last the manifest.

    Args:
        artifacts: Where they are kept.
        job_id: Of the job.
        run: Where a program that is not trusted writes them.
        waiting: A file of ours, for copies on their way.
        tasks: What is generated.
    """

    def __init__(self, artifacts: Artifacts, job_id: str, run: Path, waiting: Path, tasks: Sequence[str]) -> None:
        self._artifacts, self._run, self._waiting = artifacts, run, waiting
        self._key = f"partial/{job_id}"
        # Texts before the events that count them: what a kill separates is then left out of the measured rate.
        self._names = [*(f"samples/{task}.partial.jsonl" for task in tasks), "events.jsonl", "manifest.json"]
        self._sizes: dict[str, int] = {}
        self._next = 0.0

    def fetch(self) -> bool:
        """Bring what an earlier attempt stored into the run's folder; whether there was anything."""
        if not self._artifacts.exists(f"{self._key}/manifest.json"):
            return False
        for name in self._names:
            key = f"{self._key}/{name}"
            if self._artifacts.exists(key):
                target = self._run / name
                target.parent.mkdir(parents=True, exist_ok=True)
                with self._artifacts.open(key) as source, target.open("wb") as file:
                    shutil.copyfileobj(source, file, 1 << 20)
        return True

    def store(self, *, now: bool = False) -> None:
        """Store what has grown since the last time, where it is time to.

        Args:
            now: Whatever the time.

        A store that does not answer costs no more than generating some rows again.
        """
        begun = time.monotonic()
        if not now and begun < self._next:
            return
        try:
            for name in self._names if self._run.is_dir() else ():
                size = copy_plain(self._run, name, self._waiting)
                if size and size != self._sizes.get(name):
                    self._artifacts.put_file(self._waiting, f"{self._key}/{name}")
                    self._sizes[name] = size
        except (StoreError, OSError, ForeignFileError):
            pass
        took = time.monotonic() - begun
        self._next = time.monotonic() + max(EVERY_SECONDS, took / MOST_SHARE)
