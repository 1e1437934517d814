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

from grue.stats.bootstrap import RESAMPLES, bounds
from grue.stats.pairs import Pair
from grue.stats.quick_draws import quick_counts
from grue.stats.sums import Weights, weight_type, weighted_sums


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
    if pair.n < 2:
        return Bootstrapped(None, None)
    both = np.concatenate((pair.first, pair.second), axis=1)
    dtype = weight_type([both])
    both_typed: Weights = both.astype(dtype, copy=False)
    sums = np.empty((n_resamples, both.shape[1]))
    start = 0
    for counts in quick_counts(pair.n, n_resamples, np.random.default_rng(seed)):
        sums[start : start + len(counts)] = weighted_sums(counts.astype(dtype, copy=False), both_typed)
        start += len(counts)
    k = pair.first.shape[1]
    first, second = pair.corpus_value(sums[:, :k]), pair.corpus_value(sums[:, k:])
    difference = pair.difference()
    drawn = second - first
    ci95 = bounds(difference, drawn)
    if ci95 is None:
        return Bootstrapped(None, None)
    apart = np.abs(drawn[np.isfinite(drawn)])
    count = int(np.count_nonzero(apart - apart.mean() >= abs(difference) - pair.rounding()))
    return Bootstrapped(pair.oriented(ci95), (count + 1) / (len(apart) + 1))
