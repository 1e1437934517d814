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
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from grue.comparison.standings_rows import EntryRows
from grue.core.metric import Floats
from grue.stats.bands import bands
from grue.stats.student import t_tail

_NORMAL = NormalDist()
_ROUNDING = 1e-13
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
    """Leader minus entry on one task: its value, the variance of that over rows, and how many rows."""

    value: float
    variance: float
    n_rows: int


class _Pairs:
    """All pairs of entries on one task: their rows' covariances are made once, whoever leads."""

    def __init__(self, rows: Mapping[str, Scaled]) -> None:
        self._place = {key: index for index, key in enumerate(rows)}
        self._values = np.array([_value(one) for one in rows.values()])
        parts = np.array([_parts(one) for one in rows.values()])
        parts -= parts.mean(axis=1, keepdims=True)
        self._n_rows = parts.shape[1]
        self._covariance = parts @ parts.T / (self._n_rows - 1)

    def difference(self, leader: str, entry: str) -> _Difference | None:
        """``None`` where one of them has no rows."""
        if leader not in self._place or entry not in self._place:
            return None
        a, b = self._place[leader], self._place[entry]
        own = self._covariance[a, a] + self._covariance[b, b]
        spread = float(own - 2 * self._covariance[a, b])
        # What is left of equal rows is rounding.
        variance = spread / self._n_rows if spread > _ROUNDING * own else 0.0
        return _Difference(float(self._values[a] - self._values[b]), variance, self._n_rows)


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
    if not rows:
        return {}
    n_tasks = len(next(iter(rows.values())))
    tasks = [_Pairs({key: found[place] for key, found in rows.items()}) for place in range(n_tasks)]
    seeds = {key: _seeds(found) for key, found in rows.items()}

    def p(leader: str, entry: str) -> float:
        differences = [found for task in tasks if (found := task.difference(leader, entry)) is not None]
        return _p(differences, (seeds[leader], seeds[entry]))

    return bands([key for key in order if key in rows], p)


def bands_of_places(order: Sequence[str], rows: Sequence[Mapping[str, Scaled]]) -> dict[str, int]:
    """The bands of an order by the mean of places.

    Args:
        order: Entries with a rank, best first; those without rows on any task are passed over.
        rows: For each task, entry -> its rows.
    """
    tasks = [(_Pairs(task), {key: _seeds((one,)) for key, one in task.items()}) for task in rows if task]

    def p(leader: str, entry: str) -> float | None:
        scores = [
            _normal_score(found, (seeds[leader], seeds[entry]))
            for task, seeds in tasks
            if (found := task.difference(leader, entry)) is not None
        ]
        if not scores:
            return None
        z = sum(scores) / math.sqrt(len(scores))
        return min(1.0, 2 * _NORMAL.cdf(-z)) if z > 0 else 1.0

    return bands([key for key in order if any(key in task for task in rows)], p)


def p_better(leader: Sequence[Scaled], entry: Sequence[Scaled]) -> float:
    """Two-sided p of the difference of two means over tasks; 1 where the leader is not ahead.

    Never below 2^(1 − rows), the least that exchanging the two on each row can give.

    Args:
        leader: Its rows on each task.
        entry: Those of another entry, tasks and rows in the same order.
    """
    pairs = [_Pairs({"leader": one, "entry": other}) for one, other in zip(leader, entry, strict=True)]
    differences = [found for pair in pairs if (found := pair.difference("leader", "entry")) is not None]
    return _p(differences, (_seeds(leader), _seeds(entry)))


def _p(differences: Sequence[_Difference], seeds: Sequence[tuple[float, float]]) -> float:
    n_tasks = len(differences)
    value = sum(one.value for one in differences) / n_tasks
    if value <= 0:
        return 1.0
    known = [(one.variance / n_tasks**2, one.n_rows - 1.0) for one in differences] + list(seeds)
    variance = sum(part for part, _ in known)
    least = 2.0 ** (1 - min(1000, sum(one.n_rows for one in differences)))
    if variance <= 0:
        return min(1.0, least)
    freedom = variance**2 / sum(part**2 / df for part, df in known if part > 0)
    return min(1.0, max(least, 2 * t_tail(value / math.sqrt(variance), freedom)))


def _value(task: Scaled) -> float:
    return sum(factor * float(one.seeds.mean()) for factor, one in task.parts)


def _parts(task: Scaled) -> Floats:
    total: Floats = np.sum([factor * one.parts for factor, one in task.parts], axis=0)
    return total


def _seeds(tasks: Sequence[Scaled]) -> tuple[float, float]:
    """Variance of an entry's mean over seeds, with its degrees of freedom; a seed is one on all tasks."""
    n = min(len(one.seeds) for task in tasks for _, one in task.parts)
    if n < 2:
        return 0.0, 1.0
    values = np.sum([factor * one.seeds[:n] for task in tasks for factor, one in task.parts], axis=0)
    return float(np.var(values / len(tasks), ddof=1)) / n, n - 1.0


def _normal_score(difference: _Difference, seeds: Sequence[tuple[float, float]]) -> float:
    """The test of one task as a normal deviate, above 0 where the leader is ahead."""
    towards = 1.0 if difference.value >= 0 else -1.0
    p = _p([replace(difference, value=abs(difference.value))], seeds)
    return -towards * _NORMAL.inv_cdf(max(_LEAST_P, p / 2))
