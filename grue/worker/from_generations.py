"""Reads what the first step wrote into a run to score: as ``grue merge`` reads the parts of a run."""

from __future__ import annotations

from dataclasses import replace

from grue.checkpoints.hashing import tokenizer_sha256, weights_sha256
from grue.checkpoints.weights import find_weights
from grue.core.errors import CheckpointError
from grue.core.judging import Judging
from grue.core.rows import Generation
from grue.core.run import Manifest, ModelInfo
from grue.evaluation.call import GenerationCall, RowsCall
from grue.evaluation.generate import processed
from grue.evaluation.plan import manifest, recipe, task_manifest
from grue.evaluation.prepare import generation_arguments, rows_arguments
from grue.evaluation.selection import TaskRows, select
from grue.evaluation.to_score import TaskToScore, ToScore
from grue.runs.partial import read_lines
from grue.runs.read import StoredRun, read_run
from grue.worker.reasons import internal
from grue.worker.scored import ScoreRequest

SEED = 0


def generations_to_score(request: ScoreRequest) -> ToScore:
    """Join generations with the rows that they were made for.

    Texts are all that is believed of the first step: rows, prompts and metrics come from the data here, and the
    weights are hashed again.

    Raises:
        JobError: where a task lacks a generation, or was asked other prompts than the data have.
        CheckpointError: where the weights are not those that generated.
    """
    stored = read_run(request.source, shard=True)
    before = stored.manifest_value()
    model = _model(before, request)
    call = RowsCall(tasks=",".join(request.tasks), split=request.split, data=request.data)
    selected = select(call, lambda: Judging(evaluated_sha256=model.weights_sha256))
    tasks = tuple(_task(name, asked, stored, before, call) for name, asked in selected.tasks.items())
    arguments = {"model": request.origin, **rows_arguments(call), **generation_arguments(GenerationCall(seed=SEED))}
    run = manifest(model, {task.name: task.manifest for task in tasks}, SEED, arguments, {})
    run = replace(run, environment={**run.environment, **before.environment})
    return ToScore(tasks=tasks, manifest=run, notes=(), path=request.out)


def _model(before: Manifest, request: ScoreRequest) -> ModelInfo:
    if request.checkpoint is None:
        raise internal("generations without a checkpoint")
    weights = weights_sha256(find_weights(request.checkpoint, allow_pickle=False))
    tokenizer = tokenizer_sha256(request.checkpoint)
    if (weights, tokenizer) != (before.model.weights_sha256, before.model.tokenizer_sha256):
        raise CheckpointError("The checkpoint changed while it was evaluated.", "Submit the checkpoint again.")
    kind = "hub" if request.revision else "local"
    return replace(before.model, source=request.origin, kind=kind, revision=request.revision or None)


def _task(name: str, asked: TaskRows, stored: StoredRun, before: Manifest, call: RowsCall) -> TaskToScore:
    made = before.tasks.get(name)
    if made is None or made.prompts_sha256 != asked.prompts_sha256:
        raise internal(f"{name} was asked other prompts than the data have")
    generations = _generations(asked, stored, name)
    result = stored.results_value().tasks[name]
    return TaskToScore(
        name=name,
        rows=asked.rows,
        generations=generations,
        recipe=recipe(asked, call, SEED),
        manifest=task_manifest(asked, call, 1, made.generation),
        postprocess=asked.suite.postprocess,
        language=asked.task.language,
        expected=len(asked.rows),
        cost=result.cost,
    )


def _generations(asked: TaskRows, stored: StoredRun, name: str) -> list[Generation]:
    lines = read_lines(stored.path / "samples" / f"{name}.partial.jsonl")
    wanted = {(row.id, 0) for row in asked.rows}
    if lines.keys() != wanted:
        raise internal(f"{name}: {len(wanted - lines.keys())} generations are missing")
    # The task's post-processing is done here, whatever the first step made of a text.
    raw = (replace(one, prediction=one.prediction if one.raw is None else one.raw, raw=None) for one in lines.values())
    return [processed(asked, one) for one in raw]
