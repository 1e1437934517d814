"""Compares the index with the run directories and names every difference."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select

from grue.core.text import Json
from grue.runs.read import Broken
from grue.runs.supersession import Supersession, sorted_out
from grue.store.attempts import leave_out_attempts
from grue.store.database import Store
from grue.store.decisions import all_decisions
from grue.store.models import RunModel
from grue.store.reading import Indexed, Progress, RunReader, folders_of
from grue.store.records import flat
from grue.store.rows import RunRows, record_from
from grue.store.service.visibility import run_ids
from grue.store.tables import read_rows

MISSING, EXTRA, CHANGED = "missing", "extra", "changed"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between the run directories and the database.

    Attributes:
        kind: ``missing`` in the database, ``extra`` there, or ``changed``.
        run_id: The run.
        key: What differs, as the documents of a run directory name it; empty for a whole run.
        directory: What the run directory says; for a run, its path.
        database: What the database says; for a run, the path it was indexed from.
    """

    kind: str
    run_id: str
    key: str
    directory: Json
    database: Json

    def __str__(self) -> str:
        if self.kind == MISSING:
            return f"run {self.run_id}: {self.key or 'the run'} is not in the database ({self.directory})"
        if self.kind == EXTRA:
            return f"run {self.run_id}: {self.key or 'the run'} is in the database alone ({self.database})"
        said = f"{self.directory!r} in the run directory, {self.database!r} in the database"
        return f"run {self.run_id}: {self.key} is {said}"


@dataclass(frozen=True, slots=True)
class Checked:
    """What a comparison found.

    Attributes:
        runs: Sound run directories that were compared.
        differences: By run id, then key.
        skipped: Run directories that cannot be used.
    """

    runs: int
    differences: tuple[Difference, ...]
    skipped: tuple[Broken, ...]


def check(store: Store, results: Sequence[Path], progress: Progress | None = None) -> Checked:
    """Compare the index with run directories; nothing is changed.

    Runs of submissions lie with the artifacts: one that no folder holds is no difference.

    Args:
        store: An open store.
        results: Folders of run directories, or run directories.
        progress: Called with the number of run directories read, and of all.

    Raises:
        UsageError: where a folder does not exist.
        StoreError: where the database fails.
    """
    reader = RunReader(folders_of(results), progress)
    differences: list[Difference] = []
    with store.read() as connection:
        for sound in reader.chunks():
            differences += _differences(connection, sound)
        left_out = leave_out_attempts(connection, reader)
        differences = [one for one in differences if one.run_id not in left_out]
        of_submissions = run_ids(connection)
        for row in connection.execute(select(RunModel.run_id, RunModel.path).order_by(RunModel.run_id)):
            if row.run_id not in reader.checksums and row.run_id not in of_submissions:
                differences.append(Difference(EXTRA, row.run_id, "", None, row.path))
        differences += _decision_differences(reader.decisions, all_decisions(connection))
    differences.sort(key=lambda one: (one.run_id, one.key))
    return Checked(len(reader.checksums), tuple(differences), tuple(reader.skipped))


def _differences(connection: Connection, found: Sequence[Indexed]) -> Iterator[Difference]:
    stored = read_rows(connection, [one.rows.run_id for one in found])
    for one in found:
        other = stored.get(one.rows.run_id)
        if other is None:
            yield Difference(MISSING, one.rows.run_id, "", str(one.path), None)
        elif other != one.rows:
            yield from _changes(one.rows, other)


def _changes(directory: RunRows, database: RunRows) -> Iterator[Difference]:
    there = dict(flat(record_from(directory)))
    try:
        here = dict(flat(record_from(database)))
    except (struct.error, ValueError, TypeError, KeyError) as error:
        # Someone wrote into the database what no rebuild writes.
        yield Difference(CHANGED, directory.run_id, "the rows of its results", "sound", f"unreadable: {error}")
        return
    for key in dict.fromkeys([*there, *here]):
        if key not in here:
            yield Difference(MISSING, directory.run_id, key, there[key], None)
        elif key not in there:
            yield Difference(EXTRA, directory.run_id, key, None, here[key])
        elif there[key] != here[key]:
            yield Difference(CHANGED, directory.run_id, key, there[key], here[key])


def _decision_differences(found: Sequence[Supersession], stored: Sequence[Supersession]) -> Iterator[Difference]:
    kept, _ = sorted_out(found, ())
    there, here = {one.old: one for one in kept}, {one.old: one for one in stored}
    for old in dict.fromkeys([*there, *here]):
        directory, database = there.get(old), here.get(old)
        if directory == database:
            continue
        kind = MISSING if database is None else EXTRA if directory is None else CHANGED
        yield Difference(kind, old, "superseded_by", _said(directory), _said(database))


def _said(decision: Supersession | None) -> str | None:
    return None if decision is None else f"{decision.new}, {decision.decided_at}: {decision.reason}"
