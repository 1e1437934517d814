"""From texts to a task's values: pure functions, so that any process can run them and in any portions.

Row values and statistics are made chunk by chunk while generation goes on; ``finish`` joins them in id order, so
that neither the order nor the size of chunks touches a number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from grue.core.errors import MetricUnavailableError
from grue.core.metric import CorpusMetric, Floats, Metric, MetricValue, SegmentMetric, Texts
from grue.core.task import MetricSpec, Suite
from grue.core.text import finite_or_none
from grue.metrics.build import build, entry
from grue.metrics.compute import corpus_value, mean_value, row_scores, undefined_reason
from grue.metrics.settings import SettingTable
from grue.rewards import absence
from grue.stats.bootstrap import TOO_FEW, interval, mean_of

Key = tuple[str, int]
NO_MODEL_METRICS = "left out by --no-model-metrics"
NO_ROWS = "no rows were scored"
NO_REFERENCES = "no references in this split"


@dataclass(frozen=True, slots=True)
class BuiltSuite:
    """A task's suite as it can be computed here.

    Attributes:
        metrics: Name -> metric.
        absent: Name -> reason.
        rewards_absent: Reward name -> reason.
        order: All metric names, in the suite's order; empty for present ones before absent ones.
    """

    metrics: dict[str, Metric]
    absent: dict[str, str]
    rewards_absent: dict[str, str]
    order: tuple[str, ...] = ()

    def names(self) -> tuple[str, ...]:
        """All metric names, in the order in which they are shown."""
        return self.order or (*self.metrics, *self.absent)

    def signatures(self) -> dict[str, str | None]:
        """Name -> signature, ``None`` for an absent metric."""
        return {name: self.metrics[name].signature() if name in self.metrics else None for name in self.names()}


@dataclass(frozen=True, slots=True)
class Chunk:
    """Texts to score together; ``keys`` are (id, sample) in the same order."""

    keys: list[Key]
    texts: Texts


@dataclass(frozen=True, slots=True)
class ChunkScores:
    """What mean and segment metrics say of a chunk, picklable.

    Attributes:
        keys: (id, sample) of each place.
        per_sample: Metric -> shape (n,), NaN where not defined.
        statistics: Segment metric -> shape (n, k), rows of NaN where there are no references.
        failures: Metric that raised -> message.
        unavailable: Metric that found something missing only now -> reason.
    """

    keys: list[Key]
    per_sample: dict[str, Floats]
    statistics: dict[str, Floats]
    failures: dict[str, str] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaskScores:
    """All values of a task.

    Attributes:
        values: Every metric of the suite, absent and failed ones included.
        rewards: Every reward of the suite.
        per_sample: Metric -> shape (n,), in the order of the keys given to ``finish``.
        statistics: Segment metric -> shape (n, k), in that order.
    """

    values: dict[str, MetricValue]
    rewards: dict[str, MetricValue]
    per_sample: dict[str, Floats]
    statistics: dict[str, Floats]


def build_suite(
    suite: Suite,
    *,
    metrics: Sequence[str] | None = None,
    settings: SettingTable | None = None,
    model_metrics: bool = True,
) -> BuiltSuite:
    """Build what a task names, or the metrics that a user names instead.

    Args:
        suite: The task's suite; its own settings stay for the metrics it names.
        metrics: Names instead of the suite's.
        settings: What the user set, family -> key -> value; it wins over the suite's.
        model_metrics: Whether metrics that need a checkpoint are built.

    Raises:
        UsageError: for an unknown metric, setting or value.
    """
    own = {spec.name: spec for spec in suite.metrics}
    wanted = own if metrics is None else {name: own.get(name, MetricSpec(name)) for name in metrics}
    built: dict[str, Metric] = {}
    absent: dict[str, str] = {}
    for name, spec in wanted.items():
        if entry(name).needs_model and not model_metrics:
            absent[name] = NO_MODEL_METRICS
            continue
        try:
            built[name] = build(spec, settings)
        except MetricUnavailableError as error:
            absent[name] = error.cause
    rewards = {spec.name: absence(spec.name) for spec in suite.rewards}
    return BuiltSuite(built, absent, rewards, tuple(wanted))


def score_chunk(suite: BuiltSuite, chunk: Chunk) -> ChunkScores:
    """Score a chunk by the mean and segment metrics; one that raises is noted and the others go on."""
    scores = ChunkScores(list(chunk.keys), {}, {})
    for name, metric in suite.metrics.items():
        if isinstance(metric, CorpusMetric):
            continue
        try:
            rows = row_scores(metric, chunk.texts)
        except MetricUnavailableError as error:
            scores.unavailable[name] = error.cause
        except Exception as error:  # noqa: BLE001 - a metric may raise anything, and no text may be lost to it
            scores.failures[name] = _message(error)
        else:
            if rows.values is not None:
                scores.per_sample[name] = rows.values
            if rows.statistics is not None:
                scores.statistics[name] = rows.statistics
    return scores


def finish(
    suite: BuiltSuite, chunks: Sequence[ChunkScores], texts: Texts, keys: Sequence[Key], *, seed: int = 0
) -> TaskScores:
    """Join chunks into a task's values and intervals.

    Args:
        suite: The suite the chunks were scored with.
        chunks: Together, every key once, in any order.
        texts: All texts, in the order of ``keys``.
        keys: (id, sample) of each text; the order of the returned arrays.
        seed: Seed of the bootstrap.

    Raises:
        ValueError: where the chunks do not hold exactly the keys.
    """
    joined = _Joined(chunks, keys)
    ordered = joined.texts(texts)
    failures = {name: message for part in chunks for name, message in part.failures.items()}
    unavailable = {name: reason for part in chunks for name, reason in part.unavailable.items()}
    values: dict[str, MetricValue] = {}
    for name in suite.names():
        if name in failures:
            values[name] = MetricValue.absent(failures[name], failed=True)
        elif name in suite.absent or name in unavailable:
            values[name] = MetricValue.absent(suite.absent.get(name) or unavailable[name])
        else:
            values[name] = _value(suite.metrics[name], joined, ordered, seed)
    present = [name for name in suite.names() if values[name].value is not None]
    return TaskScores(
        values=values,
        rewards={name: MetricValue.absent(reason) for name, reason in suite.rewards_absent.items()},
        per_sample={name: joined.given(joined.values[name]) for name in present if name in joined.values},
        statistics={name: joined.given(joined.statistics[name]) for name in present if name in joined.statistics},
    )


class _Joined:
    """All chunks in id order, which is the order of every sum and every draw."""

    def __init__(self, chunks: Sequence[ChunkScores], keys: Sequence[Key]) -> None:
        came = [key for part in chunks for key in part.keys]
        if sorted(came) != sorted(keys) or len(set(keys)) != len(keys):
            raise ValueError("the chunks do not hold exactly the keys")
        from_chunks = sorted(range(len(came)), key=came.__getitem__)
        self._order = sorted(range(len(keys)), key=keys.__getitem__)
        self._rank = np.argsort(np.array(self._order, dtype=np.intp), kind="stable")
        ids = [keys[index][0] for index in self._order]
        starts = [index for index, row in enumerate(ids) if index == 0 or row != ids[index - 1]]
        self.starts = np.array(starts, dtype=np.intp)
        self.n_rows = len(starts)
        self.values = self._join([part.per_sample for part in chunks], [len(part.keys) for part in chunks], from_chunks)
        self.statistics = self._join(
            [part.statistics for part in chunks], [len(part.keys) for part in chunks], from_chunks
        )

    def texts(self, texts: Texts) -> Texts:
        return Texts(
            [texts.predictions[index] for index in self._order],
            [texts.references[index] for index in self._order],
            [texts.inputs[index] for index in self._order],
        )

    def given(self, values: Floats) -> Floats:
        """From id order to the order of the caller's keys."""
        return values[self._rank]

    @staticmethod
    def _join(parts: Sequence[Mapping[str, Floats]], sizes: Sequence[int], order: list[int]) -> dict[str, Floats]:
        shapes = {name: array.shape[1:] for part in parts for name, array in part.items()}
        return {
            name: np.concatenate(
                [part.get(name, np.full((size, *shape), np.nan)) for part, size in zip(parts, sizes, strict=True)]
            )[order]
            for name, shape in shapes.items()
        }


