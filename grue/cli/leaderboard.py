"""`grue leaderboard`: the static board."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grue.cli.options import AsJson, included
from grue.cli.output import note, print_json, stdout
from grue.core.errors import Exit

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, add_completion=False)


@app.callback()
def group() -> None:
    """The leaderboard as static pages."""


@app.command()
def build(
    ctx: typer.Context,
    results: Annotated[
        list[Path],
        typer.Option("--results", metavar="DIR", help="Folder of run directories, or one run; repeatable."),
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder of the board: new, empty or an older board.")
    ],
    more: Annotated[
        list[Path] | None, typer.Argument(metavar="[DIR]...", help="Further results, as `--results runs/*` gives them.")
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option(help="Address under which it will be served, for canonical links. [default: none]"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Build the board from run directories; it opens from disk and needs no server.

    The folder is replaced whole. A run directory that cannot be read is left out, named, and makes the exit code 3.
    """
    from leaderboard_site.export import build_board

    report = build_board([*results, *(more or ())], out, base_url, included(ctx))
    index = out / "index.html"
    for skipped in report.skipped:
        note(f"skipped: {skipped.path}: {skipped.reason}")
    if as_json:
        print_json(
            {
                "out": str(out),
                "index": str(index),
                "pages": report.pages,
                "runs": report.runs,
                "skipped": [{"path": str(skipped.path), "reason": skipped.reason} for skipped in report.skipped],
            }
        )
    else:
        stdout().print(f"{report.runs} runs on {report.pages} pages. Open {index}", soft_wrap=True)
    if report.skipped:
        raise typer.Exit(Exit.PARTLY)
