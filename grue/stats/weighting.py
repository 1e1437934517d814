"""How robust an order is to the choice of metric weights: how often each entry is first over random weightings."""

from __future__ import annotations

import numpy as np

from grue.core.metric import Floats
from grue.stats.pairs import ROUNDING

WEIGHTINGS = 1000


def first_shares(scores: Floats, *, n_weightings: int = WEIGHTINGS, seed: int = 0) -> Floats:
    """The share of random weightings under which each entry is first.

    Weights are uniform over all weightings that sum to 1 (Dirichlet with all parameters 1).

    Args:
        scores: Shape (entries, metrics), on scales of 0 to 1, higher is better. An entry with NaN is left out.
        n_weightings: Weightings drawn.
        seed: Seed of the weightings.

    Returns:
        Shape (entries,); sums to 1 where any entry has all scores; entries first together share; 0 for one left out.
    """
    shares = np.zeros(len(scores))
    known = np.flatnonzero(np.isfinite(scores).all(axis=1))
    if not len(known) or not scores.shape[1]:
        return shares
    weights = np.random.default_rng(seed).dirichlet(np.ones(scores.shape[1]), size=n_weightings)
    totals = scores[known] @ weights.T
    best = totals.max(axis=0)
    first = totals >= best - ROUNDING * np.abs(best)
    shares[known] = (first / first.sum(axis=0)).mean(axis=1)
    return shares
