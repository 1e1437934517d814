"""A run directory while it is written: manifest first, generations as they come, results last."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Literal

from grue.core.metric import Floats
from grue.core.rows import Generation, Row
from grue.core.run import Manifest, Results, RunScores, TaskResult
from grue.core.text import Json
from grue.runs.fields import read_document
from grue.runs.files import (
    Appender,
    drop_torn_line,
    is_temporary,
    sha256_file,
    storing,
    sync_folder,
    write_atomic,
    write_json,
)
from grue.runs.fresh import beside, recover, swap
from grue.runs.identity import timestamp
from grue.runs.lock import LOCK_FILE, FolderLock
from grue.runs.partial import Key, read_lines, to_lines
from grue.runs.read import EVENTS, MANIFEST, RESULTS, read_run
from grue.runs.refusal import refuse_foreign, refuse_other
from grue.runs.validity import VALIDITY, Validity
from grue.runs.values import manifest_value

Status = Literal["new", "resumed", "finished"]
_PARTIAL = ".partial.jsonl"
EXPLAIN = ".explain.jsonl"


class RunDirectory:
    """One run's folder, locked while it is open; use it as a context manager.

    Attributes:
        path: The folder that is written; after ``finish`` of a fresh run, the place of the one it replaced.
        manifest: What is run. A resumed run keeps the manifest of its first start, with its id and time.
        status: ``new``; ``resumed`` where stored generations are to be used; ``finished`` where nothing is left.
        previous: Results of an earlier partial or finished end, else ``None``.
    """

    path: Path
    manifest: Manifest
    status: Status
    previous: Results | None

    def __init__(self, path: Path, lock: FolderLock, replaces: FolderLock | None) -> None:
        self.path = path
        self.previous = None
        self._lock = lock
        self._replaces = replaces
        self._locks = ExitStack()
        self._appenders: dict[str, Appender] = {}

    @classmethod
    def open(cls, path: str | Path, manifest: Manifest, *, fresh: bool = False) -> RunDirectory:
        """Open a folder for a run: make it, go on with it, or find it finished.

        Args:
            path: Exactly the run directory.
            manifest: What is to be run, its identity computed.
            fresh: Start anew beside a run that is there; it is kept until the new one is finished.

        Raises:
            RunDirectoryError: where the folder holds another run or something else, another process is in it,
                what is stored is damaged, or it cannot be written.
        """
        final_path = Path(os.path.abspath(path))
        refuse_foreign(final_path)
        locks = ExitStack()
        with storing(final_path), locks:
            recover(final_path)
            work, replaces = final_path, None
            if fresh and (final_path / MANIFEST).exists():
                replaces = _locked(final_path, locks)
                work = beside(final_path, manifest.identity)
            is_made = not work.exists()
            work.mkdir(parents=True, exist_ok=True)
            if is_made:
                locks.callback(_remove_if_bare, work)
            run = cls(work, _locked(work, locks), replaces)
            run._begin(manifest)
            run._locks = locks.pop_all()
        return run

    def stored(self, task: str) -> dict[Key, Generation]:
        """Generations that are stored already, keyed by (id, sample).

        Raises:
            RunDirectoryError: where a stored line is damaged; names it.
        """
        found = read_lines(self._partial(task))
        path = self.path / "samples" / f"{task}.parquet"
        if path.exists():
            import pyarrow.parquet as pq

            from grue.runs.tables import generations_of

            found = {**generations_of(pq.read_table(path, partitioning=None)), **found}
        return found

    def append(self, task: str, generations: Iterable[Generation]) -> None:
        """Store a batch of generations; when this returns, a kill cannot take them.

        Raises:
            RunDirectoryError: where the folder cannot be written; what was stored before stays whole.
        """
        self._reopen()
        with storing(self.path):
            self._append(self._partial(task), to_lines(generations))

    def event(self, kind: str, **fields: Json) -> None:
        """Append an event with the time to ``events.jsonl``."""
        line = json.dumps({"time": timestamp(), "kind": kind, **fields}, ensure_ascii=False, allow_nan=False)
        with storing(self.path):
            self._append(self.path / EVENTS, f"{line}\n".encode())

    def write_task(
        self,
        task: str,
        rows: Mapping[str, Row],
        generations: Sequence[Generation],
        per_sample: Mapping[str, Floats],
        rewards: Mapping[str, Floats],
        statistics: Mapping[str, Floats],
    ) -> None:
        """Write a task's Parquet files, rows sorted by id and sample.

        Args:
            task: Name of the task.
            rows: Its rows by id.
            generations: In any order.
            per_sample: Metric -> shape (n,), in the order of ``generations``; NaN is stored as null.
            rewards: Reward -> shape (n,), likewise.
            statistics: Metric -> shape (n, k), likewise.

        Raises:
            RunDirectoryError: where the folder cannot be written.
        """
        from grue.runs.tables import parquet_bytes, samples_table, statistics_table

        self._reopen()
        tables = {
            "samples": samples_table(rows, generations, per_sample, rewards),
            "statistics": statistics_table(generations, statistics),
        }
        with storing(self.path):
            for folder, table in tables.items():
                (self.path / folder).mkdir(exist_ok=True)
                write_atomic(self.path / folder / f"{task}.parquet", parquet_bytes(table))

    def write_explanations(self, task: str, lines: Sequence[Mapping[str, Json]]) -> None:
        """Write ``samples/<task>.explain.jsonl``; no file where there are none.

        Raises:
            RunDirectoryError: where the folder cannot be written.
        """
        path = self.path / "samples" / f"{task}{EXPLAIN}"
        with storing(self.path):
            if lines:
                text = "".join(json.dumps(line, ensure_ascii=True, sort_keys=True) + "\n" for line in lines)
                write_atomic(path, text.encode("ascii"))
            else:
                path.unlink(missing_ok=True)

    def write_validity(self, validity: Validity) -> None:
        """Write ``validity.json``.

        Raises:
            RunDirectoryError: where the folder cannot be written.
        """
        with storing(self.path):
            write_json(self.path / VALIDITY, validity.to_json())

    def finish(self, status: str, tasks: Mapping[str, TaskResult], scores: RunScores | None = None) -> Results:
        """Hash all files and write ``results.json``; a finished fresh run then takes the old one's place.

        Generations of tasks that are not finished stay as they were appended, for the next start.

        Args:
            status: ``finished`` or ``partial``.
            tasks: What came out, by task.
            scores: Scores over the benchmark; ``None`` where nothing was scored.

        Raises:
            RunDirectoryError: where the folder cannot be written.
        """
        with storing(self.path):
            files = {name: sha256_file(self.path / name) for name in self._files()}
            results = Results(
                run_id=self.manifest.run_id, status=status, tasks=tasks, files=files, scores=scores or RunScores()
            )
            write_json(self.path / RESULTS, results.to_json())
            self.previous = results
            self._close_files()
            for task, result in tasks.items():
                if result.status == "finished":
                    self._partial(task).unlink(missing_ok=True)
            if status == "finished":
                self._drop_partials()
                self._take_place()
        return results

    def close(self) -> None:
        """Close all files and let others in; closing twice does nothing."""
        self._close_files()
        self._locks.close()

    def __enter__(self) -> RunDirectory:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _begin(self, manifest: Manifest) -> None:
        """Write the manifest, or take up what an earlier start of the same run stored."""
        path = self.path / MANIFEST
        refuse_foreign(self.path)
        self._drop_temporaries()
        if not path.exists():
            write_json(path, manifest.to_json())
            self.manifest, self.status = manifest, "new"
            return
        self.manifest = manifest_value(read_document(path))
        refuse_other(self.path, self.manifest, manifest)
        self.status = "resumed"
        if (self.path / RESULTS).exists():
            self.previous = read_run(self.path, shard=True).results_value()
            if self.previous.status == "finished":
                self.status = "finished"
                self._drop_partials()
                return
        for lines in (*self.path.glob(f"samples/*{_PARTIAL}"), *self.path.glob(EVENTS)):
            drop_torn_line(lines)

    def _reopen(self) -> None:
        """Results of a partial end do not describe files that change now."""
        if self.status == "finished":
            raise ValueError("a finished run is not written again")
        with storing(self.path):
            if (self.path / RESULTS).exists():
                (self.path / RESULTS).unlink()
                sync_folder(self.path)

    def _append(self, path: Path, content: bytes) -> None:
        key = str(path)
        if key not in self._appenders:
            self._appenders[key] = Appender(path)
        self._appenders[key].write(content)

    def _partial(self, task: str) -> Path:
        return self.path / "samples" / f"{task}{_PARTIAL}"

    def _files(self) -> list[str]:
        """Relative paths of what ``results.json`` vouches for, sorted."""
        found = (path.relative_to(self.path).as_posix() for path in self.path.rglob("*") if path.is_file())
        left_out = (RESULTS, EVENTS, LOCK_FILE)
        return sorted(n for n in found if n not in left_out and not n.endswith(_PARTIAL) and not is_temporary(n))

    def _drop_partials(self) -> None:
        for path in self.path.glob(f"samples/*{_PARTIAL}"):
            path.unlink()

    def _drop_temporaries(self) -> None:
        for path in self.path.rglob(".*"):
            if is_temporary(path.name):
                path.unlink(missing_ok=True)

    def _take_place(self) -> None:
        if self._replaces is None:
            return
        place = self._replaces.folder
        old = swap(self.path, place)
        self._lock.moved(place)
        self._replaces.moved(old)
        self._replaces.release()
        self._replaces = None
        self.path = place
        shutil.rmtree(old)

    def _close_files(self) -> None:
        for appender in self._appenders.values():
            appender.close()
        self._appenders.clear()


def _locked(folder: Path, locks: ExitStack) -> FolderLock:
    lock = FolderLock.acquire(folder)
    locks.callback(lock.release)
    return lock


def _remove_if_bare(folder: Path) -> None:
    """Leave no empty folder behind where a run could not even start."""
    if not (folder / MANIFEST).exists():
        with suppress(OSError):
            folder.rmdir()
