"""The scoring side of a run: a loop that takes texts as they are generated, in a process of its own.

Messages come as pickles on standard input and answers leave on standard output; both ends are grue itself. The
process ends when its input does, so that it never outlives the run that started it.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from grue.core.metric import Texts
from grue.core.record import Record
from grue.core.rows import Generation, Row
from grue.core.task import MetricSpec, RewardSpec, Setting, Suite
from grue.core.text import Json
from grue.evaluation.scoring import BuiltSuite, Chunk, ChunkScores, Key, TaskScores, build_suite, finish, score_chunk


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a task is scored: all that a process needs to build its suite, picklable.

    Attributes:
        suite: The task's suite without the plugin's functions.
        metrics: Metric names in the place of the suite's.
        settings: The user's metric settings.
        model_metrics: Whether metrics that need a model are computed.
        seed: Seed of the intervals.
    """

    suite: Suite
    metrics: tuple[str, ...] | None = None
    settings: Mapping[str, Mapping[str, Setting]] = field(default_factory=dict)
    model_metrics: bool = True
    seed: int = 0

    def build(self) -> BuiltSuite:
        """The metrics, as they can be computed here."""
        return build_suite(self.suite, metrics=self.metrics, settings=self.settings, model_metrics=self.model_metrics)


@dataclass(frozen=True, slots=True)
class Begin:
    """A task's scoring begins; ``ticket`` names it from now on."""

    ticket: str
    recipe: Recipe


@dataclass(frozen=True, slots=True)
class Portion:
    """Generations of a task to score, with their rows' references and inputs."""

    ticket: str
    chunk: Chunk


@dataclass(frozen=True, slots=True)
class End:
    """All portions of a task were sent; asks for its values."""

    ticket: str


@dataclass(frozen=True, slots=True)
class Scored:
    """A task's values; arrays stand in the order of ``keys``. ``scores`` is ``None`` where scoring failed."""

    ticket: str
    keys: list[Key]
    scores: TaskScores | None
    error: str | None = None


def without_functions(suite: Suite) -> Suite:
    """The suite as plain values, for another process: a plugin's functions stay where they are."""
    return replace(
        suite,
        rows=_no_rows,
        postprocess=None,
        metrics=tuple(MetricSpec(spec.name, dict(spec.settings)) for spec in suite.metrics),
        rewards=tuple(RewardSpec(spec.name, dict(spec.settings)) for spec in suite.rewards),
    )


def inputs_of(row: Row) -> dict[str, Json]:
    """What metrics may ask of a row: its inputs and its untruncated prompt."""
    return {"prompt": row.prompt, **row.inputs}


def chunk_of(generations: Sequence[Generation], rows: Mapping[str, Row]) -> Chunk:
    """Generations as a chunk to score, in their order."""
    return Chunk(
        keys=[(g.id, g.sample) for g in generations],
        texts=Texts(
            predictions=[g.prediction for g in generations],
            references=[rows[g.id].references for g in generations],
            inputs=[inputs_of(rows[g.id]) for g in generations],
        ),
    )


class TaskScoring:
    """Scores one task portion by portion; the portions' sizes and order touch no number."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._built = recipe.build()
        self._chunks: list[Chunk] = []
        self._scores: list[ChunkScores] = []

    def add(self, chunk: Chunk) -> None:
        """Score a portion."""
        self._scores.append(score_chunk(self._built, chunk))
        # What metrics noted for each other while they scored the portion is of no use afterwards.
        texts = replace(chunk.texts, memo={})
        self._chunks.append(Chunk(chunk.keys, texts))

    def finish(self) -> tuple[list[Key], TaskScores]:
        """Keys in id order and the task's values."""
        keys = [key for chunk in self._chunks for key in chunk.keys]
        order = sorted(range(len(keys)), key=keys.__getitem__)
        predictions = [text for chunk in self._chunks for text in chunk.texts.predictions]
        references = [texts for chunk in self._chunks for texts in chunk.texts.references]
        inputs = [values for chunk in self._chunks for values in chunk.texts.inputs]
        ordered = Texts([predictions[i] for i in order], [references[i] for i in order], [inputs[i] for i in order])
        ordered_keys = [keys[i] for i in order]
        return ordered_keys, finish(self._built, self._scores, ordered, ordered_keys, seed=self._recipe.seed)


def score_here(ticket: str, recipe: Recipe, chunks: Iterable[Chunk]) -> Scored:
    """Score a task in this process; what raises becomes the answer's ``error``."""
    try:
        scoring = TaskScoring(recipe)
        for chunk in chunks:
            scoring.add(chunk)
        keys, scores = scoring.finish()
    except Exception as error:  # noqa: BLE001 - no generation may be lost to whatever a metric raises
        return Scored(ticket, [], None, f"{type(error).__name__}: {error}")
    return Scored(ticket, keys, scores)


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer messages until the input ends."""
    running: dict[str, TaskScoring] = {}
    failed: dict[str, str] = {}
    for message in _messages(source):
        ticket = message.ticket
        if ticket in failed and not isinstance(message, End):
            continue
        try:
            if isinstance(message, Begin):
                running[ticket] = TaskScoring(message.recipe)
            elif isinstance(message, Portion):
                running[ticket].add(message.chunk)
            elif ticket in failed:
                _send(sink, Scored(ticket, [], None, failed.pop(ticket)))
            else:
                keys, scores = running.pop(ticket).finish()
                _send(sink, Scored(ticket, keys, scores))
        except BrokenPipeError:
            return
        except Exception as error:  # noqa: BLE001 - no generation may be lost to whatever a metric raises
            running.pop(ticket, None)
            failed[ticket] = f"{type(error).__name__}: {error}"
            if isinstance(message, End):
                _send(sink, Scored(ticket, [], None, failed.pop(ticket)))


def main() -> None:
    """Entry point of the process."""
    # Ctrl-C reaches the whole process group; the run stores what it has and then ends this process's input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a metric prints must not mix with the answers
    serve(sys.stdin.buffer, answers)


def _messages(source: BinaryIO) -> Iterator[Begin | Portion | End]:
    while True:
        try:
            yield pickle.load(source)  # noqa: S301 - written by the process that started this one
        except EOFError:
            return


def _send(sink: BinaryIO, answer: Scored) -> None:
    pickle.dump(answer, sink)
    sink.flush()


def _no_rows(records: Iterable[Record]) -> Iterator[Row]:  # noqa: ARG001 - has the shape of a task's function
    return iter(())
