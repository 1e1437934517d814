"""From records to the rows that are evaluated: ids, duplicates, subset and fingerprints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from grue.core.errors import GrueError, TaskContractError, TaskDataError
from grue.core.record import Record
from grue.core.rows import Row, data_sha256, number_repeats, prompts_sha256, subset
from grue.core.run import DataInfo
from grue.core.task import Suite, Task
from grue.data.contract import check_row
from grue.data.location import DataLocation
from grue.data.records import open_records


@dataclass(frozen=True, slots=True)
class SplitData:
    """Rows of one task, ready to be evaluated.

    Attributes:
        rows: Evaluated rows in id order.
        split: Full name of the split.
        info: Where they come from and their fingerprint.
        prompts_sha256: Fingerprint of ids and prompts.
    """

    rows: tuple[Row, ...]
    split: str
    info: DataInfo
    prompts_sha256: str


@dataclass(slots=True)
class _Reading:
    """Hands records on and remembers the place of the last one."""

    records: Iterable[Record]
    place: str
    finished: bool = False

    def __iter__(self) -> Iterator[Record]:
        for record in self.records:
            self.place = record.place
            yield record
        self.finished = True


def load_split(
    task: Task,
    suite: Suite,
    split: str | None,
    location: DataLocation,
    *,
    home: Path,
    limit: int | None = None,
    offline: bool = False,
) -> SplitData:
    """Read a split of a task.

    Args:
        task: The task.
        suite: The suite whose ``rows`` reads the records.
        split: Name of the split; ``None`` for the default of the location.
        location: From ``locate``.
        home: Folder of caches (``GRUE_HOME``).
        limit: Rows wanted (``-L``); ``None`` for all.
        offline: Look at local files only.

    Raises:
        TaskAbsentError: where there are no rows of the task at all.
        UsageError: for an unknown split.
        TaskDataError: for a fault in the data, with file and line.
        TaskContractError: where the plugin raises or gives something that is no row.
    """
    found = open_records(task, split, location, home=home, offline=offline)
    reading = _Reading(found.records, found.place)
    rows, places = _rows(task, suite, reading)
    if not rows:
        raise TaskDataError(
            f"Task {task.name!r} makes no row of these records.",
            "Give it records that hold what the task needs; see 'grue tasks show'.",
            place=found.place,
        )
    if task.repeated_ids == "number":
        rows = number_repeats(rows)
    _refuse_repeats(rows, places, found.place)
    evaluated = tuple(subset(rows, limit))
    return SplitData(
        rows=evaluated,
        split=found.split,
        info=DataInfo(
            source=location.kind,
            id=found.id,
            revision=found.revision,
            sha256=data_sha256(evaluated),
            rows=len(rows),
        ),
        prompts_sha256=prompts_sha256(evaluated),
    )


def _rows(task: Task, suite: Suite, reading: _Reading) -> tuple[list[Row], list[str]]:
    """Rows with the place of the record each was made from; empty where rows are made of all records together."""
    rows: list[Row] = []
    places: list[str] = []
    try:
        for row in suite.rows(reading):
            check_row(task.name, row, reading.place)
            rows.append(row)
            places.append("" if reading.finished else reading.place)
    except GrueError:
        raise
    except Exception as error:
        raise TaskContractError(
            f"Task {task.name!r} raised {type(error).__name__} in its rows function: {error}",
            f"Mend the plugin, or the record if it is at fault; 'grue tasks validate {task.name}' shows more.",
            place=reading.place,
        ) from error
    return rows, places


def _refuse_repeats(rows: list[Row], places: list[str], whole: str) -> None:
    first: dict[str, int] = {}
    for index, row in enumerate(rows):
        earlier = first.setdefault(row.id, index)
        if earlier != index:
            both = f" It stands at {places[earlier]} and {places[index]}." if places[earlier] and places[index] else ""
            raise TaskDataError(
                f"The id {row.id!r} is there twice.{both}",
                "Ids are unique in a split: remove one of the two, or give it an id of its own.",
                place=places[index] or whole,
            )
