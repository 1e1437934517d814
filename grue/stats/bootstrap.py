"""Percentile bootstrap over rows, from statistics alone (Efron 1979; for BLEU, Koehn 2004)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from grue.core.metric import Floats

RESAMPLES = 1000
LEVEL = 0.95
TOO_FEW = "no interval: it needs at least two rows"
_CHUNK_CELLS = 4_000_000  # about 32 MB of weights at a time


def interval(
    statistics: Floats,
    corpus_value: Callable[[Floats], Floats],
    *,
    n_resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[float, float] | None:
    """The 95 % percentile interval of a value made from summed statistics.

    Rows are drawn with replacement; with several samples a row the caller sums their statistics first, so that a
    row stays one draw. The bounds are widened to hold the value where the percentiles miss it.

    Args:
        statistics: Shape (rows, k), finite; the order of rows matters to which rows a seed draws.
        corpus_value: Sums, shape (..., k) -> values, shape (...); NaN where not defined.
        n_resamples: Resamples drawn.
        seed: Seed of the draws; equal seeds and numbers of rows draw the same rows for every metric.

    Returns:
        Low and high bound; ``None`` for fewer than two rows, or where the value or every resample is undefined.
    """
    n_rows = len(statistics)
    if n_rows < 2:
        return None
    value = float(corpus_value(statistics.sum(axis=0)))
    values = resampled(statistics, corpus_value, n_resamples=n_resamples, seed=seed)
    values = values[np.isfinite(values)]
    if not np.isfinite(value) or not len(values):
        return None
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return min(float(low), value), max(float(high), value)


def resampled(
    statistics: Floats, corpus_value: Callable[[Floats], Floats], *, n_resamples: int = RESAMPLES, seed: int = 0
) -> Floats:
    """The value of each resample, shape (n_resamples,)."""
    n_rows = len(statistics)
    generator = np.random.default_rng(seed)
    at_once = max(1, _CHUNK_CELLS // n_rows)
    parts = []
    for start in range(0, n_resamples, at_once):
        size = min(at_once, n_resamples - start)
        drawn = generator.integers(0, n_rows, size=(size, n_rows))
        # How often each row was drawn: one product then sums the statistics of all resamples of the chunk.
        drawn += np.arange(size)[:, None] * n_rows
        weights = np.bincount(drawn.ravel(), minlength=size * n_rows).reshape(size, n_rows)
        parts.append(np.asarray(corpus_value(weights.astype(np.float64) @ statistics), dtype=np.float64))
    return np.concatenate(parts)


def mean_of(total: Floats) -> Floats:
    """Mean from sums of values and counts, shape (..., 2) -> (...)."""
    mean: Floats = total[..., 0] / total[..., 1]
    return mean
