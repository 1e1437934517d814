"""The rows of one split of one task, read, checked, counted and fingerprinted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from grue.core.errors import GrueError, TaskContractError, TaskDataError
from grue.core.record import Record
from grue.core.rows import Row, data_sha256, number_repeats, prompts_sha256, split_name, subset
from grue.core.run import DataInfo
from grue.core.task import Suite, Task
from grue.data.folder import embedded_file, folder_file
from grue.data.jsonl import read_jsonl
from grue.data.location import DataLocation
from grue.data.parquet import read_parquet


@dataclass(frozen=True, slots=True)
class SplitData:
    """Rows that a run evaluates, in id order, and what the manifest says of them."""

    rows: tuple[Row, ...]
    split: str
    info: DataInfo
    prompts_sha256: str


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
    """Read a split.

    Args:
        task: The task.
        suite: The suite of the profile in force.
        split: Name of the split; ``None`` takes the default of the location.
        location: Where to read.
        home: Folder of caches.
        limit: Rows of the subset; ``None`` for all.
        offline: Look at local files only.

    Raises:
        TaskAbsentError: where the location has no rows of the task at all.
        TaskDataError: for a fault in the data.
        TaskContractError: where the task's code raises something else.
    """
    name = split_name(split or default_split(task, location))
    watched = _Watched(_records(task, name, location, home=home, offline=offline))
    rows = _identified(task, _rows(task, suite, watched))
    if not rows:
        raise TaskDataError(
            f"Split {name!r} of task {task.name!r} has no rows.", "Check the file.", place=watched.place
        )
    chosen = tuple(subset(rows, limit))
    source = task.source if location.kind == "hub" else None
    info = DataInfo(
        source=location.kind,
        id=source.id if source else None,
        revision=source.revision if source else None,
        sha256=data_sha256(chosen),
        rows=len(rows),
    )
    return SplitData(chosen, name, info, prompts_sha256(chosen))


def default_split(task: Task, location: DataLocation) -> str:
    """The split that is evaluated where the user names none."""
    return task.source.default_split if location.kind == "hub" and task.source else "test"


def _records(task: Task, split: str, location: DataLocation, *, home: Path, offline: bool) -> Iterator[Record]:
    if location.kind == "hub":
        from grue.data.hub import hub_records

        return hub_records(task, split, home=home, offline=offline)
    path = folder_file(task, split, location.path) if location.path else embedded_file(task, split)
    name = f"{path.parent.name}/{path.name}" if location.path is None else str(path)
    return read_parquet(path, name) if path.suffix == ".parquet" else read_jsonl(path, name)


class _Watched:
    """Records on their way to a task; remembers the place of the last one, for errors of the task's own."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._records = records
        self.place = ""

    def __iter__(self) -> Iterator[Record]:
        for record in self._records:
            self.place = record.place
            yield record


def _rows(task: Task, suite: Suite, watched: _Watched) -> list[tuple[Row, str]]:
    rows = []
    try:
        for row in suite.rows(watched):
            rows.append((row, watched.place))
    except GrueError:
        raise
    except Exception as error:
        raise TaskContractError(
            f"Task {task.name!r} raised while building rows: {type(error).__name__}: {error}",
            "Mend the task's rows function, or the record.",
            place=watched.place,
        ) from error
    return rows


def _identified(task: Task, rows: list[tuple[Row, str]]) -> list[Row]:
    first: dict[str, str] = {}
    for row, place in rows:
        if not isinstance(row, Row) or not isinstance(row.id, str) or not row.id or not isinstance(row.prompt, str):
            raise TaskContractError(
                f"Task {task.name!r} gave {row!r:.80} where a Row with id and prompt belongs.",
                "Mend the task's rows function.",
                place=place,
            )
        if row.id in first and task.repeated_ids == "refuse":
            raise TaskDataError(
                f"Id {row.id!r} occurs again; it stood first at {first[row.id]}.", "Give each row one id.", place=place
            )
        first.setdefault(row.id, place)
    return number_repeats(row for row, _ in rows)
