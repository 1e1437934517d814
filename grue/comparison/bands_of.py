"""Which entries are told apart: the leader of a band against each entry below it, paired over the same rows.

On a task the test is Student's paired t over the rows' parts in the two values (``EntryRows.parts``): for a mean of
rows it is SciPy's ``ttest_rel``, for a corpus metric its jackknife form. Over tasks the score's differences add up,
each task with its own rows. Where runs stand by the mean of their places, which is no score, the tasks' tests are
combined (Stouffer 1949). Several seeds add the variance of their mean, degrees of freedom after Welch and
Satterthwaite. Two-sided: the leader was chosen for being ahead.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from grue.comparison.standings_rows import EntryRows
from grue.stats.bands import bands
from grue.stats.student import t_tail

_NORMAL = NormalDist()
_LEAST_P = 1e-15  # of a task, so that its normal score is finite


def band_letter(band: int) -> str:
    """A band as it is shown: A to Z, then AA."""
    letters = ""
    while band > 0:
        band, rest = divmod(band - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


@dataclass(frozen=True, slots=True)
class Scaled:
    """An entry's rows on one task, on a scale where higher is better.

    Attributes:
        parts: Metrics with their factors, which add up.
        offset: What is added to their sum.
    """

    parts: tuple[tuple[float, EntryRows], ...]
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class _Difference:
    """Leader minus entry on one task: its value and variance over rows, and what its seeds add."""

    value: float
    variance: float
    n_rows: int


def bands_on_rows(order: Sequence[str], rows: Mapping[str, Scaled]) -> dict[str, int]:
    """The bands of one task.

    Args:
        order: Entries with a rank, best first; those without rows are passed over.
        rows: Entry -> its rows.
    """
    return bands_over_tasks(order, {key: (one,) for key, one in rows.items()})


def bands_over_tasks(order: Sequence[str], rows: Mapping[str, Sequence[Scaled]]) -> dict[str, int]:
    """The bands of a score that is the mean of the tasks' values.

    Args:
        order: Entries with a rank, best first; those without rows are passed over.
        rows: Entry -> its rows on each task, the tasks in one order.
    """

    def p(leader: str, entry: str) -> float:
        return p_better(rows[leader], rows[entry])

    return bands([key for key in order if key in rows], p)


def bands_of_places(order: Sequence[str], rows: Sequence[Mapping[str, Scaled]]) -> dict[str, int]:
    """The bands of an order by the mean of places.

    Args:
        order: Entries with a rank, best first; those without rows on any task are passed over.
        rows: For each task, entry -> its rows.
    """

    def p(leader: str, entry: str) -> float | None:
        scores = [_normal_score((task[leader],), (task[entry],)) for task in rows if leader in task and entry in task]
        if not scores:
            return None
        z = sum(scores) / math.sqrt(len(scores))
        return min(1.0, 2 * (1 - _NORMAL.cdf(z))) if z > 0 else 1.0

    return bands([key for key in order if any(key in task for task in rows)], p)


def p_better(leader: Sequence[Scaled], entry: Sequence[Scaled]) -> float:
    """Two-sided p of the difference of two means over tasks; 1 where the leader is not ahead.

    Never below 2^(1 − rows), the least that exchanging the two on each row can give.
    """
    differences = [_difference(one, other) for one, other in zip(leader, entry, strict=True)]
    n_tasks = len(differences)
    value = sum(one.value for one in differences) / n_tasks
    if value <= 0:
        return 1.0
    known = [(one.variance / n_tasks**2, one.n_rows - 1.0) for one in differences]
    known += [_seeds(some) for some in (leader, entry)]
    variance = sum(part for part, _ in known)
    least = 2.0 ** (1 - min(1000, sum(one.n_rows for one in differences)))
    if variance <= 0:
        return min(1.0, least)
    freedom = variance**2 / sum(part**2 / df for part, df in known if part > 0)
    return min(1.0, max(least, 2 * t_tail(value / math.sqrt(variance), freedom)))


def _difference(leader: Scaled, entry: Scaled) -> _Difference:
    apart = sum(
        factor * (one.parts - other.parts) for (factor, one), (_, other) in zip(leader.parts, entry.parts, strict=True)
    )
    value = sum(
        factor * float(one.seeds.mean() - other.seeds.mean())
        for (factor, one), (_, other) in zip(leader.parts, entry.parts, strict=True)
    )
    n = len(np.asarray(apart))
    return _Difference(value, float(np.var(apart, ddof=1)) / n, n)


def _seeds(tasks: Sequence[Scaled]) -> tuple[float, float]:
    """Variance of an entry's mean over seeds, with its degrees of freedom; a seed is one on all tasks."""
    n = min(len(one.seeds) for task in tasks for _, one in task.parts)
    if n < 2:
        return 0.0, 1.0
    values = sum(factor * one.seeds[:n] for task in tasks for factor, one in task.parts)
    return float(np.var(np.asarray(values) / len(tasks), ddof=1)) / n, n - 1.0


def _normal_score(leader: Sequence[Scaled], entry: Sequence[Scaled]) -> float:
    """The test of one task as a normal deviate, above 0 where the leader is ahead."""
    ahead = p_better(leader, entry)
    if ahead < 1.0:
        return -_NORMAL.inv_cdf(max(_LEAST_P, ahead / 2))
    behind = p_better(entry, leader)
    return _NORMAL.inv_cdf(max(_LEAST_P, behind / 2))
