"""How much an order rests on how metrics are weighed: who is first under random weightings of the primary metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from grue.comparison.standings_runs import BoardRun
from grue.comparison.standings_task import TaskBoard
from grue.stats.weighting import WEIGHTINGS, first_shares


@dataclass(frozen=True, slots=True)
class Robustness:
    """Who is first how often.

    Attributes:
        metrics: Task and primary metric of each weight.
        shares: Entry id -> share of the weightings under which it is first, 0 to 1; without entries left out.
        left_out: Entry id -> what it lacks.
        n_weightings: Weightings drawn, uniform over all that sum to 1.
    """

    metrics: tuple[tuple[str, str], ...]
    shares: Mapping[str, float]
    left_out: Mapping[str, str]
    n_weightings: int


def robustness(entries: Sequence[BoardRun], tasks: Mapping[str, TaskBoard]) -> Robustness | None:
    """Weigh the primary metrics at random, each between its floor (0) and ceiling (1).

    An entry that lacks one of the metrics that others have is left out: nothing is imputed.

    Args:
        entries: Those that are ranked.
        tasks: The tasks, ranked.

    Returns:
        ``None`` with fewer than two entries or two metrics to weigh.
    """
    found = {entry.id: _scores(entry, tasks) for entry in entries}
    counts: dict[tuple[str, str], int] = {}
    for scores in found.values():
        for key in scores:
            counts[key] = counts.get(key, 0) + 1
    metrics = tuple(counts)
    left_out = {
        key: ", ".join(f"{metric} on {task}" for task, metric in metrics if (task, metric) not in scores)
        for key, scores in found.items()
        if any(metric not in scores for metric in metrics)
    }
    kept = [key for key in found if key not in left_out]
    if len(kept) < 2 or len(metrics) < 2:
        return None
    table = np.array([[found[key][metric] for metric in metrics] for key in kept])
    shares = first_shares(table)
    return Robustness(metrics, dict(zip(kept, shares.tolist(), strict=True)), left_out, WEIGHTINGS)


def _scores(entry: BoardRun, tasks: Mapping[str, TaskBoard]) -> dict[tuple[str, str], float]:
    out = {}
    for name, board in tasks.items():
        one = board.entries.get(entry.id)
        if one is None or one.differs:
            continue
        standing = one.result.standing
        for metric in one.result.primary:
            score = one.result.scores.get(metric)
            floor, ceiling = standing.floor.get(metric), standing.ceiling.get(metric)
            if score is None or score.value is None or floor is None or ceiling is None or floor == ceiling:
                continue
            out[name, metric] = (score.value - floor) / (ceiling - floor)
    return out
