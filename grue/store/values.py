"""What queries answer: values, never rows of the tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grue.core.metric import Floats
from grue.core.run import ScoreValue
from grue.runs.supersession import Supersession
from grue.store.records import Asked
from grue.store.suites import HIGH, LOW, VALUE, N, Suite

YARDSTICKS = ("null", "oracle")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """One run of the index, without its results.

    Attributes:
        created_at: As its manifest says it.
        seed: Seed of its generation.
        setting: Slug of the setting that it is ranked in.
        path: Where its run directory lies.
        checksum: Of its ``results.json``.
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
    path: str
    checksum: str
    grue: ScoreValue
    naturalness: ScoreValue
    superseded: Supersession | None

    @property
    def is_yardstick(self) -> bool:
        """Null systems and the oracle are shown beside the runs and never ranked."""
        return self.kind in YARDSTICKS


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
class Number:
    """One metric of one task of one run that has a value.

    Attributes:
        n: Rows behind the value.
        asked: What was asked of the task.
    """

    run_id: str
    value: float
    ci95: tuple[float, float] | None
    n: int
    scale: float | None
    higher_is_better: bool | None
    signature: str | None
    asked: Asked

    @property
    def key(self) -> tuple[str, int, str, str, str, str | None]:
        """The comparison key: only numbers with equal ones are ranked or compared."""
        return (*self.asked.rows_key, self.signature)


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

    def of(self, metric: str) -> list[Number]:
        """A metric's numbers, results without a value left out."""
        index = next((index for index, line in enumerate(self.suite.metrics) if line[0] == metric), None)
        if index is None:
            return []
        _, signature, scale, higher_is_better, _, _ = self.suite.metrics[index]
        return [
            Number(
                run_id,
                row[VALUE],
                (row[LOW], row[HIGH]) if row[LOW] == row[LOW] else None,  # NaN is unlike itself
                int(row[N]),
                scale,
                higher_is_better,
                signature,
                self.asked,
            )
            for run_id, row in zip(self.run_ids, self.numbers[:, index].tolist(), strict=True)
            if row[VALUE] == row[VALUE]
        ]


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

    def shown(self) -> str | None:
        """The metric that stands for the task: the first with a value, primary ones before others."""
        return next((name for name in self.metrics if any(block.of(name) for block in self.blocks)), None)


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
        asked: What was asked of the task.
        signature: Of the metric.
    """

    key: str
    name: str
    runs: tuple[str, ...]
    seeds: int
    mean: float
    spread: float | None
    ci95: tuple[float, float] | None
    asked: Asked
    signature: str | None


@dataclass(frozen=True, slots=True)
class Best:
    """The best value so far, from the time a run reached it."""

    run_id: str
    name: str
    created_at: str
    value: float
