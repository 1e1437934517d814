"""Effect size of a paired comparison: Cohen's d_z, the mean of the rows' differences over their standard deviation.

Cohen 1988, "Statistical Power Analysis for the Behavioral Sciences", section 2.3.5; Lakens 2013 for the name. It has no
unit, so that tasks can be compared: 0.2 is called small, 0.5 medium, 0.8 large.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grue.core.metric import Floats
from grue.stats.bootstrap import RESAMPLES, Column, bounds, resampled_together
from grue.stats.pairs import ROUNDING, Pair

NO_ROW_VALUES = "no effect size: the metric has no value per row"
NO_ROW_DIFFERS = "no effect size: no row differs"
NO_SPREAD = "no effect size: all rows differ by the same amount"


@dataclass(frozen=True, slots=True)
class Effect:
    """An effect size, candidate minus baseline.

    Attributes:
        size: Cohen's d_z; ``None`` where it does not exist.
        ci95: Percentile interval over resampled rows; contains the size.
        reason: Why there is no size.
    """

    size: float | None
    ci95: tuple[float, float] | None
    reason: str | None


def effect(pair: Pair, *, n_resamples: int = RESAMPLES, seed: int = 0) -> Effect:
    """Cohen's d_z of the rows on which both have a value, with its interval."""
    if pair.rows_first is None or pair.rows_second is None:
        return Effect(None, None, NO_ROW_VALUES)
    apart = pair.rows_second - pair.rows_first
    apart = apart[np.isfinite(apart)]
    if len(apart) < 2:
        return Effect(None, None, NO_ROW_VALUES)
    largest = float(np.abs(apart).max())
    if not largest:
        return Effect(None, None, NO_ROW_DIFFERS)
    spread = float(apart.std(ddof=1))
    if spread <= ROUNDING * largest:
        return Effect(None, None, NO_SPREAD)
    size = float(apart.mean()) / spread if pair.sign else 0.0
    column = Column(np.column_stack((apart, apart**2, np.ones_like(apart))), _d_z)
    (drawn,) = resampled_together([column], n_resamples=n_resamples, seed=seed)
    return Effect(pair.sign * size if pair.sign else 0.0, pair.oriented(bounds(size, drawn)), None)


def _d_z(total: Floats) -> Floats:
    """Sums of differences, squares and counts -> mean over standard deviation; NaN without spread."""
    count = total[..., 2]
    mean = total[..., 0] / count
    variance = (total[..., 1] - count * mean**2) / (count - 1)
    known = np.where(variance > ROUNDING * total[..., 1] / count, variance, np.nan)
    size: Floats = mean / np.sqrt(known)
    return size
