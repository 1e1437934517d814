from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from grue.core.record import Record
from grue.core.rows import Row, number_repeats
from grue.core.task import Suite, Task

Columns = Mapping[str, Any]
BuildRows = Callable[..., list[Row]]


def _task(name: str) -> Task:
    task: Task = importlib.import_module(f"grue_tasks.{name}").TASK
    return task


@pytest.fixture(scope="session")
def task() -> Callable[[str], Task]:
    return _task


@pytest.fixture(scope="session")
def suite() -> Callable[..., Suite]:
    """The suite of a task, with single quirks active."""
    return lambda name, *quirks: _task(name).suite(frozenset(quirks))


@pytest.fixture(scope="session")
def build_rows() -> BuildRows:
    """Rows of a task from records' columns; places are ``file.jsonl:1`` and so on."""

    def build(name: str, records: Iterable[Columns], *quirks: str) -> list[Row]:
        placed = [Record(columns, f"file.jsonl:{number}") for number, columns in enumerate(records, 1)]
        return list(_task(name).suite(frozenset(quirks)).rows(placed))

    return build


@pytest.fixture(scope="session")
def real_columns(material: Path) -> Callable[[str], list[Columns]]:
    """Columns of all records of a file of the test material."""

    def read(name: str) -> list[Columns]:
        text = (material / "data" / name).read_text(encoding="utf-8")
        return [json.loads(line) for line in text.split("\n") if line]

    return read


@pytest.fixture(scope="session")
def real_rows(real_columns: Callable[[str], list[Columns]], build_rows: BuildRows) -> BuildRows:
    """Rows of a file of the test material, repeated ids numbered where the task wants it."""

    def read(task: str, file: str, *quirks: str) -> list[Row]:
        rows = build_rows(task, real_columns(file), *quirks)
        return number_repeats(rows) if _task(task).repeated_ids == "number" else rows

    return read
