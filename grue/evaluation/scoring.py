"""The second half of scoring: a task's values and intervals from what its portions gave.

Everything is joined in id order, so that neither the order nor the size of portions touches a number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from grue.core.errors import MetricUnavailableError
from grue.core.metric import CorpusMetric, Floats, Metric, MetricValue, PooledMetric
from grue.core.reward import PooledReward, Reward
from grue.core.text import finite_or_none
from grue.evaluation.chunks import REWARD, ChunkScores, Key, digest_key, message_of
from grue.evaluation.joined import Joined
from grue.evaluation.suite import BuiltSuite
from grue.metrics.compute import RowScores, adds_up, mean_value, pooled_scores, undefined_reason
from grue.stats.bootstrap import TOO_FEW, Column, bounds, mean_of, resampled_together

NO_ROWS = "no rows were scored"
NO_REFERENCES = "no references in this split"


@dataclass(frozen=True, slots=True)
class TaskScores:
    """All values of a task.

    Attributes:
        values: Every metric of the suite, absent and failed ones included.
        rewards: Every reward of the suite.
        per_sample: Metric -> shape (n,), in the order of the keys given to ``finish``.
        statistics: Metric whose value is made from sums -> shape (n, k), in that order.
        reward_samples: Reward -> shape (n,), in that order.
        resampled: Metric -> its values over the bootstrap's resamples, whose draws all metrics share.
    """

    values: dict[str, MetricValue]
    rewards: dict[str, MetricValue] = field(default_factory=dict)
    per_sample: dict[str, Floats] = field(default_factory=dict)
    statistics: dict[str, Floats] = field(default_factory=dict)
    reward_samples: dict[str, Floats] = field(default_factory=dict)
    resampled: dict[str, Floats] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Open:
    """A value that waits for its interval.

    Attributes:
        rows: Row values and statistics in id order.
        column: What is resampled.
        number: The value of all rows; NaN where not defined.
    """

    rows: RowScores
    column: Column
    number: float
    scale: float | None
    higher_is_better: bool | None
    signature: str
    undefined: str

    def closed(self, resampled: Floats | None) -> MetricValue:
        """The value with the bounds of its resampled values."""
        value = finite_or_none(self.number)
        interval = bounds(self.number, resampled)
        reason = self.undefined if value is None else TOO_FEW if interval is None else None
        n_rows = len(self.column.statistics)
        return MetricValue(value, interval, n_rows, self.scale, self.higher_is_better, self.signature, reason)


_Outcome = MetricValue | _Open


def finish(
    suite: BuiltSuite, chunks: Sequence[ChunkScores], keys: Sequence[Key], *, seed: int = 0, intervals: bool = True
) -> TaskScores:
    """Join chunks into a task's values and intervals.

    Args:
        suite: The suite the chunks were scored with.
        chunks: Together, every key once, in any order.
        keys: (id, sample) in the order of the returned arrays.
        seed: Seed of the bootstrap.
        intervals: Whether rows are resampled.

    Raises:
        ValueError: where the chunks do not hold exactly the keys.
    """
    joined = Joined(chunks, keys)
    outcomes: dict[str, _Outcome] = {}
    for name in suite.names():
        outcomes[name] = (
            MetricValue.absent(suite.absent[name])
            if name in suite.absent
            else _guarded(joined, name, suite.metrics[name].needs_references, _metric(suite.metrics[name], joined))
        )
    for name, reward in suite.rewards.items():
        key = REWARD + name
        outcomes[key] = _guarded(joined, key, reward.needs_references, _reward(reward, joined))
    opened = {key: outcome for key, outcome in outcomes.items() if isinstance(outcome, _Open)}
    drawn = resampled_together([opened[key].column for key in opened], seed=seed) if intervals else []
    resampled = {key: values for key, values in zip(opened, drawn, strict=False) if values is not None}
    closed = {
        key: outcome.closed(resampled.get(key)) if isinstance(outcome, _Open) else outcome
        for key, outcome in outcomes.items()
    }
    rewards = {name: closed[REWARD + name] for name in suite.rewards}
    shown = [key for key in opened if closed[key].value is not None]
    columns = {key: joined.given(values) for key in shown if (values := opened[key].rows.values) is not None}
    return TaskScores(
        values={name: closed[name] for name in suite.names()},
        rewards={**rewards, **{name: MetricValue.absent(reason) for name, reason in suite.rewards_absent.items()}},
        per_sample={key: values for key, values in columns.items() if not key.startswith(REWARD)},
        statistics={key: joined.given(sums) for key in shown if (sums := opened[key].rows.statistics) is not None},
        reward_samples={key.removeprefix(REWARD): v for key, v in columns.items() if key.startswith(REWARD)},
        resampled={key: values for key, values in resampled.items() if not key.startswith(REWARD)},
    )


def _guarded(joined: Joined, key: str, needs_references: bool, outcome: Callable[[], _Outcome]) -> _Outcome:
    """The outcome of a metric or reward that is there, or why it has no value."""
    if key in joined.failures:
        return MetricValue.absent(joined.failures[key], failed=True)
    if key in joined.unavailable:
        return MetricValue.absent(joined.unavailable[key])
    if not joined.n_rows:
        return MetricValue.absent(NO_ROWS)
    if needs_references and not joined.has_references.any():
        return MetricValue.absent(NO_REFERENCES)
    try:
        return outcome()
    except MetricUnavailableError as error:
        return MetricValue.absent(error.cause)
    except Exception as error:  # noqa: BLE001 - a metric may raise anything, and the others go on
        return MetricValue.absent(message_of(error), failed=True)


def _metric(metric: Metric, joined: Joined) -> Callable[[], _Outcome]:
    if isinstance(metric, CorpusMetric):
        return lambda: _corpus(metric, joined)
    return lambda: _from_rows(metric, _rows(metric, joined), joined)


def _corpus(metric: CorpusMetric, joined: Joined) -> MetricValue:
    value = finite_or_none(metric.value(joined.digests(digest_key(metric))))
    n_rows = joined.rows_with_references() if metric.needs_references else joined.n_rows
    reason = metric.no_interval if value is not None else undefined_reason(metric)
    return MetricValue(value, None, n_rows, metric.scale, metric.higher_is_better, metric.signature(), reason)


def _rows(metric: Metric, joined: Joined) -> RowScores:
    if not isinstance(metric, PooledMetric):
        return RowScores(joined.values.get(metric.name), joined.statistics.get(metric.name))
    kept = joined.kept(metric.needs_references)
    return pooled_scores(metric, joined.digests(digest_key(metric)), kept, joined.n)


def _from_rows(metric: Metric, rows: RowScores, joined: Joined) -> _Open:
    if adds_up(metric) and rows.statistics is not None:
        column = Column(joined.row_sums(rows.statistics), metric.corpus_value)  # type: ignore[attr-defined]
        number = column.value() if len(column.statistics) else float("nan")
    else:
        means = joined.row_means(rows.values if rows.values is not None else np.full(joined.n, np.nan))
        column, number = _of_means(means), mean_value(metric, means)
    return _Open(
        rows, column, number, metric.scale, metric.higher_is_better, metric.signature(), undefined_reason(metric)
    )


def _reward(reward: Reward, joined: Joined) -> Callable[[], _Outcome]:
    def outcome() -> _Open:
        values = joined.rewards.get(reward.name)
        if isinstance(reward, PooledReward):
            values = np.full(joined.n, np.nan)
            kept = joined.kept(reward.needs_references)
            values[kept] = reward.pooled(joined.digests(digest_key(reward)))
        means = joined.row_means(values if values is not None else np.full(joined.n, np.nan))
        number = float(means.mean()) if len(means) else float("nan")
        undefined = "not defined for these texts"
        return _Open(
            RowScores(values, None), _of_means(means), number, reward.high, True, reward.signature(), undefined
        )

    return outcome


def _of_means(means: Floats) -> Column:
    return Column(np.column_stack((means, np.ones_like(means))), mean_of)
