"""Makes the index again from run directories, in one transaction: a crash leaves the old index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, delete, select

from grue.core.errors import RunDirectoryError, StoreError
from grue.runs.read import Broken, read_run
from grue.runs.row_counts import check_row_counts
from grue.runs.supersession import Refused, decisions_of, sorted_out
from grue.store.attempts import leave_out_attempts, never_counted
from grue.store.database import Store
from grue.store.decisions import add_decisions, all_decisions
from grue.store.indexing import index_run
from grue.store.models import AskedModel, ResultModel, RunModel, SuiteModel
from grue.store.reading import Progress, RunReader, folders_of
from grue.store.records import record_of
from grue.store.rows import RunRows, rows_of
from grue.store.service.board import board_changed
from grue.store.service.visibility import run_ids
from grue.store.spool import Spool
from grue.store.tables import RowWriter, read_rows

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did.

    Attributes:
        runs: Runs that the index has now.
        added: Ids that it had not before.
        removed: Ids that it has no longer, as no folder holds them.
        kept: Ids that no folder holds and that it has all the same: of submissions, whose directories lie with the
            artifacts, and of runs that were added meanwhile.
        changed: Ids whose results are not what they were before: the run directory was changed.
        skipped: Run directories that cannot be used.
        refused: Decisions of run directories that contradict earlier ones.
    """

    runs: int
    added: tuple[str, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...]
    changed: tuple[str, ...]
    skipped: tuple[Broken, ...]
    refused: tuple[Refused, ...]


def rebuild(store: Store, results: Sequence[Path], progress: Progress | None = None) -> Rebuilt:
    """Replace the whole index by what the folders hold; what is born in the database stays.

    Args:
        store: An open store.
        results: Folders of run directories, or run directories.
        progress: Called with the number of run directories read, and of all.

    Raises:
        UsageError: where a folder does not exist.
        StoreError: where the database fails; the old index stands then.
    """
    reader = RunReader(folders_of(results), progress)
    with store.read() as connection:
        at_first = _checksums(connection)
    # Folders are read before the lock is taken: queue and workers write meanwhile.
    with Spool[list[RunRows]]() as spool:
        for sound in reader.chunks():
            spool.put([found.rows for found in sound])
        with store.rebuild() as connection:
            before = _checksums(connection)
            leave_out_attempts(connection, reader)
            elsewhere = before.keys() - reader.checksums.keys()
            kept = {run_id for run_id in elsewhere if run_id not in at_first} | (elsewhere & run_ids(connection))
            stay = [list(read_rows(connection, some).values()) for some in _some(sorted(kept))]
            for model in (ResultModel, RunModel, AskedModel, SuiteModel):
                connection.execute(delete(model))
            writer = RowWriter(connection)
            for rows in spool:
                writer.insert([one for one in rows if one.run_id in reader.checksums])
            for rows in stay:
                writer.insert(rows)
            added, refused = sorted_out(reader.decisions, all_decisions(connection))
            add_decisions(connection, added)
            board_changed(connection)
    checksums = reader.checksums
    return Rebuilt(
        runs=len(checksums) + len(kept),
        added=tuple(sorted(checksums.keys() - before.keys())),
        removed=tuple(sorted(elsewhere - kept)),
        kept=tuple(sorted(kept)),
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
    named = {} if stored.submission is None else {rows.run_id: stored.submission.name}
    with store.write() as connection:
        for reason in never_counted(connection, named).values():
            raise StoreError(f"it is {reason}.", "Its submission's own run is in the index.", place=str(path))
        is_new = index_run(connection, rows, str(path))
        added, refused = sorted_out(decisions_of(stored), all_decisions(connection))
        if refused:
            raise StoreError(f"a decision of the run does not fit: {refused[0].reason}", place=str(path))
        add_decisions(connection, added)
        if is_new or added:
            board_changed(connection)
    return is_new


def _some(run_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """As many at a time as a statement may name."""
    return (run_ids[first : first + _AT_ONCE] for first in range(0, len(run_ids), _AT_ONCE))


def _checksums(connection: Connection) -> dict[str, str]:
    columns = select(RunModel.run_id, RunModel.checksum)
    return {row.run_id: row.checksum for row in connection.execute(columns)}
