"""The mean over seeds, with a spread and an interval that covers both the choice of rows and the seed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from grue.core.metric import Floats
from grue.stats.bootstrap import LEVEL
from grue.stats.student import t_quantile

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class OverSeeds:
    """One value of several seeds.

    Attributes:
        mean: Of the seeds' values.
        sd: Their standard deviation (n − 1); ``None`` for one seed.
        ci95: Interval of the mean; ``None`` where a seed has none.
        seeds: How many.
    """

    mean: float
    sd: float | None
    ci95: Interval | None
    seeds: int


def over_seeds(values: Sequence[float], intervals: Sequence[Interval | None]) -> OverSeeds:
    """The mean over seeds.

    All seeds answer the same rows, so that the choice of rows moves them together: its half-width is the mean of
    theirs. The seed's own half-width is t · sd / √n with n − 1 degrees of freedom. The two are independent and are
    added in quadrature, on either side of the mean.

    Args:
        values: One a seed, at least one.
        intervals: The 95 % interval of each over rows.
    """
    n = len(values)
    mean = float(np.mean(values))
    if n == 1:
        return OverSeeds(values[0], None, intervals[0], 1)
    sd = float(np.std(values, ddof=1))
    known = [interval for interval in intervals if interval is not None]
    if len(known) < n:
        return OverSeeds(mean, sd, None, n)
    own = t_quantile((1 + LEVEL) / 2, n - 1) * sd / math.sqrt(n)
    below = float(np.mean([value - low for value, (low, _) in zip(values, known, strict=True)]))
    above = float(np.mean([high - value for value, (_, high) in zip(values, known, strict=True)]))
    return OverSeeds(mean, sd, (mean - math.hypot(below, own), mean + math.hypot(above, own)), n)


def seed_noise(values: Floats, shares: Floats) -> Floats:
    """How far the mean over seeds moves as seeds are drawn anew, shape (n_resamples,).

    Drawing n of n seeds with replacement varies by (n − 1) / n too little; the deviations are scaled up for that.

    Args:
        values: One a seed, shape (seeds,).
        shares: How often each seed was drawn, as shares that sum to 1, shape (n_resamples, seeds).
    """
    n = len(values)
    if n < 2:
        return np.zeros(len(shares))
    moved: Floats = math.sqrt(n / (n - 1)) * ((shares - 1 / n) @ values)
    return moved
