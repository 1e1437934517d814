"""Reads a run directory into something to score again, from nothing but itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from grue.core import reach
from grue.core.errors import CheckpointError, UsageError
from grue.core.judging import Judging
from grue.core.rows import Generation, Row
from grue.core.run import ModelInfo, TaskManifest
from grue.core.task import Setting, Task
from grue.core.text import Json, nearest
from grue.evaluation.call import OutputCall, RowsCall
from grue.evaluation.plan import default_path, manifest
from grue.evaluation.results import FINISHED
from grue.evaluation.selection import JUDGES, check_names, metric_settings, plugin_faults, suite_of, working_settings
from grue.evaluation.suite import build_suite
from grue.evaluation.task_scoring import Recipe, without_functions
from grue.evaluation.to_score import ScoreCall, TaskToScore, ToScore
from grue.registry.tasks import expand, load_task
from grue.runs.fields import Fields
from grue.runs.read import MANIFEST, StoredRun, read_run
from grue.runs.rows import check_rows

PROMPT = "prompt"
ORACLE = "oracle"


def run_to_score(call: ScoreCall, out: OutputCall) -> ToScore:
    """Read rows, texts and settings of a run; what the call names is laid over them.

    Without a folder named, a run whose scoring failed is mended where it is; any other result is a new run
    directory beside the others. ``-o`` may name the run itself for such a repair alone.

    Raises:
        UsageError: for a flag that a run directory has an answer to, or an unknown name.
        RunDirectoryError: where the run is unfinished or damaged, or holds other rows than its manifest says.
    """
    _refuse_row_flags(call)
    stored = read_run(call.source)
    before = stored.manifest_value()
    names = _names(call, tuple(before.tasks))
    for name in names:
        check_rows(stored, name)
    tasks = tuple(task_to_score(name, before.tasks[name], stored, call) for name in names)
    model: ModelInfo = replace(before.model, name=call.name or before.model.name)
    arguments = {**before.arguments, **_scored_by(_arguments(stored), call), "rescored_from": before.run_id}
    run = manifest(
        model, {task.name: task.manifest for task in tasks}, before.seed, arguments, dict(before.environment)
    )
    is_repair = run.identity == before.identity and stored.results["status"] != FINISHED
    path = out.path or (
        call.source if is_repair else default_path(working_settings()["GRUE_RESULTS_DIR"], model, run.identity)
    )
    if path.resolve() == call.source.resolve() and run.identity != before.identity:
        raise UsageError(
            "The new values would take the place of others in the same run directory.",
            "Name another folder with -o, or none.",
            place=str(path),
        )
    return ToScore(tasks=tasks, manifest=run, notes=(), path=path)


def _refuse_row_flags(call: ScoreCall) -> None:
    for flag, value in (("--data", call.data), ("--split", call.split), ("-L", call.limit)):
        if value is not None:
            raise UsageError(f"{flag} does not apply to a run directory: it holds its own rows.", f"Leave out {flag}.")


def _names(call: ScoreCall, held: tuple[str, ...]) -> tuple[str, ...]:
    if call.tasks is None:
        return held
    wanted = expand(call.tasks, call.include)
    for name in wanted.names:
        if name not in held and name not in wanted.optional:
            raise UsageError(
                f"The run has no task {name!r}.{nearest(name, held)}",
                f"It has: {', '.join(held)}.",
                place=str(call.source),
            )
    return tuple(name for name in wanted.names if name in held)


def task_to_score(name: str, before: TaskManifest, stored: StoredRun, call: ScoreCall) -> TaskToScore:
    """A task of a stored run with its rows, texts and settings, what the call names laid over them.

    Raises:
        UsageError: where another version of the task is installed, or for an unknown name.
    """
    task = load_task(name, call.include)
    if task.version != before.version:
        raise UsageError(
            f"The run holds version {before.version} of task {name!r}; version {task.version} is installed.",
            "Install the version of the run, or evaluate the model again.",
            place=str(stored.path),
        )
    rows_call = _rows_call(task, before, _arguments(stored), call)
    check_names(rows_call)
    reach.set_offline(call.offline)
    suite, quirks = suite_of(task, rows_call.profile, rows_call.settings)
    settings = metric_settings(rows_call)
    judging = _judging(before, stored, call)
    built = build_suite(
        suite,
        metrics=rows_call.metrics,
        settings=settings,
        model_metrics=rows_call.model_metrics,
        judging=judging,
    )
    rows, generations = texts_of(stored, name)
    result = stored.results_value().tasks[name]
    lacking = result.expected * before.samples - len(generations)
    with plugin_faults(name, "its suite"):
        primary = tuple(metric for metric in suite.primary if metric in built.order) or built.order
    return TaskToScore(
        name=name,
        rows=tuple(rows.values()),
        generations=generations,
        recipe=Recipe(
            suite=without_functions(suite),
            metrics=rows_call.metrics,
            settings=settings,
            model_metrics=rows_call.model_metrics,
            judging=judging,
            seed=stored.manifest["seed"],
        ),
        manifest=replace(
            before,
            profile=rows_call.profile,
            quirks=quirks,
            metrics=built.signatures(),
            rewards=built.reward_signatures(),
            primary=primary,
        ),
        postprocess=suite.postprocess,
        language=task.language,
        expected=result.expected,
        cost=result.cost,
        error=f"{lacking} generations are missing; evaluate the model again" if lacking > 0 else None,
        yardstick_rows=_with_held_back(rows, generations) if stored.manifest_value().model.kind == ORACLE else None,
    )


def _with_held_back(rows: Mapping[str, Row], generations: Sequence[Generation]) -> tuple[Row, ...]:
    """The oracle's rows with the references that are its texts, as the data have them."""
    held = {made.id: made.prediction if made.raw is None else made.raw for made in generations}
    return tuple(replace(row, references=(*row.references, held[row.id])) for row in rows.values() if row.id in held)


