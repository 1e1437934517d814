"""Where a task's values stand: quality between floor and ceiling, naturalness beside the references."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from grue.core.metric import Metric, Texts
from grue.core.run import TaskScore
from grue.engine.null import ORACLE
from grue.evaluation.chunks import Chunk, ChunkScores, score_chunk
from grue.evaluation.scoring import TaskScores, finish
from grue.evaluation.suite import BuiltSuite
from grue.evaluation.yardsticks import FLOOR, NULL_SYSTEMS, Yardstick
from grue.stats.grue_score import NATURALNESS, Primary, Quality, naturalness, quality


@dataclass(frozen=True, slots=True)
class Standing:
    """A task's score, and its quality's resampled values for the score over all tasks."""

    score: TaskScore
    quality: Quality


@dataclass(slots=True)
class Scales:
    """Scores yardsticks and references while a task runs, by the metrics that the score needs and no other.

    Attributes:
        suite: The task's whole suite.
        primary: Names of the task's own primary metrics.
    """

    suite: BuiltSuite
    primary: tuple[str, ...]
    _systems: dict[str, list[ChunkScores]] = field(default_factory=dict)
    _references: list[ChunkScores] = field(default_factory=list)

    def add(self, yardstick: Yardstick) -> None:
        """Score a portion of a yardstick; none where no primary metric is computed here."""
        if not any(name in self.suite.metrics for name in self.primary):
            return
        scores = score_chunk(self.suite.only(self.primary), yardstick.chunk)
        self._systems.setdefault(yardstick.system, []).append(scores)

    def add_references(self, chunk: Chunk) -> None:
        """Take the first references of a portion's rows, each row once."""
        places = [
            index
            for index, ((_, sample), references) in enumerate(zip(chunk.keys, chunk.texts.references, strict=True))
            if sample == 0 and references
        ]
        texts = chunk.texts
        first = Texts(
            [texts.references[index][0] for index in places],
            [texts.references[index] for index in places],
            [texts.inputs[index] for index in places],
        )
        suite = self.suite.only(self._natural())
        self._references.append(score_chunk(suite, Chunk([chunk.keys[index] for index in places], first)))

    def primaries(self) -> list[Primary]:
        """The primary metrics with their floors and ceilings, and no value yet."""
        floors, oracle = self._system(FLOOR), self._system(ORACLE)
        return [_primary(name, self.suite.metrics.get(name), floors, oracle) for name in self.primary]

    def standing(self, scores: TaskScores) -> Standing:
        """The task's score from the run's values."""
        primaries = [
            replace(
                metric,
                value=scores.values[metric.name].value if metric.name in scores.values else None,
                resampled=scores.resampled.get(metric.name),
            )
            for metric in self.primaries()
        ]
        values = {name: scores.values[name].value for name in self._natural() if name in scores.values}
        references = _values(self.suite.only(self._natural()), self._references)
        found = quality(primaries)
        return Standing(
            TaskScore(
                quality=found.score,
                naturalness=naturalness(values, references),
                floor={metric.name: metric.floor for metric in primaries},
                ceiling={metric.name: metric.ceiling for metric in primaries},
                null_systems={name: self._system(name) for name in NULL_SYSTEMS if name in self._systems},
                statistics={name: (values[name], references.get(name)) for name in values},
            ),
            found,
        )

    def _system(self, name: str) -> dict[str, float | None]:
        return _values(self.suite.only(self.primary), self._systems.get(name, []))

    def _natural(self) -> tuple[str, ...]:
        return tuple(name for name in NATURALNESS if name in self.suite.metrics)


def _primary(
    name: str, metric: Metric | None, floors: Mapping[str, float | None], oracle: Mapping[str, float | None]
) -> Primary:
    ceiling = oracle.get(name)
    if ceiling is None and metric is not None:
        ceiling = best(metric)
    return Primary(name, None, floors.get(name), ceiling, metric.scale if metric else None)


def _values(suite: BuiltSuite, parts: Sequence[ChunkScores]) -> dict[str, float | None]:
    keys = sorted(key for part in parts for key in part.keys)
    if not keys:
        return {}
    return {name: value.value for name, value in finish(suite, parts, keys, intervals=False).values.items()}


def best(metric: Metric) -> float | None:
    """The best value a metric can have: its maximum, or 0 where lower is better; ``None`` where there is none."""
    return 0.0 if metric.higher_is_better is False else metric.scale
