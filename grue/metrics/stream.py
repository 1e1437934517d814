"""One metric over portions of texts: only numbers and digests are kept, so that a million rows take little memory."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grue.core.errors import MetricUnavailableError
from grue.core.metric import CorpusMetric, Digests, Floats, Metric, PooledMetric, Texts
from grue.metrics.compute import adds_up, mean_value, pooled_scores, row_scores, scorable

DigestStore = dict[tuple[Hashable, bool], list[Any]]


@dataclass(frozen=True, slots=True)
class Total:
    """What a metric says of all portions.

    Attributes:
        number: The corpus value; NaN where not defined.
        n: Texts behind it.
        per_sample: Shape (rows,), NaN where not defined; ``None`` for a metric without row values.
    """

    number: float
    n: int
    per_sample: Floats | None


@dataclass(slots=True)
class Running:
    """A metric on its way through portions.

    Attributes:
        metric: The metric.
        shared: Digests of all metrics of one call; those with one digest key keep one list.
        guarded: Whether what the metric raises is kept in ``failure``, for the others to go on.
        failure: Message of what it raised; it takes no more portions then.
        missing: Reason where it found something missing.
    """

    metric: Metric
    shared: DigestStore
    guarded: bool = True
    failure: str | None = None
    missing: str | None = None
    _n: int = 0
    # As arrays: a list of a million whole numbers a metric would take more memory than all of its values.
    _kept: list[NDArray[np.int64]] = field(default_factory=list)
    _n_kept: int = 0
    _values: list[Floats] = field(default_factory=list)
    _sum: Floats | None = None
    _n_summed: int = 0

    def add(self, texts: Texts) -> None:
        """Score a portion.

        Raises:
            Exception: whatever the metric raises, unless guarded.
        """
        if self.failure is not None or self.missing is not None:
            return
        try:
            self._add(texts)
        except MetricUnavailableError as error:
            self.missing = error.cause
        except Exception as error:
            if not self.guarded:
                raise
            self.failure = failure_of(error)

    @property
    def has_references(self) -> bool:
        """Whether any row could be scored."""
        return self._n_kept > 0

    def total(self) -> Total:
        """The value of all portions.

        Raises:
            MetricUnavailableError: where something is missing only now.
            Exception: whatever the metric raises.
        """
        metric = self.metric
        if isinstance(metric, CorpusMetric):
            digests = self._digests(metric)
            number = metric.value(digests) if self._n_kept else float("nan")
            return Total(number, self._n_kept, None)
        if isinstance(metric, PooledMetric):
            kept = np.concatenate(self._kept) if self._kept else np.empty(0, dtype=np.int64)
            rows = pooled_scores(metric, self._digests(metric), kept, self._n)
            self._take(rows.values, rows.statistics)
        values = np.concatenate(self._values) if self._values else np.empty(0)
        if adds_up(metric):
            # No row of statistics at all is a sum of nothing, which has no value.
            number = float(metric.corpus_value(self._sum)) if self._sum is not None else float("nan")  # type: ignore[attr-defined]
            return Total(number, self._n_summed, values)
        known = values[~np.isnan(values)]
        return Total(mean_value(metric, known), len(known), values)

    def _add(self, texts: Texts) -> None:
        metric = self.metric
        chosen, kept = scorable(metric.needs_references, texts)
        if isinstance(metric, PooledMetric):
            self._kept.append(np.array(kept, dtype=np.int64) + self._n)
        self._n_kept += len(kept)
        self._n += len(texts)
        if isinstance(metric, (CorpusMetric, PooledMetric)):
            store = self.shared.setdefault((metric.digest_key, metric.needs_references), [])
            # Another metric with the same key may have put this portion there already.
            if len(store) < self._n_kept:
                store.extend(metric.digest(chosen) if kept else ())
            return
        rows = row_scores(metric, texts)
        self._take(rows.values, rows.statistics)

    def _take(self, values: Floats | None, statistics: Floats | None) -> None:
        if values is not None:
            self._values.append(values)
        if statistics is not None:
            known = statistics[~np.isnan(statistics).any(axis=1)]
            total = known.sum(axis=0)
            self._sum = total if self._sum is None else self._sum + total
            self._n_summed += len(known)

    def _digests(self, metric: CorpusMetric | PooledMetric) -> Digests:
        items: Sequence[Any] = self.shared.get((metric.digest_key, metric.needs_references), [])
        return Digests(items)


def failure_of(error: Exception) -> str:
    """What is said of a metric that raised."""
    return f"failed: {type(error).__name__}: {error}"
