"""``grue eval``: generate and score, into a run directory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grue.cli import options
from grue.cli.output import note
from grue.cli.signals import interruptible
from grue.core.collection import put_off
from grue.core.decoding import parse_overrides
from grue.core.errors import UsageError
from grue.core.text import Json

if TYPE_CHECKING:
    from grue.engine.options import EngineOptions

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
@put_off()
def evaluate(
    ctx: typer.Context,
    model: Annotated[
        str,
        typer.Option(
            "-m",
            "--model",
            help="Checkpoint folder, hub id org/name[@revision], demo:causal, demo:seq2seq, a null system "
            "(null:empty, null:constant, null:copy-input, null:random-reference), oracle:reference, or openai:NAME, a "
            "model behind an endpoint (--base-url).",
        ),
    ],
    tasks: options.Tasks = "grue",
    split: options.Split = None,
    data: options.Data = None,
    limit: options.Limit = None,
    output: options.Output = None,
    name: Annotated[str | None, typer.Option("--name", help="Display name. [default: the model's]")] = None,
    device: Annotated[
        str, typer.Option("--device", help="auto, cpu, cuda, cuda:N, mps, or spread: layers over all GPUs.")
    ] = "auto",
    dtype: Annotated[str, typer.Option("--dtype", help="auto, float32, bfloat16 or float16.")] = "auto",
    engine: Annotated[str, typer.Option("--engine", help="auto, hf, vllm or openai.")] = "auto",
    devices: Annotated[
        str | None,
        typer.Option("--devices", help="Devices that share the work, a process each: 0,1,2,3 (CUDA) or cpu,cpu."),
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option("--base-url", help="Address of an OpenAI-compatible endpoint; its key is in OPENAI_API_KEY."),
    ] = None,
    cluster: Annotated[str | None, typer.Option("--cluster", help="ray: workers of a Ray cluster.")] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Workers that --cluster asks for.")] = 1,
    batch: Annotated[str, typer.Option("-b", "--batch", help="Rows a batch: auto, or a number.")] = "auto",
    batch_tokens: Annotated[
        int | None, typer.Option("--batch-tokens", help="Padded tokens a batch. [default: the engine's choice]")
    ] = None,
    deterministic: Annotated[
        bool,
        typer.Option("--deterministic", help="Fix which rows are decoded together: the same machine, the same bits."),
    ] = False,
    shard: Annotated[
        str | None,
        typer.Option("--shard", help="i/n: generate part i of n of the rows; 'grue merge' joins the parts."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of sampling and intervals.")] = 0,
    seeds: Annotated[
        str | None,
        typer.Option(
            "--seeds", help="Several seeds, 1,2,3: a run for each, with -o DIR in DIR/seed-N; then their spread."
        ),
    ] = None,
    samples: Annotated[int, typer.Option("--samples", min=1, help="Generations a prompt.")] = 1,
    generation: Annotated[
        list[str] | None,
        typer.Option("-g", "--generation", help="Decoding settings over the tasks' own: k=v,k=v; repeatable."),
    ] = None,
    decoding: Annotated[
        str, typer.Option("--decoding", help="task, or greedy to keep only the tasks' lengths.")
    ] = "task",
    profile: options.Profile = "standard",
    metrics: options.Metrics = None,
    settings: options.Settings = None,
    no_model_metrics: options.NoModelMetrics = False,
    chat_template: Annotated[
        str, typer.Option("--chat-template", help="auto (where the tokenizer has one), on or off.")
    ] = "auto",
    adapter: Annotated[Path | None, typer.Option("--adapter", help="Folder of a PEFT adapter.")] = None,
    allow_pickle: Annotated[
        bool, typer.Option("--allow-pickle", help="Read weights from pickle files where there is no safetensors file.")
    ] = False,
    trust_remote_code: Annotated[
        bool, typer.Option("--trust-remote-code", help="Run code inside the checkpoint.")
    ] = False,
    meta: options.Meta = None,
    fresh: options.Fresh = False,
    offline: options.Offline = False,
    strict: options.Strict = False,
    plan: Annotated[
        bool, typer.Option("--plan", help="Print rows, tokens, memory and time expected, and stop.")
    ] = False,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> int:
    """Generate for tasks and score what comes; the same command goes on where it stopped."""
    options.go_offline(offline)
    overrides = decoding_overrides(generation)
    declared = options.parse_pairs("--meta", meta)
    from grue.cli.progress import watcher
    from grue.cli.report import conclude
    from grue.cli.shard import given_call, print_shard
    from grue.engine.options import EngineOptions
    from grue.evaluation.call import GenerationCall, OutputCall, RowsCall
    from grue.evaluation.prepare import evaluate_call, prepare
    from grue.evaluation.selection import names_of
    from grue.evaluation.shard import parse_shard
    from grue.runs.read import read_run

    rows = RowsCall(
        tasks=tasks,
        split=split,
        data=data,
        limit=limit,
        profile=profile,
        settings=options.parse_settings(settings),
        metrics=names_of(metrics),
        model_metrics=not no_model_metrics,
        include=options.included(ctx),
        offline=offline,
    )
    how = GenerationCall(
        seed=seed,
        samples=samples,
        overrides=overrides,
        decoding=decoding,
        batch_rows=batch_rows(batch),
        batch_tokens=batch_tokens,
        deterministic=deterministic,
        shard=parse_shard(shard, given_call(ctx)) if shard is not None else None,
    )
    chosen = chosen_devices(device, devices)
    engine_options: EngineOptions = EngineOptions(
        name=name,
        device=chosen[0],
        devices=chosen if devices is not None else (),
        dtype=dtype,
        engine=engine,
        chat_template=chat_template,
        base_url=base_url,
        cluster=cluster,
        workers=workers,
        adapter=adapter,
        allow_pickle=allow_pickle,
        trust_remote_code=trust_remote_code,
        offline=offline,
        meta=declared,
    )
    chosen_seeds = several_seeds(ctx, seeds)
    if plan:
        from grue.cli.plan import print_plan

        if chosen_seeds:
            note(f"The plan of one seed's run; there are {len(chosen_seeds)}.")
            how = replace(how, seed=chosen_seeds[0])

        print_plan(prepare(model, engine_options, rows, how), OutputCall(path=output, fresh=fresh), as_json=as_json)
        return 0
    if chosen_seeds:
        from grue.cli.seeds import print_seeds
        from grue.evaluation.seeds import evaluate_seeds

        with interruptible():
            outcomes = evaluate_seeds(
                model,
                engine_options,
                rows,
                how,
                chosen_seeds,
                OutputCall(path=output, fresh=fresh),
                watch=lambda: watcher(quiet=quiet),
            )
        return print_seeds([read_run(one.path) for one in outcomes], as_json=as_json, strict=strict)
    with interruptible():
        outcome = evaluate_call(
            model, engine_options, rows, how, OutputCall(path=output, fresh=fresh), progress=watcher(quiet=quiet)
        )
    if shard is not None:
        return print_shard(read_run(outcome.path, shard=True), as_json=as_json)
    return conclude(outcome.path, as_json=as_json, was_finished=outcome.was_finished, strict=strict)


def several_seeds(ctx: typer.Context, text: str | None) -> tuple[int, ...]:
    """The seeds of ``--seeds``; none where it was not given.

    Raises:
        UsageError: where they are no seeds, or ``--seed`` is given too.
    """
    if text is None:
        return ()
    from grue.evaluation.seeds import parse_seeds

    given = ctx.get_parameter_source("seed")
    if given is not None and given.name == "COMMANDLINE":
        raise UsageError("--seed and --seeds contradict each other.", "Give one of them.")
    return parse_seeds(text)


def decoding_overrides(items: Sequence[str] | None) -> dict[str, Json]:
    """All ``-g`` items together; a later one wins."""
    values: dict[str, Json] = {}
    for item in items or ():
        values |= parse_overrides(item)
    return values


def batch_rows(text: str) -> int | None:
    """``auto`` or a count.

    Raises:
        UsageError: for anything else.
    """
    if text == "auto":
        return None
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise UsageError(f"-b: {text!r} is neither auto nor a number of rows.", "Write -b auto or, say, -b 16.")
    return int(text)


def chosen_devices(device: str, devices: str | None) -> tuple[str, ...]:
    """The devices that ``--device`` and ``--devices`` name, at least one; one may be named several times.

    Raises:
        UsageError: for a name that is none, or both flags at odds.
    """
    if devices is None:
        return (device,)
    names = [part.strip() for part in devices.split(",") if part.strip()]
    for name in names:
        if not (name.isascii() and name.isdigit()) and name not in ("cpu", "mps") and not name.startswith("cuda:"):
            raise UsageError(f"--devices: {name!r} is no device.", "Write numbers of CUDA devices, 0,1,2, or cpu,cpu.")
    if not names:
        raise UsageError(f"--devices: {devices!r} names no device.", "Write --devices 0,1, or leave it out.")
    if device not in ("auto", "cuda"):
        raise UsageError(f"--device {device} and --devices {devices} contradict each other.", "Give one of them.")
    return tuple(f"cuda:{int(name)}" if name.isdigit() else name for name in names)
