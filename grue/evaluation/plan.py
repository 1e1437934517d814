"""What a run will do, complete and checked before anything runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grue.core.decoding import Decoding, override
from grue.core.errors import UsageError
from grue.core.rows import Row
from grue.core.run import Manifest, ModelInfo, Shard, TaskManifest
from grue.core.text import Json
from grue.engine.protocol import Engine, Job
from grue.evaluation.call import GenerationCall, RowsCall
from grue.evaluation.environment import environment, grue_version
from grue.evaluation.progress import Workload
from grue.evaluation.selection import Selected, TaskRows, metric_settings
from grue.evaluation.shard import rows_of
from grue.evaluation.task_scoring import Recipe, without_functions
from grue.runs.identity import folder_name, new_run_id, run_identity, timestamp

# Where no tokeniser was asked yet; English prose has a little more than four characters a token.
CHARACTERS_A_TOKEN = 4.2


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTask:
    """One task of a run, ready to generate and to score.

    Attributes:
        name: The task's name.
        asked: The task as the user asks for it.
        rows: The rows that the engine covers, as they are scored; of a part of a run only the part's.
        job: How they are generated.
        recipe: How they are scored.
        manifest: What the manifest says of it.
    """

    name: str
    asked: TaskRows
    rows: tuple[Row, ...]
    job: Job
    recipe: Recipe
    manifest: TaskManifest

    def workload(self, stored: int) -> Workload:
        """What is left to generate, for whoever watches."""
        characters = sum(len(row.prompt) for row in self.rows) / max(1, len(self.rows))
        return Workload(
            task=self.name,
            total=len(self.rows) * self.manifest.samples,
            stored=stored,
            prompt_tokens=min(characters / CHARACTERS_A_TOKEN, self.job.truncation.max_tokens),
            new_tokens=self.job.decoding.max_new_tokens,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A whole run; ``notes`` are things a user should know before it starts."""

    tasks: tuple[PlannedTask, ...]
    manifest: Manifest
    notes: tuple[str, ...]


def plan(
    engine: Engine, selected: Selected, rows_call: RowsCall, generation: GenerationCall, arguments: Mapping[str, Json]
) -> Plan:
    """Join engine, tasks and metrics.

    Args:
        engine: The opened engine; its weights are not loaded yet.
        selected: Tasks with their rows.
        rows_call: What the user asked for.
        generation: How to generate.
        arguments: The call as the manifest records it.

    Raises:
        UsageError: where several samples are asked of greedy or beam search, or no row is left to generate for.
        CheckpointError: where no prompt fits the model's context.
    """
    tasks = []
    notes = [f"Passed over, no rows here: {', '.join(selected.passed_over)}."] if selected.passed_over else []
    for name, asked in selected.tasks.items():
        covered = tuple(engine.covered(asked.rows))
        if not covered:
            notes.append(f"Left out: {name} has no row that {engine.info.name} can write for.")
            continue
        tasks.append(_planned(name, asked, covered, engine, rows_call, generation))
    if not tasks:
        raise UsageError(
            f"{engine.info.source} can write for no row of {', '.join(selected.tasks)}.",
            "The oracle needs rows with several references: choose another task, for example commongen.",
        )
    if engine.info.kind not in ("null", "oracle"):
        _check_samples(tasks, generation)
    whole = Plan(
        tasks=tuple(tasks),
        manifest=manifest(
            engine.info, {task.name: task.manifest for task in tasks}, generation.seed, arguments, engine.environment()
        ),
        notes=tuple(notes),
    )
    return _part(whole, generation.shard) if generation.shard else whole


def manifest(
    model: ModelInfo,
    tasks: Mapping[str, TaskManifest],
    seed: int,
    arguments: Mapping[str, Json],
    device: Mapping[str, Json],
) -> Manifest:
    """The manifest of a run that starts now."""
    return Manifest(
        run_id=new_run_id(),
        identity=run_identity(model, tasks, seed),
        created_at=timestamp(),
        grue=grue_version(),
        model=model,
        environment=environment(device),
        arguments=arguments,
        seed=seed,
        tasks=tasks,
    )


