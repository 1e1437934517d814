"""``grue tasks``: what can be evaluated, and how to add to it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grue.cli.options import AsJson, Profile, included, profile_name
from grue.cli.output import note, print_json, stdout
from grue.core.errors import Exit
from grue.core.task import STANDARD

if TYPE_CHECKING:
    from grue.core.task import Task
    from grue.testing import Problem

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, add_completion=False)
Name = Annotated[str, typer.Argument(help="A task's name.")]


@app.callback()
def tasks() -> None:
    """List, show, make and check tasks; --include FOLDER adds those outside the installed packages."""


@app.command("list")
def list_(
    ctx: typer.Context,
    check: Annotated[bool, typer.Option("--check", help="Load each task; exit code 1 where one is broken.")] = False,
    as_json: AsJson = False,
) -> None:
    """All tasks and who brings them; imports none unless --check is given."""
    from grue.cli.task_pages import list_json, list_table
    from grue.registry.listing import checked
    from grue.registry.tasks import known_groups, list_tasks

    include = included(ctx)
    entries = list_tasks(include)
    if check:
        entries = checked(entries, include)
    if as_json:
        print_json(list_json(entries, known_groups()))
    else:
        stdout().print(list_table(entries))
        note(f"Groups: {', '.join(known_groups())}")
    if check and any(entry.problem for entry in entries):
        raise typer.Exit(Exit.NO)


@app.command()
def show(ctx: typer.Context, name: Name, profile: Profile = STANDARD, as_json: AsJson = False) -> None:
    """A task's prompts, decoding, metrics, rewards, quirks, source and card."""
    from grue.cli.task_pages import show_json, show_text
    from grue.registry.tasks import load_task

    task = load_task(name, included(ctx))
    if as_json:
        print_json(show_json(task, profile_name(profile)))
    else:
        stdout().print(show_text(task, profile_name(profile)), soft_wrap=True)


@app.command()
def new(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Lower-case letters, digits and underscores, a letter first.")],
    folder: Annotated[Path, typer.Option("--dir", help="Folder in which the task's folder is made.")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Write a working task: package, rows, card and test. Overwrites nothing."""
    from grue.core.errors import UsageError
    from grue.registry.tasks import list_tasks
    from grue.testing.scaffold import write_task

    if name in {entry.name for entry in list_tasks(included(ctx))}:
        raise UsageError(f"A task named {name!r} is there already.", "Choose another name.")
    task = write_task(name, folder)
    if as_json:
        print_json({"name": name, "folder": str(task), "files": sorted(str(f) for f in task.rglob("*") if f.is_file())})
        return
    stdout().print(f"Wrote {task}", soft_wrap=True)
    note(f"Check it:    grue tasks validate {task}")
    note(f"Test it:     pytest {task}")
    note(f"Evaluate it: grue eval -m demo:causal -t {name} --data mini --include {task}")


@app.command()
def validate(
    ctx: typer.Context,
    task: Annotated[str, typer.Argument(metavar="NAME|PATH", help="A task's name, or its folder.")],
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder of rows to check with. [default: rows inside the package]")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a task against the contract; exit code 0 where it keeps it, 1 where it does not."""
    from grue.cli.task_pages import problem_lines
    from grue.core.errors import UsageError
    from grue.testing.named import check_named, load_named

    if data is not None and not data.is_dir():
        raise UsageError(f"--data: no such folder: {data}.", "Name a folder DIR that holds DIR/<task>/<split>.jsonl.")
    problems = check_named(task, included(ctx), data)
    if not problems:
        problems = _unfit(load_named(task, included(ctx)), data)
    if as_json:
        print_json({"task": task, "valid": not problems, "problems": [problem.to_json() for problem in problems]})
    elif problems:
        for line in problem_lines(problems):
            stdout().print(line, soft_wrap=True)
    else:
        stdout().print(f"{task} keeps the contract of a task.", soft_wrap=True)
    if problems:
        raise typer.Exit(Exit.NO)


def _unfit(task: Task, data: Path | None) -> list[Problem]:
    """Primary metrics that cannot carry a score; asked of a task that is sound otherwise."""
    from grue.evaluation.primaries import unfit_primaries
    from grue.testing import Problem

    return [Problem("primary", unfit.problem, unfit.fix, unfit.metric) for unfit in unfit_primaries(task, data)]
