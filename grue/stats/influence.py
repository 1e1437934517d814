"""What each row does to a difference: the jackknife's pseudo-values (Efron & Stein 1981), without random draws.

For a mean they are the rows' differences themselves; for a corpus metric they are its differences to first order, and
their spread over the root of the number of rows is the standard error of the corpus difference.
"""

from __future__ import annotations

import numpy as np

from grue.core.metric import Floats
from grue.stats.bootstrap import Column


def pseudo_differences(baseline: Column, candidate: Column) -> Floats | None:
    """Each row's part in candidate minus baseline.

    Args:
        baseline: Statistics of the baseline by row.
        candidate: Of the candidate, the same rows in the same order.

    Returns:
        Shape (rows,); ``None`` for fewer than two rows, or where a value without one of the rows is not defined.
    """
    n_rows = len(baseline.statistics)
    if n_rows < 2:
        return None
    parts = []
    for column in (candidate, baseline):
        total = column.statistics.sum(axis=0)
        without = np.asarray(column.corpus_value(total - column.statistics), dtype=np.float64)
        parts.append(n_rows * float(column.corpus_value(total)) - (n_rows - 1) * without)
    # A row on which both have equal statistics must not differ by rounding.
    apart: Floats = parts[0] - parts[1]
    return apart if np.isfinite(apart).all() else None
