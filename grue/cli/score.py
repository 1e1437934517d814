"""``grue score``: score a prediction file, or a run directory again; no model runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grue.cli import options
from grue.cli.signals import interruptible

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def score(
    ctx: typer.Context,
    source: Annotated[Path, typer.Argument(metavar="PREDICTIONS|RUN", help="Prediction file or run directory.")],
    tasks: Annotated[
        str | None, typer.Option("-t", "--tasks", help="Tasks or groups. [default: all that the source holds]")
    ] = None,
    split: options.Split = None,
    data: options.Data = None,
    limit: options.Limit = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="Run directory. [default: $GRUE_RESULTS_DIR/NAME-IDENTITY; a run whose scoring failed is mended "
            "where it is]",
        ),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="Display name. [default: the file's or run's]")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the intervals of a prediction file.")] = 0,
    profile: Annotated[
        str | None,
        typer.Option("--profile", help="standard or grue-paper. [default: standard; a run directory has its own]"),
    ] = None,
    metrics: options.Metrics = None,
    settings: options.Settings = None,
    no_model_metrics: options.NoModelMetrics = False,
    meta: options.Meta = None,
    fresh: options.Fresh = False,
    offline: options.Offline = False,
    strict: options.Strict = False,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> int:
    """Score predictions into a run directory, or a run directory again from itself."""
    options.go_offline(offline)
    declared = options.parse_pairs("--meta", meta)
    from grue.cli.progress import watcher
    from grue.cli.report import conclude
    from grue.evaluation.call import OutputCall
    from grue.evaluation.score import score_call
    from grue.evaluation.selection import names_of
    from grue.evaluation.to_score import ScoreCall

    call = ScoreCall(
        source=source,
        tasks=tasks,
        data=data,
        split=split,
        limit=limit,
        name=name,
        profile=options.profile_name(profile) if profile is not None else None,
        metrics=names_of(metrics),
        settings=options.parse_settings(settings),
        model_metrics=not no_model_metrics,
        seed=seed,
        meta=declared,
        include=options.included(ctx),
        offline=offline,
    )
    with interruptible():
        outcome = score_call(call, OutputCall(path=output, fresh=fresh), progress=watcher(quiet=quiet))
    return conclude(outcome.path, as_json=as_json, was_finished=outcome.was_finished, strict=strict)
