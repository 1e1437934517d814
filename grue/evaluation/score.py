"""Scoring without a model: a prediction file, or a run directory again from itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grue.core.errors import UsageError
from grue.core.rows import Generation, Row
from grue.core.run import Cost, Manifest, TaskManifest, TaskResult
from grue.core.task import Setting
from grue.evaluation.call import OutputCall, at_least_one
from grue.evaluation.progress import Progress
from grue.evaluation.results import FINISHED, PARTIAL, task_result, write_scored
from grue.evaluation.run import Outcome
from grue.evaluation.scoring_process import Recipe, Scored, chunk_of, score_here
from grue.runs.directory import RunDirectory

SettingTable = Mapping[str, Mapping[str, Setting]]
# So many generations are scored at a time, so that a watcher sees it going on.
PORTION = 512


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
        expected: Rows asked for; more than are there where an earlier run could not generate all.
        cost: What generation cost, as far as it is known.
        error: Why not all generations are there.
    """

    name: str
    rows: tuple[Row, ...]
    generations: Sequence[Generation]
    recipe: Recipe
    manifest: TaskManifest
    expected: int
    cost: Cost
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToScore:
    """A whole run to score, checked."""

    tasks: tuple[TaskToScore, ...]
    manifest: Manifest
    notes: tuple[str, ...]
    path: Path


def score_call(call: ScoreCall, out: OutputCall, *, progress: Progress) -> Outcome:
    """Score a prediction file or a run directory into a run directory.

    Raises:
        UsageError: for a source that is neither, or a name that is not known.
        SubmissionError: for a faulty prediction file.
        RunDirectoryError: for a directory that cannot be read or written.
    """
    from grue.evaluation.from_predictions import predictions_to_score
    from grue.evaluation.from_run import run_to_score

    if not call.source.exists():
        raise UsageError(
            "No such file or folder.", "Give a prediction file or a run directory.", place=str(call.source)
        )
    try:
        ready = run_to_score(call, out) if call.source.is_dir() else predictions_to_score(call, out)
        for text in ready.notes:
            progress.note(text)
        return write_all(ready, fresh=out.fresh, progress=progress)
    finally:
        progress.stop()


def write_all(ready: ToScore, *, fresh: bool, progress: Progress) -> Outcome:
    """Score all tasks in this process and write the run directory, ``results.json`` last."""
    with RunDirectory.open(ready.path, ready.manifest, fresh=fresh) as run:
        if run.status == FINISHED:
            return Outcome(path=run.path, was_finished=True, notes=ready.notes)
        run.event("started", status=run.status, scoring_only=True)
        results: dict[str, TaskResult] = {}
        for task in ready.tasks:
            progress.phase(f"scoring {task.name}")
            results[task.name] = _scored(run, task)
        status = FINISHED if all(result.status == FINISHED for result in results.values()) else PARTIAL
        run.event("ended", status=status)
        run.finish(status, results)
    return Outcome(path=run.path, was_finished=False, notes=ready.notes)


def _scored(run: RunDirectory, task: TaskToScore) -> TaskResult:
    ordered = sorted(task.generations, key=lambda g: (g.id, g.sample))
    stored = run.stored(task.name)
    run.append(task.name, [g for g in ordered if (g.id, g.sample) not in stored])
    if task.error:
        # Values of some rows under the name of all would mislead: the task has none.
        scored = Scored(task.name, [], None, task.error)
    else:
        rows = {row.id: row for row in task.rows}
        portions = (chunk_of(ordered[start : start + PORTION], rows) for start in range(0, len(ordered), PORTION))
        scored = score_here(task.name, task.recipe, portions)
    error = task.error or (f"scoring failed: {scored.error}" if scored.error else None)
    write_scored(run, task.name, task.rows, ordered, scored)
    return task_result(task.manifest, ordered, expected=task.expected, scored=scored, error=error, cost=task.cost)
