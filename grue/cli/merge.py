"""``grue merge``: join the parts that ``grue eval --shard`` made."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grue.cli import options
from grue.cli.signals import interruptible

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def merge(
    ctx: typer.Context,
    shards: Annotated[
        list[Path], typer.Argument(metavar="SHARD_DIR...", help="Run directories of all parts, in any order.")
    ],
    output: options.Output = None,
    fresh: options.Fresh = False,
    offline: options.Offline = False,
    strict: options.Strict = False,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> int:
    """Join the parts of a run and score it whole: the results of one process. The parts stay as they are.

    Parts that are missing or not finished are named with the command that makes them; nothing is written then.
    """
    options.go_offline(offline)
    from grue.cli.progress import watcher
    from grue.cli.report import conclude
    from grue.evaluation.call import OutputCall
    from grue.evaluation.merge import MergeCall, merge_call

    call = MergeCall(shards=tuple(shards), include=options.included(ctx), offline=offline)
    with interruptible():
        outcome = merge_call(call, OutputCall(path=output, fresh=fresh), progress=watcher(quiet=quiet))
    return conclude(outcome.path, as_json=as_json, was_finished=outcome.was_finished, strict=strict)
