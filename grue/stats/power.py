"""How many rows tell two runs apart, and which difference this many rows can show.

Two-sided paired test at 5 % with 80 % power (Guenther 1981, "Sample size formulas for normal theory t tests"):
rows = ((z of 1 - level/2 + z of power) × sd / difference)² + (z of 1 - level/2)² / 2, where the last term makes the
formula of the normal distribution hold for a t test. sd is that of the rows' pseudo-differences, so it works for corpus
metrics as for means.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from grue.stats.bootstrap import Column
from grue.stats.influence import pseudo_differences

POWER = 0.8
LEVEL = 0.05
_DIGITS = 1e-9
TOO_FEW = "no power: it needs at least two rows"
NO_SPREAD = "no power: no row of the two runs differs"
SAME_EVERYWHERE = "no smallest difference: all rows differ by the same amount"
NO_DIFFERENCE = "no number of rows: the two runs have equal values"
NOT_DEFINED = "no power: the metric is not defined on these rows"


@dataclass(frozen=True, slots=True)
class Power:
    """What a number of rows can show.

    Attributes:
        n_rows: Rows there are.
        smallest_difference: That these rows show with the given power, in the metric's unit.
        rows_needed: To show the difference that the two runs have here.
        power: Chance to find a true difference.
        level: Two-sided level of the test.
        reason: Why a field is ``None``.
    """

    n_rows: int
    smallest_difference: float | None
    rows_needed: int | None
    power: float
    level: float
    reason: str | None


def power(difference: float, sd: float, n_rows: int, *, power: float = POWER, level: float = LEVEL) -> Power:
    """Rows needed and smallest difference from the spread of rows.

    Args:
        difference: Candidate minus baseline, taken as the true one.
        sd: Standard deviation of the rows' differences (of pseudo-differences for a corpus metric).
        n_rows: Rows there are.
        power: Chance to find a true difference, between 0 and 1.
        level: Two-sided level of the test.
    """
    return _from_spread(difference, sd, n_rows, power, level)


def paired_power(baseline: Column, candidate: Column, *, power: float = POWER, level: float = LEVEL) -> Power:
    """The same from two runs' statistics on the same rows."""
    n_rows = len(baseline.statistics)
    if n_rows < 2:
        return Power(n_rows, None, None, power, level, TOO_FEW)
    apart = pseudo_differences(baseline, candidate)
    if apart is None:
        return Power(n_rows, None, None, power, level, NOT_DEFINED)
    difference = candidate.value() - baseline.value()
    sd = float(apart.std(ddof=1))
    # Pseudo-differences are made of whole values and know a row to some nine digits.
    return _from_spread(difference, sd if sd > _DIGITS * np.abs(apart).max() else 0.0, n_rows, power, level)


def _from_spread(difference: float, sd: float, n_rows: int, wanted: float, level: float) -> Power:
    if n_rows < 2:
        return Power(n_rows, None, None, wanted, level, TOO_FEW)
    if sd <= 0:
        if difference:
            return Power(n_rows, None, 2, wanted, level, SAME_EVERYWHERE)
        return Power(n_rows, None, None, wanted, level, NO_SPREAD)
    reach, correction = _reach(wanted, level)
    smallest = reach * sd / math.sqrt(n_rows - correction) if n_rows > correction else None
    if not difference:
        return Power(n_rows, smallest, None, wanted, level, NO_DIFFERENCE)
    needed = max(2, math.ceil((reach * sd / difference) ** 2 + correction))
    return Power(n_rows, smallest, needed, wanted, level, None)


def _reach(wanted: float, level: float) -> tuple[float, float]:
    normal = NormalDist()
    two_sided = normal.inv_cdf(1 - level / 2)
    return two_sided + normal.inv_cdf(wanted), two_sided**2 / 2
