"""`grue export`: the board or single runs in other formats."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grue.cli.options import AsJson, parse_pairs
from grue.cli.output import note, print_json
from grue.cli.runs import results_folder, run_path
from grue.core.errors import Exit, UsageError

if TYPE_CHECKING:
    from grue.comparison.standings_runs import BoardRun
    from grue.exchange.table import Table
    from grue.runs.read import StoredRun

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_SUFFIXES = {".csv": "csv", ".json": "json", ".md": "markdown", ".markdown": "markdown", ".tex": "latex"}


class Format(StrEnum):
    """How a table is written."""

    CSV = "csv"
    JSON = "json"
    MARKDOWN = "markdown"
    LATEX = "latex"


class Target(StrEnum):
    """A folder of files that others read."""

    LM_EVAL = "lm-eval"
    SUBMISSION = "submission"


@app.command()
def export(
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN]...",
            help="Run directories, ids, beginnings of ids, or names. [default: all in the results folder]",
        ),
    ] = None,
    form: Annotated[
        Format | None, typer.Option("--format", help="Format of the table. [default: by the suffix of -o, else csv]")
    ] = None,
    to: Annotated[
        Target | None,
        typer.Option(
            "--to",
            help="Write one run as a folder instead: lm-eval for lm-evaluation-harness's results and samples, "
            "submission for a published result.",
        ),
    ] = None,
    task: Annotated[
        str | None, typer.Option("-t", "--task", help="One task with all its metrics. [default: one number a task]")
    ] = None,
    setting: Annotated[
        str | None, typer.Option("--setting", help="Setting of the board. [default: the one it shows first]")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="One row a run, task and metric or reward, instead of the board's rows.")
    ] = False,
    about: Annotated[
        list[str] | None,
        typer.Option(
            "--about",
            help="For a submission, k=v: description, licence, trained_on, contamination; also url, mark, command, "
            "supersedes with reason; repeatable.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="File, or folder with --to. [default: standard output]"),
    ] = None,
    results: Annotated[
        list[Path] | None,
        typer.Option(
            "--results", metavar="DIR", help="Folder of run directories; repeatable. [default: $GRUE_RESULTS_DIR]"
        ),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Write the board, or some runs as a board of their own: the rows and ranks of the page.

    CSV and JSON have full precision; LaTeX (booktabs) and Markdown are for papers: the best of a column in bold, ties
    shared, intervals beside the values. Exit code 3 where a run in the results folder cannot be read.
    """
    if to is not None:
        _refuse(to, form=form, task=task, setting=setting, every=every)
        return _folder(to, _one(runs, results), output, parse_pairs("--about", about))
    if about:
        raise UsageError("--about goes with --to submission.", "Leave it out, or add --to submission.")
    wanted = _format(form, output, as_json=as_json)
    board, faults = _runs(runs or (), results)
    if every:
        if setting is not None:
            raise UsageError("--all takes no --setting: it has every run.", "Leave out --setting.")
        from grue.exchange.values import values_table

        _write(values_table([run.stored for run in board], task=task), None, wanted, output)
    else:
        from leaderboard_site.tables import export_board

        found = export_board(board, setting=setting, task=task)
        for slug, n_runs in found.others:
            note(f"not in this table: {n_runs} {'run' if n_runs == 1 else 'runs'} in another setting, --setting {slug}")
        _write(found.table, dict(found.document), wanted, output)
    return int(Exit.PARTLY if faults else Exit.YES)


def _refuse(to: Target, *, form: Format | None, task: str | None, setting: str | None, every: bool) -> None:
    given = {"--format": form, "-t": task, "--setting": setting, "--all": every or None}
    for flag, value in given.items():
        if value is not None:
            raise UsageError(f"--to {to} writes a whole run: {flag} does not apply.", f"Leave out {flag}.")


def _format(form: Format | None, output: Path | None, *, as_json: bool) -> str:
    if as_json and form not in (None, Format.JSON):
        raise UsageError("--json and --format name two formats.", "Leave out one of them.")
    if as_json:
        return "json"
    return str(form) if form is not None else _SUFFIXES.get(output.suffix.lower() if output else "", "csv")


def _runs(named: Sequence[str], results: Sequence[Path] | None) -> tuple[list[BoardRun], bool]:
    """The runs named, each of which must be sound; else all in the results folders, bad ones left out and said."""
    from grue.comparison.standings_runs import board_run
    from grue.runs.read import read_run
    from leaderboard_site.collect import collect

    folders = list(results or [results_folder(None)])
    if named:
        folders = [run_path(name, results[0] if results else None) for name in named]
        for folder in folders:
            board_run(read_run(folder))
    found = collect(folders)
    for skipped in found.skipped:
        note(f"skipped: {skipped.path}: {skipped.reason}")
    return list(found.runs), bool(found.skipped)


def _one(named: Sequence[str] | None, results: Sequence[Path] | None) -> StoredRun:
    from grue.runs.read import read_run

    if not named or len(named) != 1:
        raise UsageError("--to writes exactly one run.", "Name it: grue export RUN --to … -o DIR")
    return read_run(run_path(named[0], results[0] if results else None))


def _folder(to: Target, stored: StoredRun, output: Path | None, about: dict[str, str]) -> int:
    if output is None:
        raise UsageError(f"--to {to} needs a folder.", "Name a new one with -o.")
    if to is Target.LM_EVAL:
        if about:
            raise UsageError("--about goes with --to submission.", "Leave it out.")
        from grue.exchange.lm_eval.write import write_lm_eval

        note(f"Written: {write_lm_eval(stored, output)}")
        return int(Exit.YES)
    from datetime import UTC, datetime

    from grue.exchange.submission import describe, write_submission
    from leaderboard_site.commands import command

    made_by = " ".join(line.strip().rstrip("\\").strip() for line in command(stored.manifest["arguments"]).split("\n"))
    name = output.resolve().name
    submission = describe(stored, name, about, command=made_by, today=datetime.now(UTC).date())
    write_submission(stored, output, submission)
    note(f"Written: {output}. It is published when it is merged; 'python tools/check_submissions.py' checks it.")
    return int(Exit.YES)


def _write(table: Table, document: dict[str, object] | None, form: str, output: Path | None) -> None:
    """Print or store the table; the board's JSON is the document of its page."""
    from grue.exchange.formats import TEXT_FORMATS, json_rows

    if form == "json":
        import json

        content = document if document is not None else {"rows": json_rows(table)}
        if output is None:
            print_json(content)  # type: ignore[arg-type]
            return
        text = json.dumps({"schema_version": 1, **content}, ensure_ascii=False, allow_nan=False, indent=2) + "\n"
    else:
        text = TEXT_FORMATS[form](table)
    if output is None:
        sys.stdout.write(text)
        return
    from grue.runs.files import storing, write_atomic

    with storing(output):
        output.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(output, text.encode("utf-8", "replace"))
    note(f"Written: {output}")
