"""``grue data``: the pinned data sets, and bundles for machines without internet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grue.cli.options import AsJson, Data, Offline, Quiet, Tasks, included
from grue.cli.output import note, print_json, stdout
from grue.core.errors import Exit, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from grue.core.settings import Settings
    from grue.core.task import Task
    from grue.core.text import Json

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, add_completion=False)
Splits = Annotated[
    str | None,
    typer.Option("--split", help="Splits, comma-separated, or all. [default: the one that is evaluated]"),
]


@app.callback()
def data() -> None:
    """Fetch, check and bundle the pinned data sets."""


@app.command()
def fetch(
    ctx: typer.Context,
    what: Annotated[
        list[str] | None,
        typer.Argument(help="wordnet, punkt: NLTK's data that metrics read, in place of tasks.", show_default=False),
    ] = None,
    tasks: Tasks = "grue",
    split: Splits = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder of data.lock. [default: $GRUE_HOME/data]")] = None,
    offline: Offline = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Download the pinned files, check checksums, columns and counts, and record them in data.lock."""
    from grue.data.fetch import fetch as run
    from grue.data.lock import LOCK_NAME

    home = _settings().home
    if what:
        _fetch_resources(what, home, offline=offline, quiet=quiet, as_json=as_json)
        return
    _quiet_downloads(quiet or as_json)
    fetched = run(
        [task for task, _ in _named(ctx, tasks)],
        _split_names(split),
        home=home,
        out=out,
        offline=offline,
        note=_notes(quiet),
    )
    lock = (out or home / "data") / LOCK_NAME
    if as_json:
        rows: list[Json] = [
            {
                "task": one.task,
                "split": one.split,
                "id": one.id,
                "revision": one.revision,
                "rows": one.rows,
                "files": {name: {"sha256": facts.sha256, "bytes": facts.bytes} for name, facts in one.files.items()},
            }
            for one in fetched
        ]
        print_json({"lock": str(lock), "fetched": rows})
        return
    table = [
        (one.task, one.split, f"{one.rows:,}", f"{sum(facts.bytes for facts in one.files.values()):,}", one.id)
        for one in fetched
    ]
    _print_table(("task", "split", "records", "bytes", "source"), table)
    note(f"Recorded in {lock}")
    note("Next: grue eval -m MODEL --data hub")


@app.command()
def verify(
    ctx: typer.Context,
    folder: Annotated[
        Path | None, typer.Argument(help="Folder of data.lock: of a bundle too. [default: $GRUE_HOME/data]")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hash again every file of data.lock; exit code 1 where one is missing or has changed."""
    from grue.data.verify import verify as run
    from grue.registry.tasks import load_task

    home = _settings().home
    found = run(folder or home / "data", lambda name: load_task(name, included(ctx)), home=home)
    good = all(one.state == "ok" for one in found)
    if as_json:
        files: list[Json] = [
            {"task": one.task, "file": one.file, "state": one.state, "expected": one.expected, "found": one.found}
            for one in found
        ]
        print_json({"ok": good, "files": files})
    else:
        _print_table(("task", "file", "state"), [(one.task, one.file, one.state) for one in found])
    if not good:
        raise typer.Exit(Exit.NO)


@app.command()
def export(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option("--out", help="Folder of the bundle.")],
    tasks: Tasks = "grue",
    split: Splits = None,
    data: Data = None,
    offline: Offline = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Write TASK/SPLIT.jsonl and data.lock: a folder for --data on machines without internet."""
    from grue.data.export import export as run
    from grue.data.location import locate

    settings = _settings()
    location = locate(data, settings["GRUE_DATA"])
    _quiet_downloads(quiet or as_json)
    named = _named(ctx, tasks)
    if location.kind == "folder":
        named = _present(named, location.path)
    exported = run(
        [task for task, _ in named],
        _split_names(split),
        location,
        out,
        home=settings.home,
        offline=offline,
        note=_notes(quiet),
    )
    if as_json:
        files: list[Json] = [
            {
                "task": one.task,
                "split": one.split,
                "file": one.file,
                "records": one.records,
                "sha256": one.facts.sha256,
                "bytes": one.facts.bytes,
            }
            for one in exported
        ]
        print_json({"out": str(out), "files": files})
        return
    rows = [(one.task, one.split, f"{one.records:,}", f"{one.facts.bytes:,}") for one in exported]
    _print_table(("task", "split", "records", "bytes"), rows)
    note(f"Read it with --data {out}. Mind the licences: several sets may not be passed on.")


def _fetch_resources(names: Sequence[str], home: Path, *, offline: bool, quiet: bool, as_json: bool) -> None:
    """Fetch NLTK's packages, and say how metrics come to read them."""
    from grue.data.nltk_data import check_names, fetch_resource

    check_names(names)
    fetched = []
    for name in names:
        _notes(quiet)(f"{name}: NLTK's data")
        fetched.append(fetch_resource(name, home=home, offline=offline))
    if as_json:
        rows: list[Json] = [
            {
                "name": one.name,
                "path": str(one.path),
                "version": one.version,
                "files": {name: {"sha256": facts.sha256, "bytes": facts.bytes} for name, facts in one.files.items()},
            }
            for one in fetched
        ]
        print_json({"fetched": rows})
        return
    table = [
        (one.name, one.version, f"{sum(facts.bytes for facts in one.files.values()):,}", str(one.path))
        for one in fetched
    ]
    _print_table(("data", "version", "bytes", "place"), table)
    for one in fetched:
        note(f"{one.name}: {one.use}")


def _settings() -> Settings:
    import os

    from grue.core.settings import load_settings

    return load_settings(os.environ, Path.cwd())


def _named(ctx: typer.Context, text: str) -> list[tuple[Task, bool]]:
    """The tasks, each with whether it came from a group."""
    from grue.registry.tasks import expand, load_task

    include = included(ctx)
    wanted = expand(text, include)
    return [(load_task(name, include), name in wanted.optional) for name in wanted.names]


def _present(named: list[tuple[Task, bool]], folder: Path | None) -> list[tuple[Task, bool]]:
    """The tasks without those of a group that the folder does not hold."""
    from grue.data.folder import split_files
    from grue.data.location import DataLocation, TaskAbsentError

    present = []
    for task, is_optional in named:
        try:
            split_files(task, DataLocation("folder", folder))
        except TaskAbsentError:
            if not is_optional:
                raise
            note(f"{task.name}: not in {folder}, passed over")
            continue
        present.append((task, is_optional))
    return present


def _split_names(text: str | None) -> list[str] | None:
    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise UsageError("--split: no split is named.", "Write names, comma-separated, or all.")
    return names


def _notes(quiet: bool) -> Callable[[str], None]:
    return (lambda _: None) if quiet else note


def _quiet_downloads(quiet: bool) -> None:
    """Keep the download bars of the hub's library away where they were not asked for."""
    import sys

    if quiet or not sys.stderr.isatty():
        from huggingface_hub.utils import disable_progress_bars

        disable_progress_bars()


def _print_table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    from rich.table import Table

    table = Table(*headings, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    stdout().print(table)
