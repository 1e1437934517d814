"""What queries answer: values, never rows of the tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from grue.core.metric import Floats
from grue.core.run import ScoreValue
from grue.runs.supersession import Supersession
from grue.store.records import Asked
from grue.store.suites import VALUE, Suite

YARDSTICKS = ("null", "oracle")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """One run of the index, without its results.

    Attributes:
        created_at: As its manifest says it.
        seed: Seed of its generation.
        setting: Slug of the setting that it is ranked in.
        superseded: The decision by which another run took its place; ``None`` where it counts.
    """

    run_id: str
    identity: str
    entry_key: str
    created_at: str
    created_microseconds: int
    name: str
    kind: str
    source: str
    mark: str
    seed: int
    parameters: int | None
    status: str
    setting: str
    grue: ScoreValue
    naturalness: ScoreValue
    superseded: Supersession | None

    @property
    def is_yardstick(self) -> bool:
        """Null systems and the oracle are shown beside the runs and never ranked."""
        return self.kind in YARDSTICKS


@dataclass(frozen=True, slots=True)
class Location:
    """Where a run lies, and the checksum of its ``results.json`` as it was indexed."""

    run_id: str
    path: Path
    checksum: str


@dataclass(frozen=True, slots=True)
class RunPage:
    """Some runs, oldest first; ``next_cursor`` asks for those after them and is ``None`` at the end."""

    runs: tuple[RunSummary, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class SettingSummary:
    """A setting, with the number of its runs that count."""

    slug: str
    runs: int


@dataclass(frozen=True, slots=True)
class TaskSummary:
    """A task, with the number of runs that count and the settings that have it."""

    task: str
    runs: int
    settings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scored:
    """What numbers have in common that were asked and scored alike.

    Attributes:
        metric: The metric's name.
        asked: What was asked of the task.
        key: The comparison key: only numbers with equal ones are ranked or compared.
    """

    metric: str
    signature: str | None
    scale: float | None
    higher_is_better: bool | None
    asked: Asked
    key: tuple[str, int, str, str, str, str | None]


@dataclass(frozen=True, slots=True)
class Number:
    """One metric of one task of one run that has a value; ``n`` is the number of rows behind it."""

    run_id: str
    value: float
    ci95: tuple[float, float] | None
    n: int
    scored: Scored


@dataclass(frozen=True, slots=True)
class Block:
    """Results of one task that were asked and scored alike.

    Attributes:
        run_ids: One a result.
        numbers: Shape (results, metrics and rewards, 4): value, lower bound, upper bound, rows; NaN where there is
            none.
    """

    asked: Asked
    suite: Suite
    run_ids: tuple[str, ...]
    numbers: Floats

    def has(self, metric: str) -> bool:
        """Whether any result has a value of a metric."""
        index = self._index(metric)
        return index is not None and bool(np.isfinite(self.numbers[:, index, VALUE]).any())

    def of(self, metric: str) -> list[Number]:
        """A metric's numbers, results without a value left out."""
        index = self._index(metric)
        if index is None:
            return []
        name, signature, scale, higher_is_better, _, _ = self.suite.metrics[index]
        scored = Scored(name, signature, scale, higher_is_better, self.asked, (*self.asked.rows_key, signature))
        # A number that is unlike itself is none.
        return [
            Number(run_id, value, (low, high) if low == low else None, int(n), scored)
            for run_id, (value, low, high, n) in zip(self.run_ids, self.numbers[:, index].tolist(), strict=True)
            if value == value
        ]

    def _index(self, metric: str) -> int | None:
        return next((index for index, line in enumerate(self.suite.metrics) if line[0] == metric), None)


@dataclass(frozen=True, slots=True)
class TaskBoard:
    """All results of one task in a setting, in blocks of those that were asked and scored alike."""

    task: str
    blocks: tuple[Block, ...]

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of all metrics, each once: the primary ones first, those without a direction last."""
        primary = [name for block in self.blocks for name in block.asked.primary]
        lines = [line for block in self.blocks for line in block.suite.metrics]
        directed = [name for name, _, _, higher_is_better, _, _ in lines if higher_is_better is not None]
        return tuple(dict.fromkeys([*primary, *directed, *(line[0] for line in lines)]))

    def of(self, metric: str) -> list[Number]:
        """A metric's numbers, by run id; results without a value are left out."""
        return sorted((number for block in self.blocks for number in block.of(metric)), key=lambda one: one.run_id)

    def usual(self, metric: str) -> list[Number]:
        """A metric's numbers that can be ranked together: those with the most common comparison key, by run id."""
        groups: dict[tuple[object, ...], list[Number]] = {}
        for block in self.blocks:
            numbers = block.of(metric)
            if numbers:
                groups.setdefault(numbers[0].scored.key, []).extend(numbers)
        most = max(groups, key=lambda key: (len(groups[key]), str(key)), default=None)
        return [] if most is None else sorted(groups[most], key=lambda one: one.run_id)

    def shown(self) -> str | None:
        """The metric that stands for the task: the first with a value, primary ones before others."""
        return next((name for name in self.metrics if any(block.has(name) for block in self.blocks)), None)


@dataclass(frozen=True, slots=True)
class Board:
    """A setting's runs and what came out of them.

    Attributes:
        runs: By id; superseded ones are left out unless asked for.
        tasks: Task -> its results.
    """

    setting: str
    runs: Mapping[str, RunSummary]
    tasks: Mapping[str, TaskBoard]


@dataclass(frozen=True, slots=True)
class Entry:
    """Runs that stand as one: repeats of one identity, and runs that differ in seed alone.

    Attributes:
        key: What they share.
        name: Of the earliest run.
        runs: Their ids, earliest first.
        seeds: How many seeds the mean is over.
        mean: Of the seeds' values; a seed's repeats give the value of the earliest of them.
        spread: Standard deviation over seeds (n - 1); ``None`` for one seed.
        ci95: Interval of the mean over rows and seeds; ``None`` where a run has none.
        scored: What was asked and how it was scored.
    """

    key: str
    name: str
    runs: tuple[str, ...]
    seeds: int
    mean: float
    spread: float | None
    ci95: tuple[float, float] | None
    scored: Scored


@dataclass(frozen=True, slots=True)
class Best:
    """The best value so far, from the time a run reached it."""

    run_id: str
    name: str
    created_at: str
    value: float
