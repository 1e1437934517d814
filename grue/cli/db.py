"""`grue db`: the results store, an index over run directories."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grue.cli.options import AsJson, Quiet
from grue.cli.output import note, print_json, stdout
from grue.cli.runs import results_folder
from grue.core.errors import Exit
from grue.core.text import Json

if TYPE_CHECKING:
    from grue.runs.read import Broken
    from grue.store.check import Checked
    from grue.store.rebuild import Rebuilt
    from grue.store.values import RunPage

LINE_SECONDS = 2.0

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, add_completion=False)

Results = Annotated[
    list[Path] | None,
    typer.Option(
        "--results",
        metavar="DIR",
        help="Folder of run directories, or one run; repeatable. [default: $GRUE_RESULTS_DIR, else runs]",
    ),
]
More = Annotated[
    list[Path] | None, typer.Argument(metavar="[DIR]...", help="Further results, as `--results runs/*` gives them.")
]


@app.callback()
def group() -> None:
    """The results store: an index over run directories, in SQLite or PostgreSQL ($GRUE_DATABASE_URL)."""


@app.command()
def upgrade(as_json: AsJson = False) -> None:
    """Make the tables, or raise them to this version's form. SQLite does so by itself on first use."""
    from grue.store.database import open_store
    from grue.store.schema import HEAD

    with open_store(checked=False) as store:
        changed = store.upgrade()
        shown = store.shown
    if as_json:
        print_json({"database": shown, "schema": HEAD, "changed": changed})
    else:
        stdout().print(f"{shown}: schema {HEAD}, {'made now' if changed else 'as it was'}.", soft_wrap=True)


@app.command()
def rebuild(results: Results = None, more: More = None, quiet: Quiet = False, as_json: AsJson = False) -> None:
    """Make the index again from run directories, all at once or not at all.

    Runs that no folder holds leave the index. A run directory that cannot be read is left out, named, and makes the
    exit code 3.
    """
    from grue.store.database import open_store
    from grue.store.rebuild import rebuild as rebuild_index

    with open_store() as store:
        done = rebuild_index(store, _folders(results, more), _progress(quiet))
        shown = store.shown
    _name_skipped(done.skipped)
    for refused in done.refused:
        note(f"decision left out: {refused.decision.old} by {refused.decision.new}: {refused.reason}")
    for run_id in done.changed:
        note(f"changed: run {run_id} has other results than the index had.")
    if as_json:
        print_json({"database": shown, **_rebuilt(done)})
    else:
        said = f"{done.runs} runs, {len(done.added)} new, {len(done.removed)} gone, {len(done.changed)} changed"
        kept = f", {len(done.kept)} of submissions kept" if done.kept else ""
        stdout().print(f"{said}{kept}. {shown}", soft_wrap=True)
    if done.skipped or done.refused:
        raise typer.Exit(Exit.PARTLY)


@app.command()
def check(results: Results = None, more: More = None, quiet: Quiet = False, as_json: AsJson = False) -> None:
    """Compare the index with run directories and name every difference. Exit code 0: none; 1: some.

    Nothing is changed. Run directories that cannot be read are named; without differences they make the exit code 3.
    """
    from grue.store.check import check as check_index
    from grue.store.database import open_store

    with open_store() as store:
        checked = check_index(store, _folders(results, more), _progress(quiet))
        shown = store.shown
    _name_skipped(checked.skipped)
    if as_json:
        print_json({"database": shown, **_checked(checked)})
    else:
        out = stdout()
        for difference in checked.differences:
            out.print(str(difference), soft_wrap=True)
        same = "equal" if not checked.differences else f"{len(checked.differences)} differences"
        out.print(f"{checked.runs} runs: {same}. {shown}", soft_wrap=True)
    if checked.differences:
        raise typer.Exit(Exit.NO)
    if checked.skipped:
        raise typer.Exit(Exit.PARTLY)


@app.command()
def add(
    paths: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run directories.")], as_json: AsJson = False
) -> None:
    """Add runs to the index without making all of it again. Results are insert-only: a changed run is refused."""
    from grue.store.database import open_store
    from grue.store.rebuild import add_run

    with open_store() as store:
        added = {str(path): add_run(store, path) for path in paths}
    if as_json:
        print_json({"added": [path for path, is_new in added.items() if is_new], "known": _known(added)})
    else:
        for path, is_new in added.items():
            stdout().print(f"{path}: {'added' if is_new else 'was there already'}", soft_wrap=True)


