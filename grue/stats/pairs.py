"""Two systems on the same rows, brought into one order, so that a result depends on neither the order of the rows
nor on which of the two systems is named first.

A seed draws positions, not rows. Rows are therefore sorted by a hash of what they hold, and the two systems put into
an order that follows from the sorted rows; whoever asks for the other gets the same numbers with the sign flipped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from grue.core.metric import Floats
from grue.stats.bootstrap import Column

# Two values are one where they differ by less than this part of their size: sums of the same numbers in another order.
ROUNDING = 1e-12
_KEYS_SEED = 1
_Keys = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two systems in canonical order.

    Attributes:
        first: Statistics of the first, shape (rows, k).
        second: Statistics of the second on the same rows.
        corpus_value: Sums, shape (..., k) -> values, shape (...).
        rows_first: Per-row values, shape (rows,); ``None`` where there are none.
        sign: 1 where ``second`` is the candidate, -1 where it is the baseline; 0 where exchanging the two gives the
            very same rows, so that no difference can exist.
    """

    first: Floats
    second: Floats
    corpus_value: Callable[[Floats], Floats]
    rows_first: Floats | None
    rows_second: Floats | None
    sign: int

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.first)

    def values(self) -> tuple[float, float]:
        """The values of the first and of the second on all rows."""
        if not self.n:
            return float("nan"), float("nan")
        first, second = (float(self.corpus_value(part.sum(axis=0))) for part in (self.first, self.second))
        return (first, second) if self.sign else (first, first)

    def difference(self) -> float:
        """Second minus first."""
        first, second = self.values()
        return second - first

    def oriented(self, interval: tuple[float, float] | None) -> tuple[float, float] | None:
        """An interval for second minus first as one for candidate minus baseline."""
        if interval is None or self.sign > 0:
            return interval
        low, high = interval
        if self.sign < 0:
            return 0.0 - high, 0.0 - low  # never a negative zero
        reach = max(0.0 - low, high)
        return 0.0 - reach, reach

    def rounding(self) -> float:
        """Differences smaller than this are rounding."""
        return ROUNDING * sum(map(abs, self.values()))


def pair_of(
    baseline: Column, candidate: Column, rows_baseline: Floats | None = None, rows_candidate: Floats | None = None
) -> Pair:
    """The two systems in canonical order.

    Args:
        baseline: Statistics of the baseline.
        candidate: Statistics of the candidate on the same rows in the same order, of the same metric.
        rows_baseline: Its values per row, shape (rows,).
        rows_candidate: Those of the candidate.

    Raises:
        ValueError: where the shapes differ.
    """
    sizes = {baseline.statistics.shape, candidate.statistics.shape}
    lengths = {len(rows) for rows in (rows_baseline, rows_candidate) if rows is not None}
    if len(sizes) > 1 or lengths - {len(baseline.statistics)}:
        raise ValueError(f"two systems are compared on the same rows, not on shapes {sorted(sizes)}")
    has_rows = rows_baseline is not None and rows_candidate is not None
    left = _with(baseline.statistics, rows_baseline if has_rows else None)
    right = _with(candidate.statistics, rows_candidate if has_rows else None)
    keys, exchanged = _keys(left, right), _keys(right, left)
    sign = _compare(np.sort(keys), np.sort(exchanged))
    if sign < 0:
        left, right, keys = right, left, exchanged
    order = np.argsort(keys, kind="stable")
    k = baseline.statistics.shape[1]
    return Pair(
        left[order, :k],
        right[order, :k],
        candidate.corpus_value,
        left[order, k] if has_rows else None,
        right[order, k] if has_rows else None,
        sign,
    )


def _with(statistics: Floats, rows: Floats | None) -> Floats:
    stacked: Floats = statistics if rows is None else np.column_stack((statistics, rows))
    return stacked


def _keys(left: Floats, right: Floats) -> _Keys:
    """A 64-bit hash of each row: equal rows have equal keys, and others for all practical purposes do not."""
    bits = (np.column_stack((left, right)) + 0.0).view(np.uint64)  # adding 0 turns a negative zero into zero
    for shift in (32, 16):  # small whole numbers differ in their highest bits alone
        bits ^= bits >> np.uint64(shift)
    multipliers = np.random.default_rng(_KEYS_SEED).integers(0, 2**64, size=bits.shape[1], dtype=np.uint64)
    keys: _Keys = (bits * (multipliers | np.uint64(1))).sum(axis=1, dtype=np.uint64)
    return keys


def _compare(kept: _Keys, exchanged: _Keys) -> int:
    differ = np.flatnonzero(kept != exchanged)
    if not len(differ):
        return 0
    return 1 if kept[differ[0]] < exchanged[differ[0]] else -1
