"""What ``score`` is asked for, and a run that is ready to be scored: texts there, rows checked, no model needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grue.core.rows import Generation, Row
from grue.core.run import Cost, Manifest, TaskManifest
from grue.core.task import Setting
from grue.evaluation.call import at_least_one
from grue.evaluation.task_scoring import Recipe

SettingTable = Mapping[str, Mapping[str, Setting]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreCall:
    """What a user asks ``score`` for.

    Attributes:
        source: Prediction file or run directory.
        tasks: Tasks or groups; ``None`` for all that the source holds.
        profile: ``None`` for ``standard``, or the profile of a run directory.
        seed: Seed of the intervals for a prediction file.

    The other attributes are those of ``RowsCall``; a run directory has its own rows.
    """

    source: Path
    tasks: str | None = None
    data: str | None = None
    split: str | None = None
    limit: int | None = None
    name: str | None = None
    profile: str | None = None
    metrics: tuple[str, ...] | None = None
    settings: SettingTable = field(default_factory=dict)
    model_metrics: bool = True
    seed: int = 0
    meta: Mapping[str, str] = field(default_factory=dict)
    include: tuple[Path, ...] = ()
    offline: bool = False

    def __post_init__(self) -> None:
        at_least_one("-L", self.limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskToScore:
    """One task with its generations.

    Attributes:
        rows: Rows as they are scored; their ids are those that generations must have.
        postprocess: The task's post-processing, for the yardsticks.
        language: Of the task, as a BCP 47 tag.
        expected: Rows asked for; more than are there where an earlier run could not generate all.
        cost: What generation cost, as far as it is known.
        error: Why not all generations are there.
        yardstick_rows: What null systems and the oracle are asked for; ``None`` for ``rows``. The oracle's own run is
            scored without the references it wrote, and stands beside systems that see all.
    """

    name: str
    rows: tuple[Row, ...]
    generations: Sequence[Generation]
    recipe: Recipe
    manifest: TaskManifest
    postprocess: Callable[[str], str] | None
    language: str
    expected: int
    cost: Cost
    error: str | None = None
    yardstick_rows: tuple[Row, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToScore:
    """A whole run to score, checked."""

    tasks: tuple[TaskToScore, ...]
    manifest: Manifest
    notes: tuple[str, ...]
    path: Path
