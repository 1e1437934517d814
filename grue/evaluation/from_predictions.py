"""Reads a prediction file into something to score."""

from __future__ import annotations

from pathlib import Path

from grue.core.errors import SubmissionError
from grue.core.rows import Generation
from grue.core.run import Cost, ModelInfo
from grue.core.task import STANDARD
from grue.core.text import Json
from grue.evaluation.call import OutputCall, RowsCall
from grue.evaluation.generate import processed
from grue.evaluation.plan import default_path, manifest, recipe, task_manifest
from grue.evaluation.prepare import rows_arguments
from grue.evaluation.selection import Selected, TaskRows, plugin_faults, select
from grue.evaluation.to_score import ScoreCall, TaskToScore, ToScore
from grue.registry.tasks import expand, list_tasks
from grue.runs.predictions import read_predictions, tasks_in

SOURCE = "predictions"


def predictions_to_score(call: ScoreCall, out: OutputCall) -> ToScore:
    """Check a prediction file against the rows asked for.

    Raises:
        SubmissionError: for a faulty file; it names lines, ids and fixes.
        UsageError: for an unknown task, split, metric or setting.
        TaskDataError: for a fault in the data.
    """
    rows_call = _rows_call(call)
    selected = select(rows_call)
    known = [task.name for task in list_tasks(call.include)]
    found = read_predictions(call.source, {name: task.rows for name, task in selected.tasks.items()}, known)
    tasks = tuple(
        _task(name, selected.tasks[name], generations, found.samples[name], rows_call, call.seed)
        for name, generations in found.tasks.items()
        if name in selected.tasks
    )
    model = ModelInfo(
        name=call.name or _stem(call.source),
        source=SOURCE,
        kind=SOURCE,
        weights_sha256=found.sha256,
        meta=call.meta,
    )
    arguments: dict[str, Json] = {**rows_arguments(rows_call), "seed": call.seed, "predictions": str(call.source)}
    run = manifest(model, {task.name: task.manifest for task in tasks}, call.seed, arguments, {})
    path = out.path or default_path(selected.settings["GRUE_RESULTS_DIR"], model, run.identity)
    return ToScore(tasks=tasks, manifest=run, notes=_notes(selected), path=path)


def _rows_call(call: ScoreCall) -> RowsCall:
    held = set(tasks_in(call.source))
    if call.tasks is None:
        known = [task.name for task in list_tasks(call.include)]
        names = [name for name in known if name in held]
        if not names:
            read_predictions(call.source, {}, known)  # names the faulty lines, where there are any
            raise SubmissionError(
                "The file holds no prediction.",
                'Each line should be {"task": …, "id": …, "prediction": …}.',
                place=str(call.source),
            )
    else:
        wanted = expand(call.tasks, call.include)
        # A group stands for those of its tasks that the file holds; a task named alone must be in it.
        names = [name for name in wanted.names if name in held or name not in wanted.optional]
    return RowsCall(
        tasks=",".join(names) or str(call.tasks),
        split=call.split,
        data=call.data,
        limit=call.limit,
        profile=call.profile or STANDARD,
        settings=call.settings,
        metrics=call.metrics,
        model_metrics=call.model_metrics,
        include=call.include,
        offline=call.offline,
    )


def _task(
    name: str, asked: TaskRows, generations: list[Generation], samples: int, call: RowsCall, seed: int
) -> TaskToScore:
    return TaskToScore(
        name=name,
        rows=asked.rows,
        generations=[_processed(asked, generation) for generation in generations],
        recipe=recipe(asked, call, seed),
        manifest=task_manifest(asked, call, samples, {}),
        postprocess=asked.suite.postprocess,
        language=asked.task.language,
        expected=len(asked.rows),
        cost=Cost(wall_seconds=0.0),
    )


def _processed(asked: TaskRows, generation: Generation) -> Generation:
    """A prediction after the task's post-processing, which leaves processed text as it is."""
    with plugin_faults(asked.task.name, "its post-processing"):
        return processed(asked, generation)


def _stem(path: Path) -> str:
    name = path.name.removesuffix(".gz")
    return name.removesuffix(".jsonl") or path.name


def _notes(selected: Selected) -> tuple[str, ...]:
    return (f"Passed over, no rows here: {', '.join(selected.passed_over)}.",) if selected.passed_over else ()
