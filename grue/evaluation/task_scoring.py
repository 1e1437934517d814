"""One task's scoring from its first portion to its values, wherever that runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace

from grue.core.judging import Judging
from grue.core.record import Record
from grue.core.rows import Row
from grue.core.task import RewardSpec, Setting, Suite
from grue.core.text import Json
from grue.evaluation.chunks import Chunk, ChunkScores, Key, message_of, score_chunk
from grue.evaluation.scoring import TaskScores, finish
from grue.evaluation.shelf import Shelf
from grue.evaluation.standing import Scales, Standing
from grue.evaluation.suite import BuiltSuite, build_suite
from grue.evaluation.yardsticks import Yardstick


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a task is scored: all that a process needs to build its suite, picklable.

    Attributes:
        suite: The task's suite without the plugin's functions.
        metrics: Metric names in the place of the suite's.
        settings: The user's metric settings.
        model_metrics: Whether metrics that need a model are computed.
        judging: Where judges run.
        seed: Seed of the intervals.
    """

    suite: Suite
    metrics: tuple[str, ...] | None = None
    settings: Mapping[str, Mapping[str, Setting]] = field(default_factory=dict)
    model_metrics: bool = True
    judging: Judging = field(default_factory=Judging)
    seed: int = 0

    def build(self) -> BuiltSuite:
        """The metrics, as they can be computed here."""
        return build_suite(
            self.suite,
            metrics=self.metrics,
            settings=self.settings,
            model_metrics=self.model_metrics,
            judging=self.judging,
        )


@dataclass(frozen=True, slots=True)
class Scored:
    """A task's values; arrays stand in the order of ``keys``.

    Attributes:
        keys: (id, sample), in id order.
        scores: ``None`` where scoring failed.
        standing: The task's score between its yardsticks.
        explanations: Lines of ``samples/<task>.explain.jsonl``.
        error: Why there are no scores.
    """

    ticket: str
    keys: list[Key] = field(default_factory=list)
    scores: TaskScores | None = None
    standing: Standing | None = None
    explanations: list[dict[str, Json]] = field(default_factory=list)
    error: str | None = None


def without_functions(suite: Suite) -> Suite:
    """The suite as plain values, for another process: a plugin's functions stay where they are."""
    return replace(
        suite,
        rows=_no_rows,
        postprocess=None,
        metrics=tuple(replace(spec, settings=dict(spec.settings)) for spec in suite.metrics),
        rewards=tuple(RewardSpec(spec.name, dict(spec.settings)) for spec in suite.rewards),
    )


class TaskScoring:
    """Scores one task portion by portion; the portions' sizes and order touch no number."""

    def __init__(self, recipe: Recipe) -> None:
        self._seed = recipe.seed
        self._built = recipe.build()
        self._scales = Scales(self._built, recipe.suite.primary)
        self._primary = recipe.suite.primary
        self._scores: list[ChunkScores] = []
        self._shelf = Shelf()

    def measure(self, yardstick: Yardstick) -> None:
        """Score a portion of what a null system or the oracle writes."""
        self._scales.add(yardstick)

    def add(self, chunk: Chunk) -> None:
        """Score a portion."""
        self._scores.append(score_chunk(self._built, chunk))
        self._scales.add_references(chunk)
        self._shelf.put(chunk)

    def finish(self, ticket: str) -> Scored:
        """Keys in id order and the task's values."""
        keys = sorted(key for scores in self._scores for key in scores.keys)
        scores = finish(self._built, self._scores, keys, seed=self._seed)
        standing = self._scales.standing(scores)
        explanations = self._shelf.explain(self._built.metrics, scores, keys, self._primary)
        return Scored(ticket, keys, scores, standing, explanations)

    def close(self) -> None:
        """Drop what was put aside."""
        self._shelf.close()


def score_here(ticket: str, recipe: Recipe, chunks: Iterable[Chunk], yardsticks: Iterable[Yardstick] = ()) -> Scored:
    """Score a task in this process; what raises becomes the answer's ``error``."""
    try:
        with closing(TaskScoring(recipe)) as scoring:
            for yardstick in yardsticks:
                scoring.measure(yardstick)
            for chunk in chunks:
                scoring.add(chunk)
            return scoring.finish(ticket)
    except Exception as error:  # noqa: BLE001 - no generation may be lost to whatever a metric raises
        return Scored(ticket, error=message_of(error))


def _no_rows(records: Iterable[Record]) -> Iterator[Row]:  # noqa: ARG001 - has the shape of a task's function
    return iter(())