def _value(metric: Metric, joined: _Joined, texts: Texts, seed: int) -> MetricValue:
    if not joined.n_rows:
        return MetricValue.absent(NO_ROWS)
    if metric.needs_references and not any(texts.references):
        return MetricValue.absent(NO_REFERENCES)
    if isinstance(metric, CorpusMetric):
        return _corpus(metric, texts, joined)
    if isinstance(metric, SegmentMetric):
        statistics = joined.statistics[metric.name]
        filled = np.where(np.isnan(statistics), 0.0, statistics)
        known = ~np.isnan(statistics).any(axis=1)
        rows = np.add.reduceat(filled, joined.starts, axis=0)[np.logical_or.reduceat(known, joined.starts)]
        value = float(metric.corpus_value(rows.sum(axis=0))) if len(rows) else float("nan")
        return _from_rows(metric, value, rows, metric.corpus_value, seed)
    samples = joined.values[metric.name]
    known = ~np.isnan(samples)
    sums = np.add.reduceat(np.where(known, samples, 0.0), joined.starts)
    counts = np.add.reduceat(known.astype(np.float64), joined.starts)
    means = sums[counts > 0] / counts[counts > 0]
    columns = np.column_stack((means, np.ones_like(means)))
    return _from_rows(metric, mean_value(metric, means), columns, mean_of, seed)


def _from_rows(
    metric: Metric, number: float, rows: Floats, value_of: Callable[[Floats], Floats], seed: int
) -> MetricValue:
    value = finite_or_none(number)
    bounds = interval(rows, value_of, seed=seed) if value is not None else None
    if value is not None and bounds is not None:
        # A metric may aggregate otherwise than by the mean; the interval still holds its value.
        bounds = min(bounds[0], value), max(bounds[1], value)
    reason = undefined_reason(metric) if value is None else TOO_FEW if bounds is None else None
    return MetricValue(value, bounds, len(rows), metric.scale, metric.higher_is_better, metric.signature(), reason)


def _corpus(metric: CorpusMetric, texts: Texts, joined: _Joined) -> MetricValue:
    try:
        number, n_texts = corpus_value(metric, texts)
    except MetricUnavailableError as error:
        return MetricValue.absent(error.cause)
    except Exception as error:  # noqa: BLE001 - a metric may raise anything, and the others go on
        return MetricValue.absent(_message(error), failed=True)
    value = finite_or_none(number)
    n_rows = joined.n_rows if n_texts == len(texts) else _rows_with_references(texts, joined)
    reason = metric.no_interval if value is not None else undefined_reason(metric)
    return MetricValue(value, None, n_rows, metric.scale, metric.higher_is_better, metric.signature(), reason)


def _rows_with_references(texts: Texts, joined: _Joined) -> int:
    return sum(bool(texts.references[start]) for start in joined.starts)


def _message(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
