"""What a metric is: statistics per prediction first, then values made from them.

A metric of any of the four kinds below is immutable, names itself by a signature, and never touches files,
clock or random state (a judge's checkpoint and cache are the exception). ``MeanMetric``: a number a prediction,
corpus value the mean. ``SegmentMetric``: a vector of statistics a prediction, corpus value a function of their sum.
``PooledMetric``: row values that need all texts at hand (document frequencies, a judge that reads texts sorted by
length). ``CorpusMetric``: one function of all predictions. The last two digest texts portion by portion, so that no
text is kept or read twice.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from grue.core.text import Json

T = TypeVar("T")
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Texts:
    """Predictions with all that metrics may ask for, in one order.

    Attributes:
        predictions: Texts to score, one a generation.
        references: References of each prediction's row; empty where withheld.
        inputs: Inputs of each prediction's row (``prompt`` among them where known).
        memo: What metrics that share work keep here (tokens, n-grams), by a key that names the settings.
    """

    predictions: Sequence[str]
    references: Sequence[Sequence[str]]
    inputs: Sequence[Mapping[str, Json]]
    memo: dict[Hashable, Any] = field(default_factory=dict, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.predictions)

    def derived(self, key: Hashable, compute: Callable[[], T]) -> T:
        """The value of ``compute()``, made once for all metrics that ask with this key."""
        if key not in self.memo:
            self.memo[key] = compute()
        value: T = self.memo[key]
        return value


class Metric(Protocol):
    """What all kinds share.

    Attributes:
        name: Name of the contracts' list.
        scale: Maximum in the reference implementation's unit; ``None`` for counts, lengths, bits, perplexity.
        higher_is_better: ``None`` where the metric has no direction and is never ranked.
        needs_references: Whether a row without references makes the metric absent for its task.
    """

    name: str
    scale: float | None
    higher_is_better: bool | None
    needs_references: bool

    def signature(self) -> str:
        """Every setting that can change the number, in a fixed order."""
        ...


@runtime_checkable
class MeanMetric(Metric, Protocol):
    """One number a prediction; the corpus value is their mean, NaN left out."""

    kind: ClassVar[str] = "mean"

    def per_sample(self, texts: Texts) -> Floats:
        """Shape (n,); NaN where the metric is not defined for a prediction."""
        ...


@runtime_checkable
class SegmentMetric(Metric, Protocol):
    """Statistics that add up: intervals and paired tests resample them and never see text."""

    kind: ClassVar[str] = "segment"

    def statistics(self, texts: Texts) -> Floats:
        """Shape (n, k)."""
        ...

    def corpus_value(self, total: Floats) -> Floats:
        """Sums of statistics, shape (..., k) -> values, shape (...). NaN where not defined."""
        ...

    def sample_values(self, statistics: Floats) -> Floats:
        """The reference library's sentence scores from statistics, shape (n, k) -> (n,)."""
        ...


@dataclass(frozen=True, slots=True)
class Digests:
    """What a metric kept of all texts, in id order, and what metrics that share it note for each other.

    Attributes:
        items: One digest a prediction.
        memo: Shared by all metrics of one ``digest_key``.
    """

    items: Sequence[Any]
    memo: dict[Hashable, Any] = field(default_factory=dict, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.items)

    def derived(self, key: Hashable, compute: Callable[[], T]) -> T:
        """The value of ``compute()``, made once for all metrics that ask with this key."""
        if key not in self.memo:
            self.memo[key] = compute()
        value: T = self.memo[key]
        return value


@runtime_checkable
class PooledMetric(Metric, Protocol):
    """Row values that are made when all texts are known.

    A metric that also has ``corpus_value`` and ``sample_values`` of ``SegmentMetric`` gives statistics that add up;
    any other gives one number a prediction, and its corpus value is their mean.

    Attributes:
        digest_key: Metrics with equal keys share their digests.
    """

    kind: ClassVar[str] = "pooled"
    digest_key: Hashable

    def digest(self, texts: Texts) -> Sequence[Any]:
        """One object a prediction, as small as will do: a million of them are held in memory."""
        ...

    def pooled(self, digests: Digests) -> Floats:
        """Shape (n,), NaN where not defined, or statistics, shape (n, k)."""
        ...


@runtime_checkable
class CorpusMetric(Metric, Protocol):
    """A value of all predictions together that depends on their number: no plain bootstrap is valid for it.

    Attributes:
        digest_key: Metrics with equal keys share their digests.
        no_interval: Why there is no interval.
    """

    kind: ClassVar[str] = "corpus"
    digest_key: Hashable
    no_interval: str

    def digest(self, texts: Texts) -> Sequence[Any]:
        """One object a prediction, as small as will do: a million of them are held in memory."""
        ...

    def value(self, digests: Digests) -> float:
        """The value; NaN where not defined."""
        ...


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of thing that a metric compares.

    Attributes:
        kind: What they are: ``words``, ``2-grams``, ``concepts``, ``table cells`` …
        matched: Those of the prediction that counted.
        missing: Those asked for (by reference, concept set, table) that the prediction lacks.
        extra: Those of the prediction that nothing asks for.
    """

    kind: str
    matched: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a prediction got its number.

    Attributes:
        value: The row's value; ``None`` where not defined.
        summary: The arithmetic in one sentence.
        reference: Index of the reference that counted, from 0; ``None`` where all did or none is needed.
        parts: What matched and what did not.
    """

    value: float | None
    summary: str
    reference: int | None = None
    parts: tuple[Part, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """The object of ``samples/<task>.explain.jsonl``."""
        return {
            "value": self.value,
            "summary": self.summary,
            "reference": self.reference,
            "parts": [
                {"kind": p.kind, "matched": list(p.matched), "missing": list(p.missing), "extra": list(p.extra)}
                for p in self.parts
            ],
        }


@runtime_checkable
class Explains(Protocol):
    """A metric that can say which words, n-grams, facts or cells matched."""

    def explain(self, texts: Texts) -> list[Explanation]:
        """One explanation a prediction."""
        ...


@dataclass(frozen=True, slots=True)
class MetricValue:
    """One number of the results, or its absence with a reason.

    Attributes:
        value: In the reference implementation's unit; ``None`` where absent, failed or undefined.
        ci95: Bounds of the 95 % interval, which always contain the value; ``None`` where no method promises one.
        n: Rows behind the value.
        failed: The metric was there and raised: the run is partial. (An absent metric leaves it finished.)
    """

    value: float | None
    ci95: tuple[float, float] | None
    n: int
    scale: float | None
    higher_is_better: bool | None
    signature: str | None
    reason: str | None = None
    failed: bool = False

    @classmethod
    def absent(cls, reason: str, *, failed: bool = False) -> MetricValue:
        """A metric that gave no number."""
        return cls(None, None, 0, None, None, None, reason, failed)

    def to_json(self) -> dict[str, Json]:
        """The object of ``results.json``; ``reason`` only where there is one."""
        out: dict[str, Json] = {
            "value": self.value,
            "ci95": list(self.ci95) if self.ci95 else None,
            "n": self.n,
            "scale": self.scale,
            "higher_is_better": self.higher_is_better,
            "signature": self.signature,
        }
        if self.reason:
            out["reason"] = self.reason
        if self.failed:
            out["failed"] = True
        return out
