"""The rows of a task that moved most between two runs, with both texts."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from grue.comparison.aligned import Aligned
from grue.comparison.values import Moved, MovedRow
from grue.runs.read import StoredRun

ROWS_MOVED = 20
_ROUNDING = 1e-12


def moved(
    baseline: StoredRun,
    candidate: StoredRun,
    task: str,
    by_row: Mapping[str, Aligned],
    metric: str,
    higher_is_better: bool | None,
) -> Moved | None:
    """The twenty rows that moved most in each direction; rows that did not move are none of them.

    Args:
        baseline: The first run.
        candidate: The other.
        task: A task of both.
        by_row: Metric -> rows of both.
        metric: By which rows moved; one with values by row.
        higher_is_better: The metric's direction; without one, upwards stands first.

    Returns:
        ``None`` where the metric has no values by row.
    """
    found = by_row.get(metric)
    left_values, right_values = (found.baseline_values, found.candidate_values) if found else (None, None)
    if found is None or left_values is None or right_values is None:
        return None
    apart = right_values - left_values
    better = -apart if higher_is_better is False else apart
    size = max(1.0, float(np.abs(left_values[np.isfinite(apart)]).max(initial=0.0)))
    known = np.flatnonzero(np.isfinite(apart) & (np.abs(apart) > _ROUNDING * size))
    # A stable sort keeps rows that moved alike in the order of their ids.
    upwards = known[np.argsort(-better[known], kind="stable")]
    downwards = known[np.argsort(better[known], kind="stable")]
    ups = [int(at) for at in upwards[:ROWS_MOVED] if better[at] > 0]
    downs = [int(at) for at in downwards[:ROWS_MOVED] if better[at] < 0]
    ids = {found.ids[at] for at in (*ups, *downs)}
    ours, theirs = _texts(baseline, task, ids), _texts(candidate, task, ids)

    def row(at: int) -> MovedRow:
        left, right = ours[found.ids[at]], theirs[found.ids[at]]
        return MovedRow(
            id=found.ids[at],
            difference=float(apart[at]),
            baseline=float(left_values[at]),
            candidate=float(right_values[at]),
            prompt=left.prompt,
            references=left.references,
            baseline_texts=tuple(left.predictions),
            candidate_texts=tuple(right.predictions),
        )

    return Moved(metric, higher_is_better, tuple(map(row, ups)), tuple(map(row, downs)))


@dataclass(frozen=True, slots=True)
class _Row:
    prompt: str
    references: tuple[str, ...]
    predictions: list[str]


def _texts(run: StoredRun, task: str, ids: Collection[str]) -> dict[str, _Row]:
    table = run.samples(task, ["id", "references", "inputs", "prediction"], ids=ids)
    rows: dict[str, _Row] = {}
    for line in table.to_pylist():
        known = rows.get(line["id"])
        if known is None:
            prompt = str(json.loads(line["inputs"]).get("prompt", ""))
            rows[line["id"]] = _Row(prompt, tuple(line["references"] or ()), [line["prediction"]])
        else:
            known.predictions.append(line["prediction"])
    return rows
