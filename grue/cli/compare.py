"""`grue compare`: runs against a baseline, row by row."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grue.cli.options import AsJson
from grue.cli.output import note, print_json, stdout
from grue.cli.runs import Results, run_path
from grue.core.errors import Exit, UsageError

if TYPE_CHECKING:
    from grue.comparison.values import Comparison

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_SUFFIXES = {".json": "json", ".md": "markdown", ".markdown": "markdown", ".html": "html", ".htm": "html"} | {
    ".tex": "latex",
    ".csv": "csv",
}


class Format(StrEnum):
    """How a comparison is written."""

    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"
    LATEX = "latex"
    CSV = "csv"


@app.command()
def compare(
    runs: Annotated[
        list[str],
        typer.Argument(
            help="Two runs or more, the baseline first: directories, ids, beginnings of ids, or names.",
            metavar="RUN RUN [RUN]...",
        ),
    ],
    tasks: Annotated[
        str | None, typer.Option("-t", "--tasks", help="Tasks, comma-separated. [default: all that the runs share]")
    ] = None,
    metrics: Annotated[
        str | None,
        typer.Option("--metrics", help="Metrics and reward:NAMEs to compare, comma-separated. [default: all]"),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option("--metric", help="Metric by which rows moved. [default: each task's first primary metric]"),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Show all metrics and rewards, not only primary ones.")] = False,
    power: Annotated[
        bool, typer.Option("--power", help="Say how many rows would tell the runs apart, and what these rows can show.")
    ] = False,
    common_rows: Annotated[
        bool, typer.Option("--common-rows", help="Where rows differ, compare those that both runs have.")
    ] = False,
    resamples: Annotated[
        int, typer.Option("--resamples", min=1, help="Resamples of the bootstrap and trials of the randomisation.")
    ] = 1000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the resamples.")] = 0,
    form: Annotated[
        Format | None, typer.Option("--format", help="Write a report in this format. [default: by the suffix of -o]")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File to write the report to. [default: standard output]")
    ] = None,
    results: Results = None,
    as_json: AsJson = False,
) -> None:
    """Compare runs on the same rows with a baseline: paired tests, effect sizes, rows that moved.

    Exit code 0 whatever is found; 3 where a run is partial, 4 where the runs are not comparable.
    """
    wanted = _format(form, output, as_json=as_json)
    if len(runs) < 2:
        raise UsageError("One run alone cannot be compared.", "Name two runs or more; the first is the baseline.")
    _refuse_place(output)
    from grue.comparison.compare import CompareCall, compare_runs
    from grue.runs.read import read_run

    call = CompareCall(
        tasks=_names(tasks),
        metrics=_names(metrics),
        moved_by=metric,
        common_rows=common_rows,
        power=power,
        n_resamples=resamples,
        seed=seed,
    )
    found = compare_runs([read_run(run_path(run, results)) for run in runs], call)
    _write(found, wanted, output, every=every)
    if found.is_partial:
        for pair in found.pairs:
            for skipped in pair.skipped:
                note(f"not compared: {skipped.task}: {skipped.reason}")
        raise typer.Exit(Exit.PARTLY)


def _format(form: Format | None, output: Path | None, *, as_json: bool) -> Format | None:
    """The format asked for; ``None`` for a table in the terminal.

    Raises:
        UsageError: where flags contradict each other, or no flag says how a file is to be written.
    """
    if as_json and form not in (None, Format.JSON):
        raise UsageError(f"--json and --format {form} exclude each other.", "Give one of them.")
    if as_json:
        return Format.JSON
    if form is None and output is not None:
        suffix = output.suffix.lower()
        if suffix not in _SUFFIXES:
            raise UsageError(
                f"-o: the suffix {suffix!r} names no format.", f"Give --format, or a suffix of {', '.join(_SUFFIXES)}."
            )
        return Format(_SUFFIXES[suffix])
    return form


def _refuse_place(output: Path | None) -> None:
    if output is None:
        return
    if output.is_dir():
        raise UsageError(f"-o: {str(output)!r} is a folder.", "Name a file.")
    if not output.absolute().parent.is_dir():
        raise UsageError(f"-o: there is no folder {str(output.parent)!r}.", "Make it, or name another file.")


def _names(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def _write(found: Comparison, form: Format | None, output: Path | None, *, every: bool) -> None:
    if form is None:
        from grue.cli.compare_tables import print_comparison

        print_comparison(found, stdout(), every=every)
        return
    if form is Format.JSON and output is None:
        from grue.comparison.document import document

        print_json(document(found))
        return
    from grue.comparison.report import report

    text = report(found, form.value, every=every)
    if output is None:
        typer.echo(text, nl=False)
        return
    from grue.runs.files import storing, write_atomic

    with storing(output):
        write_atomic(output, text.encode())
    note(f"Written: {output}")
