"""Do the texts of a run have the scores it says? Everything is scored again and compared.

The run is scored into a folder that is thrown away, by the very code of ``grue score RUN``, and what results from it
stands beside what is stored: values, intervals, columns of rows, statistics, rates, scores of tasks and run, the
validity report and the explanations. A signature says all that changes a value, so a value is compared wherever the
signatures are equal; intervals and reports carry none, and where another version of grue made the run a difference in
them alone is left open.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from grue.core.errors import GrueError, RunDirectoryError
from grue.evaluation.environment import grue_version
from grue.evaluation.from_run import task_to_score
from grue.evaluation.plan import manifest
from grue.evaluation.progress import Progress
from grue.evaluation.score import write_all
from grue.evaluation.to_score import ScoreCall, TaskToScore, ToScore
from grue.runs.read import StoredRun, read_run
from grue.verification.findings import FAILED, NOT_CHECKED, Finding
from grue.verification.run_values import reports, run_scores
from grue.verification.task_values import TaskValues

# Judges add in another order when their batches are composed otherwise, and on another device by other kernels.
JUDGED, JUDGED_ELSEWHERE = 1e-6, 1e-3


def rescored(
    stored: StoredRun,
    tasks: Sequence[str],
    include: Sequence[Path],
    progress: Progress,
    *,
    offline: bool,
    evaluated: Path | None = None,
) -> list[Finding]:
    """Score the texts of a run again and compare all that comes out.

    Args:
        stored: The run; its files may be damaged.
        tasks: Tasks whose samples can be read.
        include: Task plugins outside the installed packages.
        progress: Watches.
        offline: Look at local files only.
        evaluated: Folder of the run's checkpoint, for metrics that ask it; ``None`` looks where the manifest says.
    """
    findings = []
    ready = []
    call = ScoreCall(source=stored.path, include=tuple(include), offline=offline)
    before = stored.manifest_value()
    for name in tasks:
        try:
            task = task_to_score(name, before.tasks[name], stored, call)
        except RunDirectoryError as error:
            findings.append(Finding(check="scores", status=FAILED, task=name, place=error.place, message=error.cause))
        except GrueError as error:
            message = f"cannot be scored here: {error.cause}"
            findings.append(Finding(check="scores", status=NOT_CHECKED, task=name, message=message))
        else:
            ready.append(_asking(task, evaluated) if evaluated else task)
    if not ready:
        return findings
    again = manifest(before.model, {task.name: task.manifest for task in ready}, before.seed, before.arguments, {})
    with TemporaryDirectory(prefix="grue-verify-") as folder:
        outcome = write_all(
            ToScore(tasks=tuple(ready), manifest=again, notes=(), path=Path(folder) / "run"),
            fresh=False,
            progress=progress,
        )
        return findings + list(_compared(stored, read_run(outcome.path), [task.name for task in ready]))


def _asking(task: TaskToScore, evaluated: Path) -> TaskToScore:
    judging = replace(task.recipe.judging, evaluated=evaluated)
    return replace(task, recipe=replace(task.recipe, judging=judging))


def _compared(stored: StoredRun, again: StoredRun, tasks: Sequence[str]) -> Iterator[Finding]:
    before, after = stored.results_value(), again.results_value()
    is_same = stored.manifest_value().grue == grue_version()
    device = stored.manifest_value().environment.get("device")
    judged = JUDGED if device in (None, "cpu") else JUDGED_ELSEWHERE
    found = {}
    for name in tasks:
        found[name] = TaskValues(stored, again, name, is_same=is_same, judged=judged).compare(
            before.tasks[name], after.tasks[name]
        )
    for task in found.values():
        yield from task.findings()
    whole = len(tasks) == len(before.tasks) and not any(task.open for task in found.values())
    yield from run_scores(stored, before, after, is_same=is_same, whole=whole, tolerance=judged)
    yield from reports(stored, again, tasks, is_same=is_same, whole=whole, tolerance=judged)
