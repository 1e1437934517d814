"""`grue validate`: is this prediction file complete and sound?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grue.cli.options import AsJson, Data, Limit, Offline, Split, included
from grue.cli.output import note, print_json, stdout
from grue.core.errors import Exit
from grue.core.text import Json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grue.core.rows import Row
    from grue.runs.predictions import Checked

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def validate(
    ctx: typer.Context,
    predictions: Annotated[Path, typer.Argument(help="JSON lines, plain or .gz.", metavar="PREDICTIONS")],
    tasks: Annotated[
        str | None,
        typer.Option("-t", "--tasks", help="Tasks or groups, comma-separated. [default: those in the file]"),
    ] = None,
    split: Split = None,
    data: Data = None,
    limit: Limit = None,
    offline: Offline = False,
    as_json: AsJson = False,
) -> int:
    """Check a prediction file, all errors at once. Exit code 0: valid; 1: not."""
    from grue.registry.tasks import list_tasks
    from grue.runs.predictions import check, tasks_in

    include = included(ctx)
    known = [entry.name for entry in list_tasks(include)]
    held = tasks_in(predictions)
    wanted = _wanted(tasks, held, known, split=split, data=data, limit=limit, include=include, offline=offline)
    checked = check(predictions, wanted, known)
    passed_over = [name for name in held if name in known and name not in wanted]
    if passed_over:
        note(f"Passed over, not asked for: {', '.join(passed_over)}.")
    if as_json:
        print_json(_document(checked))
    else:
        _print(checked)
    return Exit.YES if checked.predictions is not None else Exit.NO


def _wanted(
    tasks: str | None,
    held: Sequence[str],
    known: Sequence[str],
    *,
    split: str | None,
    data: str | None,
    limit: int | None,
    include: tuple[Path, ...],
    offline: bool,
) -> dict[str, Sequence[Row]]:
    """The rows that the file has to hold, by task: those asked for, or those of the tasks in the file."""
    from grue.evaluation.call import RowsCall
    from grue.evaluation.selection import select
    from grue.registry.tasks import expand

    if tasks is None:
        names = [name for name in held if name in known]
    else:
        selection = expand(tasks, include)
        # A group stands for those of its tasks that the file holds; a task named alone must be in it.
        names = [name for name in selection.names if name in held or name not in selection.optional]
    if not names:
        return {}
    call = RowsCall(
        tasks=",".join(names),
        split=split,
        data=data,
        limit=limit,
        model_metrics=False,
        include=include,
        offline=offline,
    )
    return {name: task.rows for name, task in select(call).tasks.items()}


def _document(checked: Checked) -> dict[str, Json]:
    from dataclasses import asdict

    return {
        "valid": checked.predictions is not None,
        "errors": [asdict(problem) for problem in checked.problems],
        "error_count": checked.error_count,
        "tasks": {name: asdict(count) for name, count in checked.counts.items()},
    }


def _print(checked: Checked) -> None:
    from rich.table import Table

    out = stdout()
    if checked.problems:
        table = Table("line", "id", "problem", "fix", box=None, header_style="bold")
        for column in table.columns:
            column.overflow = "fold"
        for problem in checked.problems:
            line = "" if problem.line is None else str(problem.line)
            table.add_row(line, problem.id or "", problem.problem, problem.fix)
        out.print(table)
        more = checked.error_count - len(checked.problems)
        out.print(f"Not valid: {checked.error_count:,} faults" + (f", {more:,} not shown." if more else "."))
    else:
        out.print("Valid.")
    for name, count in checked.counts.items():
        out.print(f"{name}: {count.rows} rows, {count.samples} a row, {count.empty} empty predictions")
