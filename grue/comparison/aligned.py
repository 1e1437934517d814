"""One metric of two runs on the same rows in the same order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grue.comparison.columns import MetricRows
from grue.core.metric import Floats
from grue.stats.bootstrap import Column


@dataclass(frozen=True, slots=True)
class Aligned:
    """Two runs' columns, row for row.

    Attributes:
        ids: Rows that either run has a value for, sorted.
        baseline: Statistics of the baseline, shape (rows, k); a row without a value adds nothing.
        candidate: Of the candidate.
        baseline_values: Per-row values, shape (rows,), NaN where a row has none; ``None`` for a metric without.
        candidate_values: Of the candidate.
    """

    ids: tuple[str, ...]
    baseline: Column
    candidate: Column
    baseline_values: Floats | None
    candidate_values: Floats | None

    @property
    def is_equal(self) -> bool:
        """Whether every row has the same statistics in both."""
        return np.array_equal(self.baseline.statistics, self.candidate.statistics)


def aligned(baseline: MetricRows, candidate: MetricRows) -> Aligned | None:
    """Bring two runs' rows into one order.

    A metric may have no value for a prediction (an empty one has no perplexity), so that two runs of the same rows
    count different ones. Such a row stays, with statistics of 0: each column keeps the value that its run reports,
    and a row is drawn or exchanged as a whole.

    Returns:
        ``None`` where the runs have no row in common, or statistics of different widths.
    """
    if baseline.column.statistics.shape[1] != candidate.column.statistics.shape[1]:
        return None
    if baseline.ids == candidate.ids:
        return Aligned(baseline.ids, baseline.column, candidate.column, baseline.values, candidate.values)
    if not set(baseline.ids) & set(candidate.ids):
        return None
    ids = tuple(sorted({*baseline.ids, *candidate.ids}))
    place = {row: index for index, row in enumerate(ids)}
    columns, values = [], []
    for side in (baseline, candidate):
        at = np.fromiter((place[row] for row in side.ids), dtype=np.intp, count=len(side.ids))
        statistics = np.zeros((len(ids), side.column.statistics.shape[1]))
        statistics[at] = side.column.statistics
        columns.append(Column(statistics, side.column.corpus_value))
        spread = None
        if side.values is not None:
            spread = np.full(len(ids), np.nan)
            spread[at] = side.values
        values.append(spread)
    return Aligned(ids, columns[0], columns[1], values[0], values[1])
