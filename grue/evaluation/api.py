"""The Python API of the evaluator: ``grue.evaluate``, ``grue.merge`` and ``grue.score``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from grue.core.task import STANDARD, Setting
from grue.core.text import Json
from grue.engine.open import EngineOptions
from grue.evaluation.call import GenerationCall, OutputCall, RowsCall
from grue.evaluation.merge import MergeCall, merge_call
from grue.evaluation.prepare import evaluate_call
from grue.evaluation.progress import Progress, Silent
from grue.evaluation.score import score_call
from grue.evaluation.selection import names_of
from grue.evaluation.shard import parse_shard
from grue.evaluation.to_score import ScoreCall
from grue.runs.frames import Run, load_run

SettingTable = Mapping[str, Mapping[str, Setting]]


def evaluate(
    model: str,
    tasks: str | Sequence[str] = "grue",
    *,
    data: str | Path | None = None,
    split: str | None = None,
    limit: int | None = None,
    output: str | Path | None = None,
    name: str | None = None,
    device: str = "auto",
    devices: Sequence[str] = (),
    engine: str = "auto",
    base_url: str | None = None,
    cluster: str | None = None,
    workers: int = 1,
    dtype: str = "auto",
    batch_rows: int | None = None,
    batch_tokens: int | None = None,
    deterministic: bool = False,
    shard: str | None = None,
    seed: int = 0,
    samples: int = 1,
    generation: Mapping[str, Json] | None = None,
    decoding: str = "task",
    profile: str = STANDARD,
    metrics: str | Sequence[str] | None = None,
    settings: SettingTable | None = None,
    model_metrics: bool = True,
    chat_template: str = "auto",
    adapter: str | Path | None = None,
    allow_pickle: bool = False,
    trust_remote_code: bool = False,
    meta: Mapping[str, str] | None = None,
    fresh: bool = False,
    offline: bool = False,
    include: Sequence[str | Path] = (),
    progress: Progress | None = None,
) -> Run:
    """Generate and score, into a run directory; the same call goes on where it stopped.

    Args:
        model: Checkpoint folder, hub id ``org/name[@revision]``, ``demo:causal``, ``demo:seq2seq``, a null system,
            ``oracle:reference``, or ``openai:NAME``.
        tasks: Tasks or groups.
        data: ``mini``, ``hub`` or a folder; ``None`` for the setting ``GRUE_DATA``.
        split: ``None`` for each task's default.
        limit: Rows a task.
        output: Run directory; ``None`` for one named by model and identity in the results folder.
        name: Display name; ``None`` takes it from the model.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N``, ``mps``, or ``spread``: layers over all GPUs.
        devices: Devices that share the work, a process each, such as ``("cuda:0", "cuda:1")``.
        engine: ``auto``, ``hf``, ``vllm`` or ``openai``.
        base_url: Address of an OpenAI-compatible endpoint.
        cluster: ``ray`` for workers of a Ray cluster.
        workers: Workers that ``cluster`` asks for.
        dtype: ``auto``, ``float32``, ``bfloat16`` or ``float16``.
        batch_rows: Upper bound of rows a batch.
        batch_tokens: Upper bound of tokens held at once.
        deterministic: Fix which rows are decoded together.
        shard: ``i/n`` generates part ``i`` of ``n`` of the rows; ``grue.merge`` joins the parts.
        seed: Seed of sampling and of intervals.
        samples: Generations a prompt.
        generation: Decoding settings over the tasks' own, as ``-g`` takes them.
        decoding: ``task``, or ``greedy``.
        profile: ``standard`` or ``grue-paper``.
        metrics: Metric names in the place of the tasks' suites.
        settings: Family -> key -> value, as ``--set`` takes them.
        model_metrics: Whether metrics that need a model are computed.
        chat_template: ``auto``, ``on`` or ``off``.
        adapter: Folder of a PEFT adapter.
        allow_pickle: Whether weights in pickle files may be read.
        trust_remote_code: Whether code inside the checkpoint may run.
        meta: What you declare about the model.
        fresh: Start anew beside a run that is there.
        offline: Look at local files only.
        include: Folders of task plugins.
        progress: Watches the run; ``None`` watches in silence.

    Returns:
        The run. Its status is ``partial`` where a task or metric failed, and for a part of a run.

    Raises:
        GrueError: its children say what is wrong with the call, the data or the checkpoint, and how to mend it.
    """
    rows = RowsCall(
        tasks=tasks if isinstance(tasks, str) else ",".join(tasks),
        split=split,
        data=str(data) if data is not None else None,
        limit=limit,
        profile=profile,
        settings=settings or {},
        metrics=names_of(metrics),
        model_metrics=model_metrics,
        include=tuple(map(Path, include)),
        offline=offline,
    )
    how = GenerationCall(
        seed=seed,
        samples=samples,
        overrides=generation or {},
        decoding=decoding,
        batch_rows=batch_rows,
        batch_tokens=batch_tokens,
        deterministic=deterministic,
        shard=parse_shard(shard) if shard is not None else None,
    )
    options = EngineOptions(
        name=name,
        device=devices[0] if devices else device,
        devices=tuple(devices),
        engine=engine,
        base_url=base_url,
        cluster=cluster,
        workers=workers,
        dtype=dtype,
        chat_template=chat_template,
        adapter=Path(adapter) if adapter is not None else None,
        allow_pickle=allow_pickle,
        trust_remote_code=trust_remote_code,
        offline=offline,
        meta=meta or {},
    )
    out = OutputCall(path=Path(output) if output is not None else None, fresh=fresh)
    path = evaluate_call(model, options, rows, how, out, progress=progress or Silent()).path
    return load_run(path, shard=shard is not None)


def merge(
    shards: Sequence[str | Path],
    *,
    output: str | Path | None = None,
    fresh: bool = False,
    offline: bool = False,
    include: Sequence[str | Path] = (),
) -> Run:
    """Join the parts of a run, made with ``shard``, and score it whole; the parts are only read.

    Args:
        shards: Run directories of all parts, in any order.
        output: Run directory; ``None`` for one named by model and identity in the results folder.
        fresh: Start anew beside a run that is there.
        offline: Look at local files only.
        include: Folders of task plugins.

    Raises:
        GrueError: its children say which part is missing, unfinished or of another run, and how to mend it.
    """
    call = MergeCall(shards=tuple(map(Path, shards)), include=tuple(map(Path, include)), offline=offline)
    out = OutputCall(path=Path(output) if output is not None else None, fresh=fresh)
    return load_run(merge_call(call, out, progress=Silent()).path)


def score(
    source: str | Path,
    tasks: str | Sequence[str] | None = None,
    *,
    data: str | Path | None = None,
    split: str | None = None,
    limit: int | None = None,
    output: str | Path | None = None,
    name: str | None = None,
    profile: str | None = None,
    metrics: str | Sequence[str] | None = None,
    settings: SettingTable | None = None,
    model_metrics: bool = True,
    seed: int = 0,
    meta: Mapping[str, str] | None = None,
    fresh: bool = False,
    offline: bool = False,
    include: Sequence[str | Path] = (),
) -> Run:
    """Score a prediction file, or score a run directory again from itself; no model runs.

    Args:
        source: Prediction file (``.jsonl``, ``.jsonl.gz``) or run directory.
        tasks: Tasks or groups; ``None`` for all that the source holds.
        data: As for ``evaluate``; a run directory needs none.
        split: As for ``evaluate``; a run directory has its own.
        limit: As for ``evaluate``; a run directory has its own.
        output: Run directory; ``None`` for one named by model and identity in the results folder.
        name: Display name; ``None`` takes the file's or the run's.
        profile: ``standard`` or ``grue-paper``; ``None`` for ``standard``, or the profile of the run.
        metrics: Metric names in the place of the tasks' suites.
        settings: Family -> key -> value; laid over those of the run.
        model_metrics: Whether metrics that need a model are computed.
        seed: Seed of the intervals; a run directory has its own.
        meta: What you declare about the system behind a prediction file.
        fresh: Start anew beside a run that is there.
        offline: Look at local files only.
        include: Folders of task plugins.

    Raises:
        SubmissionError: for a faulty prediction file.
        GrueError: its children say what is wrong, and how to mend it.
    """
    call = ScoreCall(
        source=Path(source),
        tasks=tasks if tasks is None or isinstance(tasks, str) else ",".join(tasks),
        data=str(data) if data is not None else None,
        split=split,
        limit=limit,
        name=name,
        profile=profile,
        metrics=names_of(metrics),
        settings=settings or {},
        model_metrics=model_metrics,
        seed=seed,
        meta=meta or {},
        include=tuple(map(Path, include)),
        offline=offline,
    )
    out = OutputCall(path=Path(output) if output is not None else None, fresh=fresh)
    return load_run(score_call(call, out, progress=Silent()).path)
