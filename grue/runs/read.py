"""Reads run directories: documents, checksums and files are checked before anything is believed."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from grue.core.errors import GrueError, RunDirectoryError
from grue.core.run import Manifest, Results, checksum
from grue.runs.fields import Fields, read_document
from grue.runs.files import sha256_file
from grue.runs.published import SUBMISSION, Submission, read_submission
from grue.runs.values import manifest_value, results_value

if TYPE_CHECKING:
    import pyarrow as pa

MANIFEST = "manifest.json"
RESULTS = "results.json"
EVENTS = "events.jsonl"
_BATCH_ROWS = 4096


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A finished or partial run as it is stored, its checksums verified.

    Attributes:
        path: The run directory.
        manifest: The object of ``manifest.json``.
        results: The object of ``results.json``.
        parsed: Both as values, where they were made already.
        submission: What is said of it where it is a published result; its generations may not be there then.
    """

    path: Path
    manifest: Mapping[str, Any]
    results: Mapping[str, Any]
    parsed: tuple[Manifest, Results] | None = field(default=None, repr=False, compare=False)
    submission: Submission | None = None

    def has_samples(self, task: str) -> bool:
        """Whether the run holds generations of a task."""
        name = f"samples/{task}.parquet"
        return name in self.results["files"] and (self.submission is None or (self.path / name).is_file())

    def samples(
        self, task: str, columns: Sequence[str] | None = None, *, ids: Collection[str] | None = None
    ) -> pa.Table:
        """``samples/<task>.parquet``, one row a generation, sorted by id and sample.

        Args:
            task: Name of the task.
            columns: Those to read, of which the file may lack some; all where nothing is said.
            ids: Rows to keep, without holding the others in memory; ``id`` is among the columns then.

        Raises:
            RunDirectoryError: where the run has no generations of that task.
        """
        return self._table("samples", task, columns, ids)

    def statistics(self, task: str, columns: Sequence[str] | None = None) -> pa.Table:
        """``statistics/<task>.parquet``: id, sample, one list-of-floats column a metric, rows as in ``samples``.

        Args:
            task: Name of the task.
            columns: Those to read, of which the file may lack some; all where nothing is said.

        Raises:
            RunDirectoryError: where the run has no statistics of that task.
        """
        return self._table("statistics", task, columns)

    def manifest_value(self) -> Manifest:
        """The manifest as a value."""
        return self.parsed[0] if self.parsed else manifest_value(Fields(self.manifest, str(self.path / MANIFEST)))

    def results_value(self) -> Results:
        """The results as a value."""
        return self.parsed[1] if self.parsed else results_value(Fields(self.results, str(self.path / RESULTS)))

    def _table(
        self, folder: str, task: str, columns: Sequence[str] | None, ids: Collection[str] | None = None
    ) -> pa.Table:
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        name = f"{folder}/{task}.parquet"
        if name not in self.results["files"]:
            known = ", ".join(self.results["tasks"]) or "none"
            raise RunDirectoryError(f"holds no {name}.", f"Tasks of this run: {known}.", place=str(self.path))
        if self.submission is not None and not (self.path / name).is_file():
            raise RunDirectoryError(
                f"holds no {name}: it is a published result without its generations.",
                f"Make them again with the command in {SUBMISSION}.",
                place=str(self.path),
            )
        try:
            with pq.ParquetFile(self.path / name) as file:
                known_columns = file.schema_arrow.names
                wanted = None if columns is None else [column for column in known_columns if column in set(columns)]
                if ids is None:
                    return file.read(columns=wanted)
                kept = pa.array(sorted(ids), pa.string())
                found = [
                    batch.filter(pc.is_in(batch.column("id"), kept))
                    for batch in file.iter_batches(_BATCH_ROWS, columns=wanted)
                ]
                return pa.Table.from_batches(found) if found else file.read(columns=wanted)
        except (OSError, ValueError) as error:
            raise RunDirectoryError(f"is no readable Parquet file: {error}.", place=str(self.path / name)) from error


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run that was found and is sound.

    Attributes:
        status: ``finished`` or ``partial``.
        tasks: Task names, in the run's order.
        stored: The run itself.
    """

    path: Path
    run_id: str
    name: str
    source: str
    identity: str
    created_at: str
    status: str
    tasks: tuple[str, ...]
    stored: StoredRun


@dataclass(frozen=True, slots=True)
class Broken:
    """A run directory that cannot be used, and why; ``is_unfinished`` where it merely goes on, was stopped or is a
    part of a run.
    """

    path: Path
    reason: str
    is_unfinished: bool = False


class ShardError(RunDirectoryError):
    """A run directory holds a part of a run where a whole one is asked for."""


def read_run(path: str | Path, *, shard: bool = False) -> StoredRun:
    """Read a run directory and verify it.

    Args:
        path: The run directory.
        shard: Whether a part of a run will do.

    Raises:
        RunDirectoryError: where there is no run, it is unfinished, a document is broken or newer than this
            version reads, or a file is missing or not what was written.
        ShardError: where it is a part and a whole run is asked for.
    """
    folder = Path(path)
    if not (folder / MANIFEST).is_file():
        if not folder.exists():
            raise RunDirectoryError("no such folder.", "'grue runs list' shows the runs there are.", place=str(folder))
        raise RunDirectoryError(f"is no run directory: it has no {MANIFEST}.", place=str(folder))
    manifest = read_document(folder / MANIFEST)
    known = manifest_value(manifest)
    if not (folder / RESULTS).is_file():
        raise RunDirectoryError(
            f"is an unfinished run: it has no {RESULTS}.",
            "Run the command that started it again: it goes on where it stopped.",
            place=str(folder),
        )
    if known.shard is not None and not shard:
        raise ShardError(
            f"is {known.shard} of a run, which has no values before 'grue merge' joins the parts.",
            "When all parts are done: grue merge SHARD_DIR… -o DIR",
            place=str(folder),
        )
    document = read_document(folder / RESULTS)
    if document.required("checksum", str) != checksum_of(document):
        raise document.fault("checksum does not fit the content.")
    results = results_value(document)
    if results.run_id != known.run_id:
        raise document.fault(f"run_id is {results.run_id}, but {MANIFEST} says {known.run_id}.")
    if results.status not in ("finished", "partial"):
        raise document.fault(f"status should be finished or partial: found {results.status!r}.")
    submission = _submission(folder, results.run_id)
    for name, sha256 in results.files.items():
        # What was not published cannot be checked; what is there must be what was written.
        if submission is None or name == MANIFEST or (folder / name).exists():
            check_file(folder, name, sha256, document)
    content = {"files": {}, "tasks": {}, **document.values}
    return StoredRun(folder, manifest.values, content, (known, results), submission)


def find_runs(*folders: str | Path) -> list[RunSummary | Broken]:
    """All run directories under the folders, each of which may be one itself.

    Returns:
        Sound runs by time of creation, then id; after them the broken and unfinished ones by path.

    Raises:
        RunDirectoryError: where a folder does not exist.
    """
    sound: list[RunSummary] = []
    broken: list[Broken] = []
    seen: set[Path] = set()
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise RunDirectoryError("no such folder.", "Give a folder that holds run directories.", place=str(folder))
        for path in run_folders(folder):
            if path.resolve() in seen:
                continue
            seen.add(path.resolve())
            try:
                sound.append(_summary(read_run(path)))
            except RunDirectoryError as error:
                broken.append(broken_run(path, error))
    sound.sort(key=lambda run: (run.created_at, run.run_id))
    return [*sound, *sorted(broken, key=lambda run: run.path)]


def _summary(stored: StoredRun) -> RunSummary:
    manifest = stored.manifest_value()
    return RunSummary(
        path=stored.path,
        run_id=manifest.run_id,
        name=manifest.model.name,
        source=manifest.model.source,
        identity=manifest.identity,
        created_at=manifest.created_at,
        status=stored.results["status"],
        tasks=tuple(stored.results["tasks"]),
        stored=stored,
    )


def broken_run(path: Path, error: GrueError) -> Broken:
    """A run directory that could not be read, from the error that says why."""
    unfinished = isinstance(error, ShardError) or ((path / MANIFEST).is_file() and not (path / RESULTS).is_file())
    place = "" if error.place in ("", str(path)) else f"{error.place.removeprefix(f'{path}{os.sep}')}: "
    return Broken(path, f"{place}{error.cause}", unfinished)


def _submission(folder: Path, run_id: str) -> Submission | None:
    path = folder / SUBMISSION
    if not path.exists():
        return None
    submission = read_submission(path)
    if submission.run_id != run_id:
        cause = f"run_id is {submission.run_id}, but {RESULTS} says {run_id}."
        raise RunDirectoryError(cause, "Name the run that lies here.", place=str(path))
    return submission


def run_folders(top: Path) -> Iterator[Path]:
    """All folders below ``top``, itself included, that hold a run; none is looked for inside another."""
    for folder, inner, files in os.walk(top):
        if MANIFEST in files or RESULTS in files:
            inner.clear()
            yield Path(folder)
        inner.sort()


def checksum_of(document: Fields) -> str:
    """The checksum that the content of ``results.json`` has.

    Raises:
        RunDirectoryError: for a value that no run writes.
    """
    try:
        return checksum(document.values)
    except ValueError as error:  # NaN and lone surrogates have no canonical form
        raise document.fault(f"holds a value that no run writes: {error}.") from error


def check_file(folder: Path, name: str, sha256: str, document: Fields) -> None:
    """Check that a file of a run is what was written.

    Args:
        folder: The run directory.
        name: The file's path in it.
        sha256: Its hash by ``results.json``.
        document: ``results.json``, for the message.

    Raises:
        RunDirectoryError: where it is missing, changed or lies elsewhere.
    """
    parts = PurePosixPath(name)
    if parts.is_absolute() or ".." in parts.parts or "\\" in name:
        raise document.fault(f"files: {name!r} does not lie in the run directory.")
    path = folder / name
    try:
        # A pipe or device in the place of a file would never end.
        found = sha256_file(path) if path.is_file() or not path.exists() else ""
    except OSError as error:
        raise RunDirectoryError(
            f"cannot be read ({error.strerror or error}), but {RESULTS} lists it.",
            "Restore the file, or run again with --fresh.",
            place=str(path),
        ) from error
    if found != sha256:
        raise RunDirectoryError(
            f"was changed after the run: its SHA-256 is {found[:12]}…, {RESULTS} says {sha256[:12]}….",
            "Restore the file, or run again with --fresh.",
            place=str(path),
        )
