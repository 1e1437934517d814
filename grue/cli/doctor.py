"""``grue doctor``: what this machine and checkpoint can do, with fixes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grue.cli import options
from grue.cli.output import print_json, stdout
from grue.core.errors import Exit, GrueError, MetricUnavailableError, UsageError
from grue.core.settings import load_settings
from grue.core.task import MetricSpec

if TYPE_CHECKING:
    from grue.core.text import Json
    from grue.engine.doctor import Finding
    from grue.engine.drift import Drift
    from grue.engine.options import EngineOptions
    from grue.engine.protocol import Job
    from grue.evaluation.call import RowsCall

# Rows a task for --drift, where no -L is given.
DRIFT_ROWS = 32

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def doctor(
    ctx: typer.Context,
    model: Annotated[
        str | None,
        typer.Option(
            "-m",
            "--model",
            help="Checkpoint folder, hub id, demo checkpoint, or openai:NAME with --base-url.",
        ),
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option("--base-url", help="Address of an OpenAI-compatible endpoint; its key is in OPENAI_API_KEY."),
    ] = None,
    tasks: options.Tasks = "grue",
    data: Annotated[
        str | None, typer.Option("--data", help="mini, hub, or a folder. [default: $GRUE_DATA where set, else mini]")
    ] = None,
    split: options.Split = None,
    limit: options.Limit = None,
    device: Annotated[
        str, typer.Option("--device", help="auto, cpu, cuda, cuda:N, mps, or spread: layers over all GPUs.")
    ] = "auto",
    dtype: Annotated[str, typer.Option("--dtype", help="auto, float32, bfloat16 or float16.")] = "auto",
    chat_template: Annotated[str, typer.Option("--chat-template", help="auto, on or off.")] = "auto",
    adapter: Annotated[Path | None, typer.Option("--adapter", help="Folder of a PEFT adapter.")] = None,
    allow_pickle: Annotated[bool, typer.Option("--allow-pickle", help="Read weights in pickle files.")] = False,
    trust_remote_code: Annotated[
        bool, typer.Option("--trust-remote-code", help="Run code that lies in the checkpoint.")
    ] = False,
    drift: Annotated[
        bool,
        typer.Option(
            "--drift",
            help="Count the greedy texts that change in batches and in other number types; takes -L rows a task "
            "[default: 32].",
        ),
    ] = False,
    dtypes: Annotated[
        str | None,
        typer.Option("--dtypes", help="Number types for --drift. [default: bfloat16; on a GPU float16 too]"),
    ] = None,
    offline: options.Offline = False,
    as_json: options.AsJson = False,
) -> int:
    """Check the machine and, with -m, a checkpoint, before hours are spent.

    Exit codes: 0 nothing fails, 1 a check fails, 2 the call is wrong.
    """
    from grue.engine.doctor import Finding, machine
    from grue.engine.doctor import worst as counted
    from grue.engine.options import EngineOptions
    from grue.evaluation.call import RowsCall

    if base_url is not None and model is None:
        raise UsageError("--base-url says where a model is, and none is named.", "Add -m openai:NAME.")
    wanted_dtypes = _dtypes(dtypes, model=model, drift=drift)
    settings = load_settings(os.environ, Path.cwd())
    found = machine()
    for key, setting in settings.values.items():
        found.append(Finding(f"setting {key}", "ok", f"{setting.shown} ({setting.origin})"))
    found += _metrics()
    drifts: list[Drift] = []
    if model is not None:
        asked = EngineOptions(
            device=device,
            dtype=dtype,
            chat_template=chat_template,
            base_url=base_url,
            adapter=adapter,
            allow_pickle=allow_pickle,
            trust_remote_code=trust_remote_code,
            offline=offline,
            home=settings.home,
        )
        origin = settings.values["GRUE_DATA"].origin
        place = data or ("mini" if origin == "default" else settings["GRUE_DATA"])
        rows = RowsCall(
            tasks=tasks, data=place, split=split, limit=limit, include=options.included(ctx), offline=offline
        )
        found += _model(model, asked, rows)
        if drift and not counted(found)["fail"]:
            found += _drift(model, asked, replace(rows, limit=limit or DRIFT_ROWS), wanted_dtypes, drifts)
    count = counted(found)
    if as_json:
        document: dict[str, Json] = {"findings": [finding.to_json() for finding in found], "counts": dict(count)}
        print_json({**document, "drift": [one.to_json() for one in drifts]} if drift else document)
    else:
        _show(found)
    return int(Exit.NO if count["fail"] else Exit.YES)


def _metrics() -> list[Finding]:
    """Metrics that are absent here, by reason."""
    from grue.engine.doctor import Finding
    from grue.metrics.build import build, names

    absent: dict[str, list[str]] = {}
    for name in names():
        try:
            build(MetricSpec(name))
        except MetricUnavailableError as error:
            absent.setdefault(error.cause, []).append(name)
    there = len(names()) - sum(map(len, absent.values()))
    found = [Finding("metrics", "ok", f"{there} of {len(names())} can be computed here")]
    for reason, missing in absent.items():
        fix = "They are shown as absent, with this reason; numbers of others stay as they are."
        found.append(Finding("metrics", "warn", f"absent: {', '.join(missing)}. {reason}", fix))
    return found


def _model(model: str, asked: EngineOptions, rows: RowsCall) -> Iterator[Finding]:
    """Open the checkpoint and try it; the first fault that stops a check ends it with its own message."""
    from grue.engine import doctor as checks
    from grue.engine.endpoint import EndpointEngine
    from grue.engine.endpoint.doctor import endpoint
    from grue.engine.hf import HFEngine
    from grue.engine.open import open_engine

    try:
        engine = open_engine(model, asked)
    except GrueError as error:
        yield _failed("checkpoint", error)
        return
    if isinstance(engine, EndpointEngine):
        yield from endpoint(engine, _jobs(rows))
        return
    if not isinstance(engine, HFEngine):
        yield checks.Finding("checkpoint", "ok", f"{model} runs no model: there is nothing to check")
        return
    try:
        yield from checks.checkpoint(engine)
        yield checks.peak(engine, asked.home)
        try:
            yield checks.batch_invariance(engine)
        except GrueError as error:
            yield _failed("weights", error)
            return
        for name, job in _jobs(rows).items():
            try:
                yield from checks.job(engine, name, job)
            except GrueError as error:
                yield _failed(name, error)
    finally:
        engine.close()


def _jobs(rows: RowsCall) -> dict[str, Job]:
    """Each task's rows with the way it decodes."""
    from grue.engine.protocol import Job
    from grue.evaluation.selection import select

    return {
        name: Job(decoding=task.suite.decoding, truncation=task.suite.truncation, seed=0, rows=task.rows)
        for name, task in select(rows).tasks.items()
    }


