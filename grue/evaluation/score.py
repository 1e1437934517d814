"""Scoring without a model: a prediction file, or a run directory again from itself."""

from __future__ import annotations

from dataclasses import dataclass

from grue.core.errors import UsageError
from grue.core.run import TaskResult
from grue.evaluation.call import OutputCall
from grue.evaluation.portions import chunks_of
from grue.evaluation.progress import Progress
from grue.evaluation.results import FINISHED, PARTIAL, run_scores, task_result, validity_of, write_scored
from grue.evaluation.run import Outcome
from grue.evaluation.standing import Standing
from grue.evaluation.task_scoring import Scored, score_here
from grue.evaluation.to_score import ScoreCall, TaskToScore, ToScore
from grue.evaluation.yardsticks import yardsticks
from grue.runs.directory import RunDirectory
from grue.runs.validity import TaskValidity, Validity


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
        standings: dict[str, Standing | None] = {}
        reports: dict[str, TaskValidity] = {}
        for task in ready.tasks:
            progress.phase(f"scoring {task.name}")
            scored = _scored(run, task)
            results[task.name], standings[task.name] = scored.result, scored.standing
            if scored.validity is not None:
                reports[task.name] = scored.validity
        status = FINISHED if all(result.status == FINISHED for result in results.values()) else PARTIAL
        run.event("ended", status=status)
        run.write_validity(Validity(reports))
        run.finish(status, results, run_scores(standings))
    return Outcome(path=run.path, was_finished=False, notes=ready.notes)


@dataclass(frozen=True, slots=True)
class _ScoredTask:
    result: TaskResult
    standing: Standing | None
    validity: TaskValidity | None


def _scored(run: RunDirectory, task: TaskToScore) -> _ScoredTask:
    ordered = sorted(task.generations, key=lambda g: (g.id, g.sample))
    stored = run.stored(task.name)
    run.append(task.name, [g for g in ordered if (g.id, g.sample) not in stored])
    if task.error:
        # Values of some rows under the name of all would mislead: the task has none.
        scored = Scored(task.name, error=task.error)
    else:
        rows = {row.id: row for row in task.rows}
        measured = yardsticks(task.rows if task.yardstick_rows is None else task.yardstick_rows, task.postprocess)
        scored = score_here(task.name, task.recipe, chunks_of(ordered, rows), measured)
    error = task.error or (f"scoring failed: {scored.error}" if scored.error else None)
    write_scored(run, task.name, task.rows, ordered, scored)
    result = task_result(task.manifest, ordered, expected=task.expected, scored=scored, error=error, cost=task.cost)
    report = validity_of(
        run, task.name, task.rows, ordered, result, scored, language=task.language, primary=task.manifest.primary
    )
    return _ScoredTask(result, scored.standing, report)
