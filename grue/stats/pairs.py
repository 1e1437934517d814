"""Two systems on the same rows, brought into one order, so that a result depends on neither the order of the rows
nor on which of the two systems is named first.

A seed draws positions, not rows. Rows are therefore sorted by what they hold, and the two systems put into a fixed
order by the sorted rows; whoever asks for the other order gets the same numbers with the sign flipped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from grue.core.metric import Floats
from grue.stats.bootstrap import Column

# Two values are one where they differ by less than this part of their size: sums of the same numbers in another order.
ROUNDING = 1e-12


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
        first, second = (float(self.corpus_value(part.sum(axis=0))) for part in (self.first, self.second))
        return (first, second) if self.sign else (first, first)

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
    kept, exchanged = _sorted(left, right), _sorted(right, left)
    sign = _compare(kept, exchanged)
    both = kept if sign >= 0 else exchanged
    width, k = left.shape[1], baseline.statistics.shape[1]
    first, second = both[:, :width], both[:, width:]
    return Pair(
        np.ascontiguousarray(first[:, :k]),
        np.ascontiguousarray(second[:, :k]),
        candidate.corpus_value,
        first[:, k] if has_rows else None,
        second[:, k] if has_rows else None,
        sign,
    )


def _with(statistics: Floats, rows: Floats | None) -> Floats:
    stacked: Floats = statistics if rows is None else np.column_stack((statistics, rows))
    return stacked


def _sorted(left: Floats, right: Floats) -> Floats:
    both = np.column_stack((left, right))
    ordered: Floats = both[np.lexsort(both.T[::-1])]
    return ordered


def _compare(kept: Floats, exchanged: Floats) -> int:
    differ = np.flatnonzero(np.not_equal(kept, exchanged).ravel() & ~(np.isnan(kept) & np.isnan(exchanged)).ravel())
    if not len(differ):
        return 0
    return 1 if kept.ravel()[differ[0]] < exchanged.ravel()[differ[0]] else -1