@app.command()
def supersede(
    old: Annotated[str, typer.Argument(help="Run that no longer counts: its id, or the beginning of it.")],
    new: Annotated[str, typer.Argument(help="Run that counts instead.")],
    reason: Annotated[str, typer.Option(help="What was wrong with the old result.")],
    as_json: AsJson = False,
) -> None:
    """Let a new result take the place of an old one, with a reason and the date; the old one stays readable.

    The decision is written into the new run's directory too, where a rebuild finds it.
    """
    from grue.store.database import open_store
    from grue.store.decisions import supersede as decide

    with open_store() as store:
        decision = decide(store, old, new, reason)
    if as_json:
        print_json(asdict(decision))
    else:
        stdout().print(f"{decision.new} takes the place of {decision.old}: {decision.reason}", soft_wrap=True)


@app.command(name="list")
def list_runs(
    setting: Annotated[str | None, typer.Option(help="Setting, as `mini-test`. [default: all]")] = None,
    limit: Annotated[int, typer.Option(help="Runs at a time, up to 1,000.")] = 100,
    cursor: Annotated[str | None, typer.Option(help="Where the page before ended. [default: the beginning]")] = None,
    as_json: AsJson = False,
) -> None:
    """List the runs of the index, oldest first, with the run that took the place of each."""
    from grue.store import queries
    from grue.store.database import open_store

    with open_store() as store:
        page = queries.runs(store, setting=setting, limit=limit, cursor=cursor)
    if as_json:
        print_json(_page(page))
        return
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    table.add_column("run", no_wrap=True, min_width=26)
    for heading in ("name", "mark", "setting", "created", "superseded by"):
        table.add_column(heading, overflow="fold")
    for run in page.runs:
        created = run.created_at[:16].replace("T", " ")
        by = f"{run.superseded.new}: {run.superseded.reason}" if run.superseded else ""
        table.add_row(run.run_id, run.name, run.mark, run.setting, created, by)
    if page.runs:
        stdout().print(table)
    else:
        note("No runs here. 'grue db rebuild' makes the index.")
    if page.next_cursor:
        note(f"There are more: --cursor {page.next_cursor}")


def _folders(results: Sequence[Path] | None, more: Sequence[Path] | None) -> list[Path]:
    return [*(results or ()), *(more or ())] or [results_folder(None)]


def _progress(quiet: bool) -> Callable[[int, int], None] | None:
    """A line now and then on standard error."""
    if quiet:
        return None
    last = time.monotonic()

    def said(done: int, of: int) -> None:
        nonlocal last
        if time.monotonic() - last < LINE_SECONDS:
            return
        last = time.monotonic()
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{done:,} of {of:,} run directories" + ("\n" if done == of else ""))
            sys.stderr.flush()
        else:
            note(f"{done:,} of {of:,} run directories")

    return said


def _name_skipped(skipped: Sequence[Broken]) -> None:
    for broken in skipped:
        note(f"skipped: {broken.path}: {broken.reason}")


def _rebuilt(done: Rebuilt) -> dict[str, Json]:
    return {
        "runs": done.runs,
        "added": list(done.added),
        "removed": list(done.removed),
        **({"kept": list(done.kept)} if done.kept else {}),
        "changed": list(done.changed),
        "skipped": _skipped(done.skipped),
        "refused": [{**asdict(refused.decision), "cause": refused.reason} for refused in done.refused],
    }


def _checked(checked: Checked) -> dict[str, Json]:
    return {
        "runs": checked.runs,
        "equal": not checked.differences,
        "differences": [asdict(difference) for difference in checked.differences],
        "skipped": _skipped(checked.skipped),
    }


def _skipped(skipped: Sequence[Broken]) -> list[Json]:
    return [{"path": str(broken.path), "reason": broken.reason} for broken in skipped]


def _known(added: dict[str, bool]) -> list[Json]:
    return [path for path, is_new in added.items() if not is_new]


def _page(page: RunPage) -> dict[str, Json]:
    listed: list[Json] = []
    for run in page.runs:
        values = asdict(run)
        del values["created_microseconds"]
        listed.append({**values, "grue": run.grue.to_json(), "naturalness": run.naturalness.to_json()})
    return {"runs": listed, "next_cursor": page.next_cursor}
