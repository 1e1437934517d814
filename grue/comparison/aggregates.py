"""Means that a metric does not report as they are: the median of resampled means of the paper's ROUGE."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from grue.core.metric import Floats
from grue.metrics.rouge import BootstrapRouge
from grue.stats.bootstrap import Column


def mean_of_known(total: Floats) -> Floats:
    """Mean from sums of values and counts, shape (..., 2) -> (...); NaN where no row has a value."""
    sums, counts = total[..., 0], total[..., 1]
    mean: Floats = np.divide(sums, counts, out=np.full(np.shape(sums), np.nan), where=counts > 0)
    return mean


def aggregate_of(
    signature: str, statistics: Floats, corpus_value: Callable[[Floats], Floats], *, value: float | None = None
) -> Column:
    """The column whose value is what the signature's aggregate makes of the rows.

    The median of resampled means differs from the mean by Monte-Carlo error alone. That difference is found once, on
    the rows as they are, and held fixed while they are resampled.

    Args:
        signature: The metric's.
        statistics: Shape (rows, k); for an aggregate of means k is 2, a row's mean and 1.
        corpus_value: The formula for all other signatures.
        value: What the aggregate is of these rows, where that is known; else it is computed.
    """
    if BootstrapRouge.aggregation not in signature.split("|"):
        return Column(statistics, corpus_value)
    if value is None:
        any_rouge = BootstrapRouge("rouge1", use_stemmer=True, references="first", lsum_split="newline")
        value = any_rouge.aggregate(statistics[:, 0])
    moved_by = value - float(mean_of_known(statistics.sum(axis=0)))
    return Column(statistics, lambda total: mean_of_known(total) + moved_by)
