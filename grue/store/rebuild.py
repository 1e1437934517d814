"""Makes the index again from run directories, in one transaction: a crash leaves the old index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete, select

from grue.core.errors import RunDirectoryError, StoreError
from grue.runs.read import Broken, read_run
from grue.runs.row_counts import check_row_counts
from grue.runs.supersession import Refused, decisions_of, sorted_out
from grue.store.database import Store
from grue.store.decisions import add_decisions, all_decisions
from grue.store.indexing import index_run
from grue.store.models import AskedModel, ResultModel, RunModel, SuiteModel
from grue.store.reading import Progress, RunReader, folders_of
from grue.store.records import record_of
from grue.store.rows import rows_of
from grue.store.tables import RowWriter


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did.

    Attributes:
        runs: Runs that the index has now.
        added: Ids that it had not before.
        removed: Ids that it has no longer, as no folder holds them.
        changed: Ids whose results are not what they were before: the run directory was changed.
        skipped: Run directories that cannot be used.
        refused: Decisions of run directories that contradict earlier ones.
    """

    runs: int
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    skipped: tuple[Broken, ...]
    refused: tuple[Refused, ...]


def rebuild(store: Store, results: Sequence[Path], progress: Progress | None = None) -> Rebuilt:
    """Replace the whole index by what the folders hold; decisions of the database stay.

    Args:
        store: An open store.
        results: Folders of run directories, or run directories.
        progress: Called with the number of run directories read, and of all.

    Raises:
        UsageError: where a folder does not exist.
        StoreError: where the database fails; the old index stands then.
    """
    reader = RunReader(folders_of(results), progress)
    # The lock comes first: a run that another process adds while folders are read is not lost.
    with store.rebuild() as connection:
        columns = select(RunModel.run_id, RunModel.checksum)
        before = {row.run_id: row.checksum for row in connection.execute(columns)}
        for model in (ResultModel, RunModel, AskedModel, SuiteModel):
            connection.execute(delete(model))
        writer = RowWriter(connection)
        for sound in reader.chunks():
            writer.insert([found.rows for found in sound])
        added, refused = sorted_out(reader.decisions, all_decisions(connection))
        add_decisions(connection, added)
    checksums = reader.checksums
    return Rebuilt(
        runs=len(checksums),
        added=tuple(sorted(checksums.keys() - before.keys())),
        removed=tuple(sorted(before.keys() - checksums.keys())),
        changed=tuple(sorted(key for key in before if key in checksums and checksums[key] != before[key])),
        skipped=tuple(reader.skipped),
        refused=tuple(refused),
    )


def add_run(store: Store, path: Path) -> bool:
    """Add one run to the index; whether it is new there.

    Results are insert-only: the same run again changes nothing.

    Raises:
        RunDirectoryError: where the run directory cannot be used.
        StoreError: where the index has other results under that run id, or a decision in the directory does not fit.
    """
    stored = read_run(path)
    check_row_counts(stored)
    try:
        rows = rows_of(record_of(stored))
    except RunDirectoryError as error:
        raise RunDirectoryError(error.cause, error.fix, place=f"{path}: {error.place}") from error
    with store.write() as connection:
        is_new = index_run(connection, rows, str(path))
        added, refused = sorted_out(decisions_of(stored), all_decisions(connection))
        if refused:
            raise StoreError(f"a decision of the run does not fit: {refused[0].reason}", place=str(path))
        add_decisions(connection, added)
    return is_new
