"""Opens the records of one split, wherever they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import as_file
from importlib.resources.abc import Traversable
from pathlib import Path

from grue.core.errors import TaskDataError, UsageError
from grue.core.record import Record
from grue.core.rows import split_name
from grue.core.source import HubSource
from grue.core.task import Task
from grue.core.text import nearest
from grue.data.folder import rows_file
from grue.data.jsonl import read_jsonl
from grue.data.location import DataLocation, TaskAbsentError
from grue.data.parquet import read_parquet


@dataclass(frozen=True, slots=True)
class SplitRecords:
    """Records of a split, read as they are asked for.

    Attributes:
        split: Full name of the split.
        place: File or data set, for messages about the whole.
        records: In file order.
        id: Id of the hub's set; ``None`` for a folder or embedded rows.
        revision: Its pinned revision.
    """

    split: str
    place: str
    records: Iterator[Record]
    id: str | None = None
    revision: str | None = None


def default_split(task: Task, location: DataLocation) -> str:
    """The split that is evaluated where the user names none."""
    return task.source.default_split if location.kind == "hub" and task.source else "test"


def open_records(
    task: Task, split: str | None, location: DataLocation, *, home: Path, offline: bool = False
) -> SplitRecords:
    """Find a split; nothing of a local file is read before the records are asked for.

    Args:
        task: The task.
        split: Name as the user wrote it; ``None`` for the default.
        location: Where the rows are.
        home: Folder of caches.
        offline: Look at local files only.

    Raises:
        TaskAbsentError: where there are no rows of the task at all.
        UsageError: for an unknown split.
        TaskDataError: for data that cannot be had or is not what was pinned.
    """
    wanted = split_name(split) if split else default_split(task, location)
    if location.kind == "hub":
        from grue.data.hub_records import hub_records

        source = hub_source(task)
        check_split(task, source, wanted)
        records = hub_records(task.name, source, wanted, home=home, offline=offline)
        return SplitRecords(wanted, f"{source.id} ({wanted})", records, source.id, source.revision)
    file = rows_file(task, wanted, location)
    return SplitRecords(wanted, str(file), _checked(file))


def hub_source(task: Task) -> HubSource:
    """Where the task is published.

    Raises:
        TaskAbsentError: where it is not.
    """
    if task.source is None:
        raise TaskAbsentError(
            f"Task {task.name!r} is not published on the hub.",
            f"Give --data a folder that holds {task.name}/, or mini.",
        )
    return task.source


def check_split(task: Task, source: HubSource, split: str) -> None:
    """Refuse a split that the source does not have.

    Raises:
        UsageError: lists the splits.
    """
    if split not in source.files:
        raise UsageError(
            f"Task {task.name!r} has no split {split!r} on the hub.{nearest(split, source.files)}",
            f"Splits there: {', '.join(source.files)}.",
            place=source.id,
        )


def _checked(file: Traversable) -> Iterator[Record]:
    count = 0
    for record in _file_records(file):
        count += 1
        yield record
    if count == 0:
        raise TaskDataError(
            "The file holds no records.", "Put one JSON object on each line, or remove the file.", place=str(file)
        )


def _file_records(file: Traversable) -> Iterator[Record]:
    if not file.name.endswith(".parquet"):
        yield from read_jsonl(file)
        return
    if isinstance(file, Path):
        yield from read_parquet(file)
        return
    with as_file(file) as path:
        yield from read_parquet(path)
