"""Runs whose rows are given: what standings are checked on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from grue.comparison.standings_runs import BoardRun, board_run
from grue.comparison.standings_task import TaskBoard
from grue.runs.read import read_run
from tests.site.fake_runs import FakeTask, write_run

Rows = Sequence[float]


def of_rows(rows: Rows, metric: str = "rougeLsum", **more: Any) -> FakeTask:
    """A task with one metric, the mean of its rows."""
    return FakeTask(
        values={metric: sum(rows) / len(rows)},
        primary=(metric,),
        by_row={metric: rows},
        per_sample=(),
        n_rows=len(rows),
        **more,
    )


def run_of(folder: Path, name: str, tasks: Mapping[str, FakeTask], run_id: str = "", **more: Any) -> BoardRun:
    """A run as the board reads it; its id is its name in capitals."""
    return board_run(read_run(write_run(folder, run_id or name.upper().replace(":", "-"), name, tasks, **more)))


def standing(board: TaskBoard) -> dict[str, tuple[int | None, tuple[int, int] | None, int | None]]:
    """Name -> rank, its interval, band, in the order shown."""
    return {entry.run.name: (entry.rank, entry.rank_ci95, entry.band) for entry in board.entries.values()}
