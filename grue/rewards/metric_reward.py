"""A metric's row values as a reward: the same code, the same number, over 100 where the metric counts in percent."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np

from grue.core.metric import CorpusMetric, Digests, Floats, Metric, PooledMetric, Texts
from grue.core.task import Setting
from grue.metrics.compute import RowScores, adds_up, row_scores, scorable

_ROUNDING = 1e-9


class _NoDigest(Enum):
    """Stands where a row without references has no digest; one object in all processes."""

    NO_REFERENCES = 0


@dataclass(frozen=True)
class MetricReward:
    """A mean or segment metric's value of each row, the row being a corpus of its own.

    Attributes:
        name: The metric's name.
        settings: Its settings; two of these are equal where name and settings are.
        low: The metric's smallest value over ``divisor``.
        high: Its largest value over ``divisor``.
        divisor: What values are divided by.
        printed_list: Whether the metric sees the printed list of references as the only one.
    """

    name: str
    settings: tuple[tuple[str, Setting | None], ...]
    metric: Metric = field(compare=False, repr=False)
    low: float | None
    high: float | None
    divisor: float = 1.0
    printed_list: bool = False

    @property
    def needs_references(self) -> bool:
        """As the metric."""
        return self.metric.needs_references

    def signature(self) -> str:
        """The metric's, what references were made of, and the divisor."""
        printed = "|refs:printed-list" if self.printed_list else ""
        divided = "" if self.divisor == 1 else f"|unit:1/{self.divisor:g}"
        return f"{self.metric.signature()}{printed}{divided}"

    def rewards(self, texts: Texts) -> Floats:
        """Shape (n,), NaN where the metric is not defined or wants references that are not there."""
        return self._unit(row_scores(self.metric, self._seen(texts)))

    def _seen(self, texts: Texts) -> Texts:
        return _printed(texts) if self.printed_list else texts

    def _unit(self, scores: RowScores) -> Floats:
        values: Any = scores.values
        if scores.statistics is not None and adds_up(self.metric):
            # A corpus of one row: SacreBLEU's sentence scores would use effective order.
            whole: Any = self.metric
            values = whole.corpus_value(scores.statistics)
        unit = np.asarray(values, dtype=np.float64) / self.divisor
        # Rounding alone may pass a bound (SacreBLEU's perfect score is 100.00000000000004).
        for bound, is_past in ((self.low, np.less), (self.high, np.greater)):
            if bound is not None:
                unit = np.where(is_past(unit, bound) & (np.abs(unit - bound) < _ROUNDING), bound, unit)
        return unit


class PooledMetricReward(MetricReward):
    """The same of a metric that needs all texts: a judge, or document frequencies."""

    metric: PooledMetric

    @property
    def digest_key(self) -> Hashable:
        """The metric's own, so that both share digests."""
        return ("printed list", self.metric.digest_key) if self.printed_list else self.metric.digest_key

    def digest(self, texts: Texts) -> Sequence[Any]:
        """The metric's digests; a mark where a row lacks references."""
        chosen, kept = scorable(self.needs_references, self._seen(texts))
        items = self.metric.digest(chosen) if kept else []
        if len(kept) == len(texts):
            return items
        all_items: list[Any] = [_NoDigest.NO_REFERENCES] * len(texts)
        for index, item in zip(kept, items, strict=True):
            all_items[index] = item
        return all_items

    def pooled(self, digests: Digests) -> Floats:
        """Shape (n,)."""
        kept = [index for index, item in enumerate(digests.items) if item is not _NoDigest.NO_REFERENCES]
        out = np.full(len(digests), np.nan)
        if kept:
            known = digests if len(kept) == len(digests) else Digests([digests.items[index] for index in kept])
            array = self.metric.pooled(known)
            scores = RowScores(None, array) if adds_up(self.metric) else RowScores(array, None)
            out[kept] = self._unit(scores)
        return out

    def rewards(self, texts: Texts) -> Floats:
        """The batch as if it were all there is."""
        return self.pooled(Digests(self.digest(texts)))


def metric_reward(
    metric: Metric,
    settings: tuple[tuple[str, Setting | None], ...],
    low: float | None,
    high: float | None,
    *,
    divisor: float = 1.0,
    printed_list: bool = False,
) -> MetricReward:
    """A metric as a reward.

    Args:
        metric: Any but a corpus metric.
        settings: What it was made with.
        low: Smallest value after division; ``None`` where unbounded.
        high: Largest value after division; ``None`` where unbounded.
        divisor: What values are divided by.
        printed_list: Show it the printed list of references.

    Raises:
        ValueError: for a metric without row values.
    """
    if isinstance(metric, CorpusMetric):
        raise ValueError(f"{metric.name!r} has no value a row and cannot be a reward")
    kind = PooledMetricReward if isinstance(metric, PooledMetric) else MetricReward
    return kind(metric.name, settings, metric, low, high, divisor, printed_list)


def _printed(texts: Texts) -> Texts:
    """The texts with each row's references as one printed list; a row without any keeps none."""

    def made() -> Texts:
        references = [[str(list(row))] if row else [] for row in texts.references]
        return Texts(texts.predictions, references, texts.inputs)

    return texts.derived("references as a printed list", made)
