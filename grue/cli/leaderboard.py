"""`grue leaderboard`: the board as static pages, or in the terminal."""

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
    """The leaderboard as static pages, or in the terminal."""


@app.command()
def build(
    ctx: typer.Context,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder of the board: new, empty or an older board.")
    ],
    results: Annotated[
        list[Path] | None,
        typer.Option(
            "--results",
            metavar="DIR",
            help="Folder of run directories, or one run; repeatable. [default: the runs of the store, `grue db`]",
        ),
    ] = None,
    more: Annotated[
        list[Path] | None, typer.Argument(metavar="[DIR]...", help="Further results, as `--results runs/*` gives them.")
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option(help="Address under which it will be served, for canonical links. [default: none]"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Build the board from run directories, or from the store; it opens from disk and needs no server.

    The folder is replaced whole. A run directory that cannot be read is left out, named, and makes the exit code 3.
    """
    from leaderboard_site.export import build_board
    from leaderboard_site.numbers import plural

    report = build_board([*(results or ()), *(more or ())] or None, out, base_url, included(ctx))
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
        held = f"{plural(report.runs, 'run')} on {plural(report.pages, 'page')}"
        stdout().print(f"{held}. Open {index}", soft_wrap=True)
    if report.skipped:
        raise typer.Exit(Exit.PARTLY)


@app.command()
def show(
    results: Annotated[
        list[Path] | None,
        typer.Option(
            "--results", metavar="DIR", help="Folder of run directories; repeatable. [default: $GRUE_RESULTS_DIR]"
        ),
    ] = None,
    more: Annotated[
        list[Path] | None, typer.Argument(metavar="[DIR]...", help="Further results, as `--results runs/*` gives them.")
    ] = None,
    task: Annotated[
        str | None, typer.Option("-t", "--task", help="One task with its metrics. [default: one number a task]")
    ] = None,
    setting: Annotated[
        str | None, typer.Option("--setting", help="Setting of the board. [default: the one it shows first]")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Show the ranking: the rows, ranks with their 95 % ranges and bands of the board's page.

    A band opens at the first run that the leader of the band above beats beyond chance. `--json` prints the document
    of the page. Exit code 3 where a run in the results folder cannot be read.
    """
    from grue.cli.board_table import rich_board
    from grue.cli.runs import results_folder
    from leaderboard_site.collect import collect
    from leaderboard_site.tables import export_board

    found = collect([*(results or [results_folder(None)]), *(more or ())])
    for skipped in found.skipped:
        note(f"skipped: {skipped.path}: {skipped.reason}")
    board = export_board(found.runs, setting=setting, task=task)
    if as_json:
        print_json(board.document)
    else:
        out = stdout()
        if board.table.rows:
            out.print(rich_board(board.table))
        for line in (board.table.caption, *board.table.notes):
            note(line)
    for slug, n_runs in board.others:
        note(f"not shown: {n_runs} {'run' if n_runs == 1 else 'runs'} in another setting, --setting {slug}")
    return int(Exit.PARTLY if found.skipped else Exit.YES)
