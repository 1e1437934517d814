"""Reads many run directories for the index, on as many processors as the process may use."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from grue.core.errors import GrueError, UsageError
from grue.runs.read import Broken, broken_run, read_run, run_folders
from grue.runs.row_counts import check_row_counts
from grue.runs.supersession import Supersession, decisions_of
from grue.store.records import record_of
from grue.store.rows import RunRows, rows_of

# Below, starting other processes costs more than they save.
_WORTH_PROCESSES = 200
_MOST_PROCESSES = 8
_CHUNK = 16
_CHUNK_RUNS = 128
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Indexed:
    """A sound run directory, as the index holds it.

    Attributes:
        decisions: The corrections that it bears.
        fault: Why these cannot be read; ``None`` where they can.
        submission: Name in its ``submission.yaml``; ``None`` where it has none.
    """

    path: Path
    rows: RunRows
    decisions: tuple[Supersession, ...]
    fault: Broken | None = None
    submission: str | None = None


def folders_of(results: Sequence[Path]) -> list[Path]:
    """All run directories below the given folders, each once, in order of path.

    Raises:
        UsageError: where a folder does not exist.
    """
    for folder in results:
        if not folder.is_dir():
            raise UsageError(f"--results {folder}: no such folder.", "Name a folder of run directories.")
    return sorted({path.resolve() for folder in results for path in run_folders(folder)})


@dataclass(slots=True)
class RunReader:
    """Reads run directories with every run once, and keeps what else was found.

    Attributes:
        folders: Run directories, as ``folders_of`` gives them.
        progress: Called with the number of run directories read, and of all.
        checksums: Of ``results.json``, by run id.
        skipped: Run directories that cannot be used.
        decisions: The corrections that sound ones bear.
        submissions: Names in their ``submission.yaml``, by run id.
    """

    folders: Sequence[Path]
    progress: Progress | None = None
    checksums: dict[str, str] = field(default_factory=dict)
    skipped: list[Broken] = field(default_factory=list)
    decisions: list[Supersession] = field(default_factory=list)
    submissions: dict[str, str] = field(default_factory=dict)
    _paths: dict[str, Path] = field(default_factory=dict)

    def chunks(self) -> Iterator[list[Indexed]]:
        """Sound runs, some at a time. A copy of a run is no second run; two runs under one id are a fault."""
        reading, done = read_folders(self.folders), 0
        while chunk := list(islice(reading, _CHUNK_RUNS)):
            yield [found for found in chunk if not isinstance(found, Broken) and self._is_new(found)]
            self.skipped += [found for found in chunk if isinstance(found, Broken)]
            done += len(chunk)
            if self.progress:
                self.progress(done, len(self.folders))

    def leave_out(self, run_id: str, reason: str) -> None:
        """Take back a sound run that does not count."""
        del self.checksums[run_id]
        self.decisions = [one for one in self.decisions if one.new != run_id]
        self.skipped.append(Broken(self._paths[run_id], reason))

    def _is_new(self, found: Indexed) -> bool:
        if found.fault is not None:
            self.skipped.append(found.fault)
        run_id, checksum = found.rows.run_id, str(found.rows.run["checksum"])
        first = self._paths.setdefault(run_id, found.path)
        if self.checksums.setdefault(run_id, checksum) != checksum:
            self.skipped.append(Broken(found.path, f"run id {run_id} is also that of {first}."))
            return False
        self.decisions += found.decisions
        if found.submission is not None:
            self.submissions[run_id] = found.submission
        return first == found.path


def read_folders(folders: Sequence[Path]) -> Iterator[Indexed | Broken]:
    """Read and verify run directories; what cannot be used comes with its reason. Order as given."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if len(folders) < _WORTH_PROCESSES or cores < 2:
        yield from map(read_folder, folders)
        return
    pool = ProcessPoolExecutor(
        min(cores, _MOST_PROCESSES), mp_context=get_context("spawn"), initializer=_leave_interrupts_to_the_caller
    )
    try:
        yield from pool.map(read_folder, folders, chunksize=_CHUNK)
    finally:
        # After an interrupt nobody waits for what is still to be read.
        pool.shutdown(wait=True, cancel_futures=True)


def _leave_interrupts_to_the_caller() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def read_folder(path: Path) -> Indexed | Broken:
    """Read and verify one run directory."""
    try:
        stored = read_run(path)
        check_row_counts(stored)
        rows = rows_of(record_of(stored))
    except GrueError as error:
        return broken_run(path, error)
    submission = None if stored.submission is None else stored.submission.name
    try:
        return Indexed(path, rows, decisions_of(stored), submission=submission)
    except GrueError as error:
        return Indexed(path, rows, (), broken_run(path, error), submission)
