"""Which entries are told apart: the leader of a band against each entry below it, paired over the same rows.

On a task the test is Student's paired t over the rows' parts in the two values (``EntryRows.parts``): for a mean of
rows it is SciPy's ``ttest_rel``, for a corpus metric its jackknife form. Over tasks the score's differences add up,
each task with its own rows. Where runs stand by the mean of their places, which is no score, the tasks' tests are
combined (Stouffer 1949). Several seeds add the variance of their mean, degrees of freedom after Welch and
Satterthwaite. Two-sided: the leader was chosen for being ahead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np

from grue.comparison.row_cache import EntryRows
from grue.core.metric import Floats
from grue.stats.bands import bands_by
from grue.stats.student import t_tails

_NORMAL = NormalDist()
_ROUNDING = 1e-13
_LEAST_P = 1e-15  # of a task, so that its normal score is finite
_ONE_SEED = (0.0, 1.0)  # no variance between seeds


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
class _Differences:
    """Leader minus each of several entries on one task, the variance of that over rows, and how many rows.

    Attributes:
        values: Shape (entries,); NaN where the task says nothing of the two.
    """

    values: Floats
    variances: Floats
    n_rows: int


class _Pairs:
    """All pairs of entries on one task: their rows' covariances are made once, whoever leads.

    Args:
        order: Entries; those without rows on the task may be among them.
        rows: Entry -> its rows.
    """

    def __init__(self, order: Sequence[str], rows: Mapping[str, Scaled]) -> None:
        known = [key for key in order if key in rows]
        places = {key: index for index, key in enumerate(known)}
        self._places = np.array([places.get(key, -1) for key in order], dtype=np.intp)
        self._values = np.array([_value(rows[key]) for key in known])
        parts = np.array([_parts(rows[key]) for key in known])
        parts -= parts.mean(axis=1, keepdims=True)
        self._n_rows = parts.shape[1]
        self._covariance = parts @ parts.T / (self._n_rows - 1)
        self._variance = np.diagonal(self._covariance)

    def differences(self, leader: int) -> _Differences:
        """The leader, by its place in the order, minus each entry after it."""
        a, places = int(self._places[leader]), self._places[leader + 1 :]
        if a < 0:
            return _Differences(np.full(len(places), np.nan), np.zeros(len(places)), self._n_rows)
        own = self._covariance[a, a] + self._variance[places]
        spread = own - 2 * self._covariance[a, places]
        # What is left of equal rows is rounding.
        variance = np.where(spread > _ROUNDING * own, spread / self._n_rows, 0.0)
        values = np.where(places < 0, np.nan, self._values[a] - self._values[places])
        return _Differences(values, variance, self._n_rows)


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
    known = [key for key in order if key in rows]
    if not known:
        return {}
    n_tasks = len(rows[known[0]])
    tasks = [_Pairs(known, {key: rows[key][place] for key in known}) for place in range(n_tasks)]
    seeds = np.array([_seeds(rows[key]) for key in known])

    def p(leader: int) -> Floats:
        return _p([task.differences(leader) for task in tasks], seeds[leader], seeds[leader + 1 :])

    return bands_by(known, p)


def bands_of_places(order: Sequence[str], rows: Sequence[Mapping[str, Scaled]]) -> dict[str, int]:
    """The bands of an order by the mean of places.

    Args:
        order: Entries with a rank, best first; those without rows on any task are passed over.
        rows: For each task, entry -> its rows.
    """
    known = [key for key in order if any(key in task for task in rows)]
    tasks = [
        (_Pairs(known, task), np.array([_seeds((task[key],)) if key in task else _ONE_SEED for key in known]))
        for task in rows
        if any(key in task for key in known)
    ]

    def p(leader: int) -> Floats:
        scores = np.array(
            [_normal_scores(task.differences(leader), seeds[leader], seeds[leader + 1 :]) for task, seeds in tasks]
        )
        n_known = (~np.isnan(scores)).sum(axis=0)
        z = np.nansum(scores, axis=0) / np.sqrt(np.maximum(1, n_known))
        found = [min(1.0, 2 * _NORMAL.cdf(-one)) if one > 0 else 1.0 for one in z.tolist()]
        return np.where(n_known > 0, found, np.nan)

    return bands_by(known, p)


def p_better(leader: Sequence[Scaled], entry: Sequence[Scaled]) -> float:
    """Two-sided p of the difference of two means over tasks; 1 where the leader is not ahead.

    Never below 2^(1 − rows), the least that exchanging the two on each row can give.

    Args:
        leader: Its rows on each task.
        entry: Those of another entry, tasks and rows in the same order.
    """
    order = ("leader", "entry")
    pairs = [_Pairs(order, dict(zip(order, both, strict=True))) for both in zip(leader, entry, strict=True)]
    seeds = np.array([_seeds(leader), _seeds(entry)])
    return float(_p([pair.differences(0) for pair in pairs], seeds[0], seeds[1:])[0])


def _p(differences: Sequence[_Differences], leader: Floats, entries: Floats) -> Floats:
    """Two-sided p of the mean of the tasks' differences; 1 where the leader is not ahead.

    Args:
        differences: One a task.
        leader: Variance of its mean over seeds, and degrees of freedom.
        entries: The same of each entry, shape (entries, 2).

    Returns:
        Shape (entries,); NaN where no task says anything.
    """
    values = np.array([one.values for one in differences])
    is_known = ~np.isnan(values)
    n_tasks = np.maximum(1, is_known.sum(axis=0))
    value = np.nansum(values, axis=0) / n_tasks
    parts: list[tuple[Floats, Any]] = [
        (np.where(known, one.variances, 0.0) / n_tasks**2, one.n_rows - 1.0)
        for one, known in zip(differences, is_known, strict=True)
    ]
    parts += [(entries[:, 0], entries[:, 1]), (np.full(len(entries), leader[0]), leader[1])]
    variance = np.sum([part for part, _ in parts], axis=0)
    squares = np.sum([part**2 / df for part, df in parts], axis=0)
    n_rows = np.sum([np.where(known, one.n_rows, 0) for one, known in zip(differences, is_known, strict=True)], axis=0)
    least = 2.0 ** (1 - np.minimum(1000, n_rows))
    p = np.where(value > 0, np.minimum(1.0, least), 1.0)
    tested = np.flatnonzero((value > 0) & (variance > 0))
    tails = t_tails(value[tested] / np.sqrt(variance[tested]), variance[tested] ** 2 / squares[tested])
    p[tested] = np.minimum(1.0, np.maximum(least[tested], 2 * tails))
    return np.where(is_known.any(axis=0), p, np.nan)


def _value(task: Scaled) -> float:
    return sum(factor * float(one.seeds.mean()) for factor, one in task.parts)


def _parts(task: Scaled) -> Floats:
    total: Floats = np.sum([factor * one.parts for factor, one in task.parts], axis=0)
    return total


def _seeds(tasks: Sequence[Scaled]) -> tuple[float, float]:
    """Variance of an entry's mean over seeds, with its degrees of freedom; a seed is one on all tasks."""
    n = min(len(one.seeds) for task in tasks for _, one in task.parts)
    if n < 2:
        return _ONE_SEED
    values = np.sum([factor * one.seeds[:n] for task in tasks for factor, one in task.parts], axis=0)
    return float(np.var(values / len(tasks), ddof=1)) / n, n - 1.0


def _normal_scores(difference: _Differences, leader: Floats, entries: Floats) -> Floats:
    """The tests of one task as normal deviates, above 0 where the leader is ahead; NaN where it says nothing."""
    towards = np.where(difference.values >= 0, 1.0, -1.0)
    p = _p([replace(difference, values=np.abs(difference.values))], leader, entries)
    halves = np.maximum(_LEAST_P, np.where(np.isnan(p), 1.0, p) / 2)
    return np.where(np.isnan(p), np.nan, -towards * [_NORMAL.inv_cdf(one) for one in halves.tolist()])
