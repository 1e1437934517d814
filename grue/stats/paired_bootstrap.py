"""The paired bootstrap of SacreBLEU and Moses (Koehn 2004; Post 2018): rows drawn with replacement, alike for both.

p = (count + 1) / (resamples + 1), counting resamples whose absolute difference, less the mean of all absolute
differences, is at least the absolute difference of the systems. This is not the usual null: where a difference is
clear, its absolute resamples are centred at itself, so that p is about half of a two-sided one, and a test at 5 % finds
a difference between equals in about 10 %. It is here because papers report it; decide by approximate randomisation.

SacreBLEU counts strictly larger differences; here equal ones count too, so that a run against itself has p = 1 and not
1 / (resamples + 1). Where values do not tie, the two agree within the error of the draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grue.stats.bootstrap import RESAMPLES, Column, bounds, resampled_together
from grue.stats.pairs import Pair


@dataclass(frozen=True, slots=True)
class Bootstrapped:
    """What the paired bootstrap says; ``None`` where no resample has a value, or for fewer than two rows.

    Attributes:
        ci95: Percentile interval of candidate minus baseline; contains the difference.
        p: SacreBLEU's.
    """

    ci95: tuple[float, float] | None
    p: float | None


def paired_bootstrap(pair: Pair, *, n_resamples: int = RESAMPLES, seed: int = 0) -> Bootstrapped:
    """Resample the rows of both systems together."""
    columns = [Column(part, pair.corpus_value) for part in (pair.first, pair.second)]
    first, second = resampled_together(columns, n_resamples=n_resamples, seed=seed)
    if first is None or second is None:
        return Bootstrapped(None, None)
    difference = pair.difference()
    drawn = second - first
    ci95 = bounds(difference, drawn)
    if ci95 is None:
        return Bootstrapped(None, None)
    apart = np.abs(drawn[np.isfinite(drawn)])
    count = int(np.count_nonzero(apart - apart.mean() >= abs(difference) - pair.rounding()))
    return Bootstrapped(pair.oriented(ci95), (count + 1) / (len(apart) + 1))
