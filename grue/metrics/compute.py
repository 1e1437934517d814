"""Row values of a metric for a set of texts, rows without references left out in one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grue.core.metric import Digests, Floats, MeanMetric, Metric, PooledMetric, SegmentMetric, Texts


@dataclass(frozen=True, slots=True)
class RowScores:
    """What a metric says of each row, in the order of the texts.

    Attributes:
        values: Shape (n,): the sample's own number, NaN where not defined or without references; ``None`` for a
            corpus metric.
        statistics: Shape (n, k), rows of NaN where there are no references; ``None`` but for segment metrics.
    """

    values: Floats | None
    statistics: Floats | None


def scorable(needs_references: bool, texts: Texts) -> tuple[Texts, list[int]]:
    """The texts that can be scored, and their indices: those with references where any are needed."""
    if not needs_references or all(texts.references):
        return texts, list(range(len(texts)))
    kept = [index for index, references in enumerate(texts.references) if references]

    def subset() -> Texts:
        return Texts(
            [texts.predictions[index] for index in kept],
            [texts.references[index] for index in kept],
            [texts.inputs[index] for index in kept],
        )

    return texts.derived("rows with references", subset), kept


def row_scores(metric: Metric, texts: Texts) -> RowScores:
    """Score each row; corpus metrics give nothing here."""
    chosen, kept = scorable(metric.needs_references, texts)
    if isinstance(metric, PooledMetric):
        digests = Digests(metric.digest(chosen) if kept else [])
        return pooled_scores(metric, digests, kept, len(texts))
    if isinstance(metric, SegmentMetric):
        return _with_statistics(metric, metric.statistics(chosen) if kept else np.empty((0, 0)), kept, len(texts))
    if isinstance(metric, MeanMetric):
        return RowScores(_scatter(metric.per_sample(chosen) if kept else np.empty(0), kept, len(texts)), None)
    return RowScores(None, None)


def pooled_scores(metric: PooledMetric, digests: Digests, kept: Sequence[int] | NDArray[np.int64], n: int) -> RowScores:
    """Row values of a pooled metric from its digests.

    Args:
        metric: The metric.
        digests: Of the rows that it can score.
        kept: Their indices among all rows.
        n: Number of all rows.
    """
    array = metric.pooled(digests) if len(kept) else np.empty(0)
    if adds_up(metric):
        return _with_statistics(metric, array if len(kept) else np.empty((0, 0)), kept, n)
    return RowScores(_scatter(array, kept, n), None)


def adds_up(metric: Metric) -> bool:
    """Whether a metric's corpus value is made from sums of statistics."""
    return hasattr(metric, "corpus_value")


def _with_statistics(metric: Any, statistics: Floats, kept: Sequence[int] | NDArray[np.int64], n: int) -> RowScores:
    return RowScores(
        _scatter(metric.sample_values(statistics) if len(kept) else np.empty(0), kept, n),
        _scatter(statistics, kept, n) if len(kept) else None,
    )


def _scatter(values: Floats, kept: Sequence[int] | NDArray[np.int64], n: int) -> Floats:
    if len(kept) == n:
        return np.asarray(values, dtype=np.float64)
    out = np.full((n, *values.shape[1:]), np.nan)
    out[np.asarray(kept, dtype=np.intp)] = values
    return out


def mean_value(metric: Metric, values: Floats) -> float:
    """Corpus value of a mean metric from finite row values: the mean, or the metric's own aggregate; NaN for none."""
    if hasattr(metric, "aggregate"):
        return float(metric.aggregate(values))
    return float(values.sum() / len(values)) if len(values) else float("nan")


def undefined_reason(metric: Metric) -> str:
    """Why a metric that ran has no value: its own words where it has some."""
    reason: str = getattr(metric, "undefined", "not defined for these texts")
    return reason
