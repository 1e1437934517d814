"""Percentile bootstrap over rows, from statistics alone (Efron 1979; for BLEU, Koehn 2004)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from grue.core.metric import Floats
from grue.stats.sums import Weights, weight_type, weighted_sums

RESAMPLES = 1000
LEVEL = 0.95
TOO_FEW = "no interval: it needs at least two rows"
_CHUNK_CELLS = 4_000_000  # about 32 MB of weights at a time
_DRAWN_CELLS = 64_000  # about 0.5 MB of draws at a time


@dataclass(frozen=True, slots=True)
class Column:
    """What is resampled of one metric.

    Attributes:
        statistics: Shape (rows, k), finite; the order of rows matters to which rows a seed draws.
        corpus_value: Sums, shape (..., k) -> values, shape (...); NaN where not defined.
    """

    statistics: Floats
    corpus_value: Callable[[Floats], Floats]

    def value(self) -> float:
        """The value of all rows as they are."""
        return float(self.corpus_value(self.statistics.sum(axis=0)))


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
    if not len(statistics):
        return None
    values = resampled(statistics, corpus_value, n_resamples=n_resamples, seed=seed)
    return bounds(Column(statistics, corpus_value).value(), values)


def bounds(value: float, values: Floats | None) -> tuple[float, float] | None:
    """The 95 % percentile interval of resampled values, widened to hold the value itself.

    Args:
        value: The value of all rows as they are.
        values: Shape (n_resamples,); NaN where a resample has none; ``None`` where nothing was resampled.

    Returns:
        ``None`` where the value or every resample is undefined.
    """
    if values is None:
        return None
    values = values[np.isfinite(values)]
    if not np.isfinite(value) or not len(values):
        return None
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return min(float(low), value), max(float(high), value)


def resampled(
    statistics: Floats, corpus_value: Callable[[Floats], Floats], *, n_resamples: int = RESAMPLES, seed: int = 0
) -> Floats | None:
    """The value of each resample, shape (n_resamples,); ``None`` for fewer than two rows."""
    return resampled_together([Column(statistics, corpus_value)], n_resamples=n_resamples, seed=seed)[0]


def resampled_together(
    columns: Sequence[Column], *, n_resamples: int = RESAMPLES, seed: int = 0
) -> list[Floats | None]:
    """The values of each resample for several metrics of one task, which share the draws.

    Metrics with the same number of rows see the same rows in each resample, so that their resampled values may be
    combined row by row; the draws, which cost more than the sums, are made once.

    Returns:
        For each column, in order, shape (n_resamples,); ``None`` for fewer than two rows.
    """
    out: list[Floats | None] = [None] * len(columns)
    for n_rows in sorted({len(column.statistics) for column in columns}):
        if n_rows < 2:
            continue
        members = [index for index, column in enumerate(columns) if len(column.statistics) == n_rows]
        statistics = [columns[index].statistics for index in members]
        dtype = weight_type(statistics)
        # Exact sums are the same however they are made; others are made one metric at a time, as adding another metric
        # to a run must not touch them.
        together = [members] if dtype is np.float32 else [[index] for index in members]
        stacked: list[Weights] = [
            np.concatenate([columns[index].statistics for index in block], axis=1).astype(dtype, copy=False)
            for block in together
        ]
        sums = [np.empty((n_resamples, joined.shape[1])) for joined in stacked]
        start = 0
        cells = _DRAWN_CELLS if dtype is np.float32 else _CHUNK_CELLS
        for weights in draw_counts(n_rows, n_resamples, seed, dtype, cells):
            for joined, total in zip(stacked, sums, strict=True):
                total[start : start + len(weights)] = weighted_sums(weights, joined)
            start += len(weights)
        for block, total in zip(together, sums, strict=True):
            left = 0
            for index in block:
                right = left + columns[index].statistics.shape[1]
                out[index] = np.asarray(columns[index].corpus_value(total[:, left:right]), dtype=np.float64)
                left = right
    return out


def draw_counts(
    n_rows: int,
    n_resamples: int,
    seed: int,
    dtype: type[np.float32] | type[np.float64] = np.float64,
    cells: int = _CHUNK_CELLS,
) -> Iterator[Weights]:
    """How often each row was drawn, a portion of the resamples at a time, shape (portion, n_rows).

    One product with the statistics then sums those of all resamples of the portion. How draws are cut into portions
    does not touch what is drawn; it may touch the last digit of sums in double precision.

    Args:
        n_rows: Rows to draw from, and drawn in each resample.
        n_resamples: Resamples in all.
        seed: Seed of the draws.
        dtype: Of the weights.
        cells: Weights of one portion at most; small ones stay in the processor's cache.
    """
    generator = np.random.default_rng(seed)
    at_once, drawn_at_once = max(1, cells // n_rows), max(1, _DRAWN_CELLS // n_rows)
    for start in range(0, n_resamples, at_once):
        size = min(at_once, n_resamples - start)
        weights = np.empty((size, n_rows), dtype=dtype)
        for first in range(0, size, drawn_at_once):
            rows = min(drawn_at_once, size - first)
            drawn = generator.integers(0, n_rows, size=(rows, n_rows))
            drawn += np.arange(rows)[:, None] * n_rows
            counts = np.bincount(drawn.ravel(), minlength=rows * n_rows)
            weights[first : first + rows] = counts.reshape(rows, n_rows)
        yield weights


def mean_of(total: Floats) -> Floats:
    """Mean from sums of values and counts, shape (..., 2) -> (...)."""
    mean: Floats = total[..., 0] / total[..., 1]
    return mean