def default_path(results: str, model: ModelInfo, identity: str, shard: Shard | None = None) -> Path:
    """``<results folder>/<name>-<first 10 of the identity>``, the name made fit for any file system.

    A part of a run gets ``-shard-<number>-of-<parts>`` besides.
    """
    part = f"-shard-{shard.number}-of-{shard.of}" if shard else ""
    return Path(results).expanduser() / f"{folder_name(model.name, identity)}{part}"


def task_manifest(asked: TaskRows, call: RowsCall, samples: int, generation: Mapping[str, Json]) -> TaskManifest:
    """What the manifest says of a task."""
    return TaskManifest(
        version=asked.task.version,
        profile=call.profile,
        quirks=asked.quirks,
        split=asked.split,
        data=asked.data,
        prompts_sha256=asked.prompts_sha256,
        limit=call.limit,
        samples=samples,
        generation=generation,
        metrics=asked.built.signatures(),
        rewards=asked.built.reward_signatures(),
        primary=asked.primary,
    )


def recipe(asked: TaskRows, call: RowsCall, seed: int) -> Recipe:
    """How a task is scored, for whichever process does it."""
    return Recipe(
        suite=without_functions(asked.suite),
        metrics=call.metrics,
        settings=metric_settings(call),
        model_metrics=call.model_metrics,
        judging=asked.judging,
        seed=seed,
    )


def _planned(
    name: str, asked: TaskRows, rows: tuple[Row, ...], engine: Engine, call: RowsCall, generation: GenerationCall
) -> PlannedTask:
    decoding: Decoding = override(asked.suite.decoding, generation.overrides, greedy=generation.decoding == "greedy")
    job = Job(
        decoding=decoding,
        truncation=asked.suite.truncation,
        seed=generation.seed,
        rows=rows,
        samples=generation.samples,
        batch_rows=generation.batch_rows,
        batch_tokens=generation.batch_tokens,
        deterministic=generation.deterministic,
    )
    return PlannedTask(
        name=name,
        asked=asked,
        rows=rows,
        job=job,
        recipe=recipe(asked, call, generation.seed),
        manifest=task_manifest(asked, call, generation.samples, engine.settings(job)),
    )


def _part(whole: Plan, shard: Shard) -> Plan:
    """The plan of a part: fewer rows under the same identity."""
    if whole.manifest.model.kind == "oracle":
        raise UsageError("The oracle runs no model and has no parts.", "Leave out --shard.")
    chosen = rows_of({task.name: task.rows for task in whole.tasks}, shard)
    counted = replace(shard, rows={name: len(rows) for name, rows in chosen.items()})
    return replace(
        whole,
        tasks=tuple(_part_of(task, chosen[task.name], whole.manifest.model) for task in whole.tasks),
        manifest=replace(whole.manifest, shard=counted),
    )


def _part_of(task: PlannedTask, rows: tuple[Row, ...], model: ModelInfo) -> PlannedTask:
    # Null systems borrow from all rows of the run. A fixed composition is the part's own: were it the run's, every
    # part would decode the rows of all others.
    job = replace(task.job, rows=rows) if task.job.deterministic and model.kind != "null" else task.job
    return replace(task, rows=rows, job=job)


def _check_samples(tasks: Sequence[PlannedTask], generation: GenerationCall) -> None:
    fixed = [task.name for task in tasks if not task.job.decoding.do_sample]
    if generation.samples > 1 and fixed:
        raise UsageError(
            f"--samples {generation.samples} would draw the same text every time: {', '.join(fixed)} "
            f"{'does' if len(fixed) == 1 else 'do'} not sample.",
            "Add -g do_sample=true (or -g temperature=1), or leave out --samples.",
        )
