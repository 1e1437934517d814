"""The first half of scoring: what each portion of texts gives, so that no text is needed again."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from grue.core.errors import MetricUnavailableError
from grue.core.metric import CorpusMetric, Floats, PooledMetric, Texts
from grue.core.reward import PooledReward
from grue.evaluation.suite import BuiltSuite
from grue.metrics.compute import row_scores, scorable

T = TypeVar("T")
Key = tuple[str, int]
# Metrics that share digests also agree on whether rows without references have one.
DigestKey = tuple[Hashable, bool]
REWARD = "reward "


@dataclass(frozen=True, slots=True)
class Chunk:
    """Texts to score together; ``keys`` are (id, sample) in the same order."""

    keys: list[Key]
    texts: Texts


@dataclass(frozen=True, slots=True)
class ChunkScores:
    """What a chunk gives.

    Attributes:
        keys: (id, sample) of each place.
        has_references: Shape (n,).
        per_sample: Metric -> shape (n,), NaN where not defined.
        statistics: Segment metric -> shape (n, k), rows of NaN where there are no references.
        rewards: Reward -> shape (n,), NaN where not defined.
        digests: Digest key -> one object a place that can be scored.
        failures: Metric that raised, or ``REWARD`` and a reward's name -> message.
        unavailable: The same for what found something missing only now -> reason.
    """

    keys: list[Key]
    has_references: NDArray[np.bool_]
    per_sample: dict[str, Floats] = field(default_factory=dict)
    statistics: dict[str, Floats] = field(default_factory=dict)
    rewards: dict[str, Floats] = field(default_factory=dict)
    digests: dict[DigestKey, Sequence[Any]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)

    def attempt(self, name: str, compute: Callable[[], T]) -> T | None:
        """The value of ``compute()``, or ``None`` with the fault noted under ``name``."""
        try:
            return compute()
        except MetricUnavailableError as error:
            self.unavailable[name] = error.cause
        except Exception as error:  # noqa: BLE001 - a metric may raise anything, and no text may be lost to it
            self.failures[name] = message_of(error)
        return None


def digest_key(metric: PooledMetric | CorpusMetric | PooledReward) -> DigestKey:
    """Under which a metric's digests stand."""
    return metric.digest_key, metric.needs_references


def score_chunk(suite: BuiltSuite, chunk: Chunk) -> ChunkScores:
    """Score a chunk as far as it can be alone; a metric that raises is noted and the others go on."""
    texts = chunk.texts
    scores = ChunkScores(list(chunk.keys), np.array([bool(row) for row in texts.references], dtype=bool))
    for name, metric in suite.metrics.items():
        if isinstance(metric, (PooledMetric, CorpusMetric)):
            _digest(scores, name, metric, texts)
            continue
        rows = scores.attempt(name, lambda metric=metric: row_scores(metric, texts))  # type: ignore[misc]
        if rows is None:
            continue
        if rows.values is not None:
            scores.per_sample[name] = rows.values
        if rows.statistics is not None:
            scores.statistics[name] = rows.statistics
    for name, reward in suite.rewards.items():
        if isinstance(reward, PooledReward):
            _digest(scores, REWARD + name, reward, texts)
            continue
        values = scores.attempt(REWARD + name, lambda reward=reward: _rewards(reward, texts))  # type: ignore[misc]
        if values is not None:
            scores.rewards[name] = values
    return scores


def message_of(error: Exception) -> str:
    """Kind and text of an error."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _digest(scores: ChunkScores, name: str, metric: PooledMetric | CorpusMetric | PooledReward, texts: Texts) -> None:
    key = digest_key(metric)
    if key in scores.digests:
        return
    chosen, kept = scorable(metric.needs_references, texts)
    digests = scores.attempt(name, lambda: metric.digest(chosen) if kept else [])
    if digests is not None:
        scores.digests[key] = digests


def _rewards(reward: Any, texts: Texts) -> Floats:
    chosen, kept = scorable(reward.needs_references, texts)
    values = np.full(len(texts), np.nan)
    if kept:
        values[kept] = reward.rewards(chosen)
    return values
