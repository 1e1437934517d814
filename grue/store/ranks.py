"""The rank of every run in every metric of a board, without a value for each number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grue.core.metric import Floats
from grue.stats.ranking import shared_ranks
from grue.store.suites import VALUE
from grue.store.values import Board, TaskBoard


@dataclass(frozen=True, slots=True)
class MetricRanks:
    """Where runs stand in one metric of one task, among those with the most common comparison key.

    Attributes:
        run_ids: The runs with a value, yardsticks left out.
        ranks: Shape (runs,), from 1, shared by equal values.
    """

    task: str
    metric: str
    run_ids: NDArray[np.str_]
    ranks: NDArray[np.int64]


def ranks_of(board: Board) -> Iterator[MetricRanks]:
    """Rank the runs of a board by every metric that has a direction, tasks and metrics in the board's order."""
    ranked = [run_id for run_id, run in board.runs.items() if not run.is_yardstick]
    for task in board.tasks.values():
        yield from _of_task(task, np.array(ranked))


def _of_task(task: TaskBoard, ranked: NDArray[np.str_]) -> Iterator[MetricRanks]:
    ids = [np.array(block.run_ids) for block in task.blocks]
    rows = [np.isin(found, ranked) for found in ids]
    groups: dict[str, dict[tuple[object, ...], list[int]]] = {}
    columns: dict[tuple[int, str], tuple[int, bool]] = {}
    for number, block in enumerate(task.blocks):
        for index, (name, signature, _, higher_is_better, _, _) in enumerate(block.suite.metrics):
            if higher_is_better is not None:
                groups.setdefault(name, {}).setdefault((*block.asked.rows_key, signature), []).append(number)
                columns[number, name] = (index, higher_is_better)
    for metric in task.metrics:
        found = []
        for key, numbers in groups.get(metric, {}).items():
            parts = [(number, *columns[number, metric]) for number in numbers]
            values = np.concatenate([task.blocks[n].numbers[rows[n], index, VALUE] for n, index, _ in parts])
            of_ids = np.concatenate([ids[n][rows[n]] for n, _, _ in parts])
            known = np.isfinite(values)
            found.append((int(known.sum()), str(key), of_ids[known], values[known], parts[0][2]))
        n_runs, _, run_ids, usual, direction = max(found, key=lambda one: one[:2], default=_NOTHING)
        if n_runs:
            yield MetricRanks(task.task, metric, run_ids, shared_ranks(usual, higher_is_better=direction))


_NOTHING: tuple[int, str, NDArray[np.str_], Floats, bool] = (0, "", np.array([], dtype=np.str_), np.array([]), True)
