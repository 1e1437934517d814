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
    """All pairs of entries on one task: their rows' covariances are made once, whoever leads."""

    def __init__(self, rows: Mapping[str, Scaled]) -> None:
        self._place = {key: index for index, key in enumerate(rows)}
        self._values = np.array([_value(one) for one in rows.values()])
        parts = np.array([_parts(one) for one in rows.values()])
        parts -= parts.mean(axis=1, keepdims=True)
        self._n_rows = parts.shape[1]
        self._covariance = parts @ parts.T / (self._n_rows - 1)
        self._variance = np.diagonal(self._covariance)

    def differences(self, leader: str, entries: Sequence[str]) -> _Differences:
        """Leader minus each entry; nothing where one of the two has no rows."""
        places = np.array([self._place.get(entry, -1) for entry in entries], dtype=np.intp)
        a = self._place.get(leader)
        if a is None:
            return _Differences(np.full(len(entries), np.nan), np.zeros(len(entries)), self._n_rows)
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
    if not rows:
        return {}
    n_tasks = len(next(iter(rows.values())))
    tasks = [_Pairs({key: found[place] for key, found in rows.items()}) for place in range(n_tasks)]
    seeds = {key: _seeds(found) for key, found in rows.items()}

    def p(leader: str, below: Sequence[str]) -> Floats:
        differences = [task.differences(leader, below) for task in tasks]
        return _p(differences, seeds[leader], [seeds[entry] for entry in below])

    return bands_by([key for key in order if key in rows], p)


def bands_of_places(order: Sequence[str], rows: Sequence[Mapping[str, Scaled]]) -> dict[str, int]:
    """The bands of an order by the mean of places.

    Args:
        order: Entries with a rank, best first; those without rows on any task are passed over.
        rows: For each task, entry -> its rows.
    """
    tasks = [(_Pairs(task), {key: _seeds((one,)) for key, one in task.items()}) for task in rows if task]

    def p(leader: str, below: Sequence[str]) -> Floats:
        scores = np.full((len(tasks), len(below)), np.nan)
        for place, (task, seeds) in enumerate(tasks):
            if leader in seeds:
                own = [seeds.get(entry, _ONE_SEED) for entry in below]
                scores[place] = _normal_scores(task.differences(leader, below), seeds[leader], own)
        n_known = (~np.isnan(scores)).sum(axis=0)
        z = np.nansum(scores, axis=0) / np.sqrt(np.maximum(1, n_known))
        found = [min(1.0, 2 * _NORMAL.cdf(-one)) if one > 0 else 1.0 for one in z.tolist()]
        return np.where(n_known > 0, found, np.nan)

    return bands_by([key for key in order if any(key in task for task in rows)], p)


def p_better(leader: Sequence[Scaled], entry: Sequence[Scaled]) -> float:
    """Two-sided p of the difference of two means over tasks; 1 where the leader is not ahead.

    Never below 2^(1 − rows), the least that exchanging the two on each row can give.

    Args:
        leader: Its rows on each task.
        entry: Those of another entry, tasks and rows in the same order.
    """
    pairs = [_Pairs({"leader": one, "entry": other}) for one, other in zip(leader, entry, strict=True)]
    differences = [pair.differences("leader", ["entry"]) for pair in pairs]
    return float(_p(differences, _seeds(leader), [_seeds(entry)])[0])


def _p(
    differences: Sequence[_Differences], leader: tuple[float, float], entries: Sequence[tuple[float, float]]
) -> Floats:
    """Two-sided p of the mean of the tasks' differences, shape (entries,); NaN where no task says anything."""
    values = np.array([one.values for one in differences])
    is_known = ~np.isnan(values)
    n_tasks = np.maximum(1, is_known.sum(axis=0))
    value = np.nansum(values, axis=0) / n_tasks
    parts = [(np.where(known, one.variances, 0.0) / n_tasks**2, one.n_rows - 1.0)
             for one, known in zip(differences, is_known, strict=True)]  # fmt: skip
    seeds = np.array(entries, dtype=np.float64).reshape(-1, 2)
    variance = sum((part for part, _ in parts), leader[0] + seeds[:, 0])
    squares = sum((part**2 / df for part, df in parts), leader[0] ** 2 / leader[1] + seeds[:, 0] ** 2 / seeds[:, 1])
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


def _normal_scores(
    difference: _Differences, leader: tuple[float, float], entries: Sequence[tuple[float, float]]
) -> Floats:
    """The tests of one task as normal deviates, above 0 where the leader is ahead; NaN where it says nothing."""
    towards = np.where(difference.values >= 0, 1.0, -1.0)
    p = _p([replace(difference, values=np.abs(difference.values))], leader, entries)
    halves = np.maximum(_LEAST_P, np.where(np.isnan(p), 1.0, p) / 2)
    return np.where(np.isnan(p), np.nan, -towards * [_NORMAL.inv_cdf(one) for one in halves.tolist()])
