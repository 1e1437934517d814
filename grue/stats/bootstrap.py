"""Percentile bootstrap over rows, from statistics alone (Efron 1979; for BLEU, Koehn 2004)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from grue.core.metric import Floats

RESAMPLES = 1000
LEVEL = 0.95
TOO_FEW = "no interval: it needs at least two rows"
_CHUNK_CELLS = 4_000_000  # about 32 MB of weights at a time


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
        parts: dict[int, list[Floats]] = {index: [] for index in members}
        for weights in draw_counts(n_rows, n_resamples, seed):
            for index in members:
                column = columns[index]
                values = column.corpus_value(weights @ column.statistics)
                parts[index].append(np.asarray(values, dtype=np.float64))
        for index in members:
            out[index] = np.concatenate(parts[index])
    return out


def draw_counts(n_rows: int, n_resamples: int, seed: int) -> Iterator[Floats]:
    """How often each row was drawn, a portion of the resamples at a time, shape (portion, n_rows)."""
    generator = np.random.default_rng(seed)
    at_once = max(1, _CHUNK_CELLS // n_rows)
    for start in range(0, n_resamples, at_once):
        size = min(at_once, n_resamples - start)
        drawn = generator.integers(0, n_rows, size=(size, n_rows))
        # One product then sums the statistics of all resamples of the portion.
        drawn += np.arange(size)[:, None] * n_rows
        yield np.bincount(drawn.ravel(), minlength=size * n_rows).reshape(size, n_rows).astype(np.float64)


def mean_of(total: Floats) -> Floats:
    """Mean from sums of values and counts, shape (..., 2) -> (...)."""
    mean: Floats = total[..., 0] / total[..., 1]
    return mean