def _dtypes(text: str | None, *, model: str | None, drift: bool) -> tuple[str, ...] | None:
    """The number types to compare with float32; ``None`` for those of the device.

    Raises:
        UsageError: for an unknown one, or flags that go with others that are not there.
    """
    if drift and model is None:
        raise UsageError("--drift compares texts of a checkpoint, and none is named.", "Add -m MODEL.")
    if text is None:
        return None
    if not drift:
        raise UsageError("--dtypes is for --drift.", "Add --drift; one number type for all else is --dtype.")
    from grue.checkpoints.device import choose_dtype

    names = tuple(dict.fromkeys(choose_dtype(name.strip(), "cpu") for name in text.split(",") if name.strip()))
    return tuple(name for name in names if name != "float32")


def _drift(
    model: str, asked: EngineOptions, rows: RowsCall, dtypes: tuple[str, ...] | None, drifts: list[Drift]
) -> Iterator[Finding]:
    """Measure and report; ``drifts`` takes what was measured."""
    from grue.checkpoints.device import choose_device
    from grue.engine.drift import finding, measure
    from grue.engine.hf import HFEngine
    from grue.engine.open import open_engine

    def open_as(dtype: str) -> HFEngine:
        engine = open_engine(model, replace(asked, dtype=dtype))
        if not isinstance(engine, HFEngine):
            raise UsageError(f"--drift: {model} is no checkpoint that --engine hf decodes.", "Name one.")
        return engine

    on_gpu = choose_device(asked.device).startswith("cuda")
    wanted = dtypes if dtypes is not None else ("bfloat16", "float16") if on_gpu else ("bfloat16",)
    try:
        for one in measure(open_as, _jobs(rows), wanted):
            drifts.append(one)
            yield finding(one)
    except GrueError as error:
        yield _failed("drift", error)


def _failed(check: str, error: GrueError) -> Finding:
    from grue.engine.doctor import Finding

    cause = f"{error.place}: {error.cause}" if error.place else error.cause
    return Finding(check, "fail", cause, error.fix)


def _show(found: list[Finding]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("")
    table.add_column("check")
    table.add_column("found", overflow="fold")
    for finding in found:
        fix = f"\nfix: {finding.fix}" if finding.fix and finding.status != "ok" else ""
        table.add_row(finding.status, finding.check, finding.message + fix)
    stdout().print(table)