def _judging(before: TaskManifest, stored: StoredRun, call: ScoreCall) -> Judging:
    """Where judges run; the checkpoint of the run is asked again where it still is."""
    model = stored.manifest_value().model
    return Judging(
        offline=call.offline,
        cache=working_settings().home / JUDGES,
        evaluated=_checkpoint(model),
        evaluated_sha256=model.weights_sha256,
        embedded=before.data.source == "mini",
    )


def _checkpoint(model: ModelInfo) -> Path | None:
    """The folder of a run's checkpoint on this machine; nothing is fetched for it."""
    if model.kind == "local":
        folder = Path(model.source)
        return folder if folder.is_dir() else None
    if model.kind == "demo":
        return Path(str(files("grue.engine") / "demo" / model.source.partition(":")[2]))
    if model.kind == "hub":
        from grue.checkpoints.hub import locate

        try:
            return locate(f"{model.source.partition('@')[0]}@{model.revision}", offline=True).folder
        except CheckpointError:
            return None
    return None


def _scored_by(arguments: Mapping[str, Any], call: ScoreCall) -> dict[str, Json]:
    """How the new run is scored: the earlier call with this one's wishes over it, for whoever scores it once more."""
    earlier: Mapping[str, Mapping[str, Setting]] = arguments.get("settings") or {}
    return {
        "profile": call.profile or arguments.get("profile"),
        "settings": {
            family: {**earlier.get(family, {}), **call.settings.get(family, {})}
            for family in {**earlier, **call.settings}
        },
        "metrics": list(call.metrics) if call.metrics else arguments.get("metrics"),
        "model_metrics": call.model_metrics and bool(arguments.get("model_metrics", True)),
    }


def _arguments(stored: StoredRun) -> Mapping[str, Any]:
    """The call of the run, as far as it says how to score.

    Raises:
        RunDirectoryError: for a value that no run writes.
    """
    arguments = Fields(stored.manifest, str(stored.path / MANIFEST)).child("arguments")
    arguments.strings("metrics")
    for _, family in arguments.children("settings"):
        for key in family.values:
            if not isinstance(family.values[key], str | int | float):
                raise family.fault(f"{key} should be a setting.")
    return arguments.values


def _rows_call(task: Task, before: TaskManifest, arguments: Mapping[str, Any], call: ScoreCall) -> RowsCall:
    """The call of the run with this call's wishes over it."""
    profile = call.profile or before.profile
    settings: dict[str, Mapping[str, Setting]] = {
        family: {**(arguments.get("settings") or {}).get(family, {}), **call.settings.get(family, {})}
        for family in {*(arguments.get("settings") or {}), *call.settings}
    }
    if call.profile is None:
        switches = {quirk.key: quirk.key in before.quirks for quirk in task.quirks}
        settings[task.name] = {**switches, **call.settings.get(task.name, {})}
    metrics = arguments.get("metrics")
    return RowsCall(
        tasks=task.name,
        profile=profile,
        settings=settings,
        metrics=call.metrics or (tuple(metrics) if metrics else None),
        model_metrics=call.model_metrics and bool(arguments.get("model_metrics", True)),
        include=call.include,
        offline=call.offline,
    )


def texts_of(stored: StoredRun, task: str) -> tuple[dict[str, Row], list[Generation]]:
    """Rows and generations of a task as the run stores them."""
    rows: dict[str, Row] = {}
    generations = []
    for line in stored.samples(task).to_pylist():
        inputs = json.loads(line["inputs"])
        prompt = inputs.pop(PROMPT, None) or ""
        rows.setdefault(line["id"], Row(line["id"], prompt, tuple(line["references"]), inputs))
        generations.append(
            Generation(
                id=line["id"],
                sample=line["sample"],
                prediction=line["prediction"],
                raw=line["raw"],
                prompt=line["prompt"],
                finish_reason=line["finish_reason"],
                prompt_tokens=line["prompt_tokens"],
                generated_tokens=line["generated_tokens"],
                prompt_cut=line["prompt_cut"],
            )
        )
    return rows, generations
