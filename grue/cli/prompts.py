"""``grue prompts``: what to ask a system that generates elsewhere."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from grue.cli import options
from grue.cli.output import note
from grue.core.errors import UsageError

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def prompts(
    ctx: typer.Context,
    tasks: options.Tasks = "grue",
    split: options.Split = None,
    data: options.Data = None,
    limit: options.Limit = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File of JSON lines. [default: standard output]")
    ] = None,
    profile: options.Profile = "standard",
    settings: options.Settings = None,
    offline: options.Offline = False,
) -> None:
    """Write {"task", "id", "prompt"} rows; fill in "prediction", then `grue validate` and `grue score`."""
    from grue.evaluation.call import RowsCall
    from grue.evaluation.selection import prompt_rows, select

    selected = select(
        RowsCall(
            tasks=tasks,
            split=split,
            data=data,
            limit=limit,
            profile=profile,
            settings=options.parse_settings(settings),
            metrics=(),
            include=options.included(ctx),
            offline=offline,
        )
    )
    if selected.passed_over:
        note(f"Passed over, no rows here: {', '.join(selected.passed_over)}.")
    rows = prompt_rows(selected)
    lines = (
        json.dumps({"task": name, "id": row.id, "prompt": row.prompt}, ensure_ascii=False) + "\n" for name, row in rows
    )
    if output is None:
        sys.stdout.writelines(lines)
        return
    _write(output, lines)
    note(f"{len(rows):,} prompts: {output}")
    note('Next: add "prediction" to each line and drop "prompt"; then grue validate FILE and grue score FILE.')


def _write(path: Path, lines: Iterable[str]) -> None:
    try:
        with path.open("w", encoding="utf-8", newline="\n") as stream:
            stream.writelines(lines)
    except OSError as error:
        raise UsageError(
            f"The file cannot be written: {error.strerror}.", "Name another file with -o.", place=str(path)
        ) from error
