"""Loading a task's rows for the checks: which splits there are, and whether loading can be repeated."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from grue.core.errors import GrueError
from grue.core.rows import Row
from grue.core.task import Suite, Task
from grue.data.folder import rows_file, split_files
from grue.data.location import DataLocation, TaskAbsentError
from grue.data.split import load_split
from grue.testing.problems import Problem

Rows = tuple[Row, ...]


def find_splits(task: Task, location: DataLocation) -> list[str]:
    """Names of the splits that have a file; none where the location does not have the task."""
    try:
        return list(split_files(task, location))
    except TaskAbsentError:
        return []


def load_rows(task: Task, suite: Suite, split: str, location: DataLocation, home: Path) -> Rows | Problem:
    """The rows of a split in id order, or the problem that kept them from loading."""
    try:
        return load_split(task, suite, split, location, home=home, offline=True).rows
    except GrueError as error:
        fix = error.fix or "Mend the record, or the rows function that reads it."
        return Problem("rows", error.cause, fix, error.place or split)
    except (TypeError, ValueError, AttributeError) as error:
        # The rows came, but cannot be sorted or fingerprinted: some value in them is of a wrong type.
        return Problem(
            "rows",
            f"The rows cannot be fingerprinted: {type(error).__name__}: {error}.",
            "Row(id=str, prompt=str, references=tuple of str, inputs=JSON values).",
            split,
        )


def check_repeatable(
    task: Task, suite: Suite, split: str, location: DataLocation, home: Path, rows: Rows, place: str
) -> Iterator[Problem]:
    """Loading twice gives the same rows, and records in another order the same ids."""
    again = load_rows(task, suite, split, location, home)
    if isinstance(again, Problem):
        yield again
    elif difference := _difference(rows, again):
        yield Problem(
            "repeatable",
            f"Loading the split twice gave different rows: {difference}.",
            "Make rows(records) depend on its records alone: no random numbers, clock, or state between calls.",
            place,
        )
        return
    yield from _order(task, suite, split, location, home, rows, place)


def _order(
    task: Task, suite: Suite, split: str, location: DataLocation, home: Path, rows: Rows, place: str
) -> Iterator[Problem]:
    """Ids must not count lines: the same records in reverse order give the same ids for the same prompts."""
    text = _lines(task, split, location)
    if text is None:
        return
    folder = home / "reversed"
    (folder / task.name).mkdir(parents=True, exist_ok=True)
    file = folder / task.name / f"{split}.jsonl"
    file.write_bytes(b"\n".join(reversed(text.splitlines())) + b"\n")
    turned = load_rows(task, suite, split, DataLocation("folder", folder), home)
    if isinstance(turned, Problem):
        return  # the split itself loads: only its order is at fault, and that is no part of the contract
    before, after = ({(row.id, row.prompt) for row in found} for found in (rows, turned))
    if before != after:
        identifier = min(identifier for identifier, _ in before ^ after)
        yield Problem(
            "ids",
            f"Ids change with the order of the records; one is {identifier}.",
            "Use the data set's own id, or grue.core.text.content_id of what makes the row.",
            place,
        )


def _lines(task: Task, split: str, location: DataLocation) -> bytes | None:
    """The bytes of a plain JSONL file; other files are not turned round."""
    file = rows_file(task, split, location)
    return file.read_bytes() if file.name.endswith(".jsonl") else None


def _difference(first: Rows, second: Rows) -> str:
    """Where two loads differ, in words; empty where they do not."""
    if len(first) != len(second):
        return f"{len(first)} rows, then {len(second)}"
    for one, two in zip(first, second, strict=True):
        for field in ("id", "prompt", "references", "inputs"):
            if getattr(one, field) != getattr(two, field):
                return f"the {field} of row {one.id}"
    return ""
