"""`grue runs list|show`: what is in the results folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grue.cli.options import AsJson
from grue.cli.output import note, print_json, stdout
from grue.core.errors import UsageError
from grue.core.settings import load_settings
from grue.core.text import Json, nearest

if TYPE_CHECKING:
    from grue.core.metric import MetricValue
    from grue.runs.frames import Run
    from grue.runs.read import Broken, RunSummary

SHOWN_TASKS = 2

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, add_completion=False)

Results = Annotated[
    Path | None, typer.Option("--results", help="Folder of run directories. [default: $GRUE_RESULTS_DIR, else runs]")
]


@app.callback()
def runs() -> None:
    """See which runs there are and what came out of one."""


@app.command(name="list")
def list_runs(results: Results = None, as_json: AsJson = False) -> None:
    """List the runs in the results folder, oldest first; broken ones with the reason."""
    from rich.table import Table

    from grue.runs.read import Broken, find_runs

    folder = results_folder(results)
    # Before the first run there is no results folder, unless the user names one.
    found = find_runs(folder) if results or folder.is_dir() else []
    broken = [run for run in found if isinstance(run, Broken)]
    sound = [run for run in found if not isinstance(run, Broken)]
    if as_json:
        print_json(_list_document(sound, broken))
        return
    out = stdout()
    table = Table(box=None, header_style="bold")
    table.add_column("run", no_wrap=True, min_width=26)
    for heading in ("name", "status", "created", "tasks", "path"):
        table.add_column(heading, overflow="fold")
    for run in sound:
        created = run.created_at[:16].replace("T", " ")
        tasks = ", ".join(run.tasks) if len(run.tasks) <= SHOWN_TASKS else f"{len(run.tasks)} tasks"
        table.add_row(run.run_id, run.name, run.status, created, tasks, str(run.path))
    if sound:
        out.print(table)
    else:
        note("No runs here.")
    for fault in broken:
        note(f"{'unfinished' if fault.is_unfinished else 'broken'}: {fault.path}: {fault.reason}")


@app.command()
def show(
    run: Annotated[str, typer.Argument(help="Run directory, or id, beginning of an id, or name of a run.")],
    results: Results = None,
    as_json: AsJson = False,
) -> None:
    """Show what was run and what came out."""
    from grue.runs.frames import load_run

    found = load_run(run_path(run, results))
    if as_json:
        print_json({"path": str(found.path), "manifest": found.stored.manifest, "results": found.stored.results})
        return
    _print_run(found)


def results_folder(given: Path | None) -> Path:
    """The folder of run directories: the flag, else the setting."""
    return given or Path(load_settings(os.environ, Path.cwd())["GRUE_RESULTS_DIR"])


def run_path(text: str, results: Path | None) -> Path:
    """The run directory that a user means by a path, a run id or its beginning, or a name.

    Raises:
        UsageError: where none or several fit.
        RunDirectoryError: where the results folder does not exist.
    """
    from grue.runs.read import MANIFEST, RunSummary, find_runs

    if (Path(text) / MANIFEST).is_file():
        return Path(text)
    folder = results_folder(results)
    if not folder.is_dir():
        raise UsageError(
            f"no run directory {text!r}, and no results folder {str(folder)!r}.", "Give the path of a run directory."
        )
    found = [run for run in find_runs(folder) if isinstance(run, RunSummary)]
    exact = [run for run in found if text in (run.run_id, run.path.name)] or [run for run in found if run.name == text]
    fitting = exact or [run for run in found if run.run_id.startswith(text.upper()) or run.path.name.startswith(text)]
    if len(fitting) == 1:
        return fitting[0].path
    if fitting:
        shown = ", ".join(f"{run.run_id} ({run.path})" for run in fitting[:5])
        raise UsageError(f"{text!r} fits {len(fitting)} runs: {shown}.", "Give the run's id or path.")
    known = [*(run.run_id for run in found), *(run.name for run in found), *(run.path.name for run in found)]
    raise UsageError(f"no run {text!r} in {folder}.{nearest(text, known)}", "'grue runs list' shows all.")


def _list_document(sound: list[RunSummary], broken: list[Broken]) -> dict[str, Json]:
    return {
        "runs": [
            {
                "run_id": run.run_id,
                "name": run.name,
                "source": run.source,
                "identity": run.identity,
                "created_at": run.created_at,
                "status": run.status,
                "tasks": list(run.tasks),
                "path": str(run.path),
            }
            for run in sound
        ],
        "broken": [{"path": str(run.path), "reason": run.reason, "unfinished": run.is_unfinished} for run in broken],
    }


def _print_run(run: Run) -> None:
    from rich.table import Table

    manifest, out = run.manifest, stdout()
    behind = manifest.model.endpoint
    lines = {
        "run": f"{manifest.run_id}, {run.results.status}, {manifest.created_at}",
        "model": f"{manifest.model.name} ({manifest.model.source})",
        **({"endpoint": f"{behind.address}, {behind.server or 'version unknown'}; {behind.mark}"} if behind else {}),
        "identity": manifest.identity,
        "seed": str(manifest.seed),
        "path": str(run.path),
    }
    for name, text in lines.items():
        out.print(f"{name:<9} {text}", soft_wrap=True)
    table = Table("task", "metric", box=None, header_style="bold")
    for heading in ("value", "95 % interval", "n"):
        table.add_column(heading, justify="right")
    absent: dict[str, list[str]] = {}
    for task, result in run.results.tasks.items():
        primary = manifest.tasks[task].primary if task in manifest.tasks else ()
        rewards = {f"reward {name}": value for name, value in result.rewards.items()}
        for name, value in {**result.metrics, **rewards}.items():
            if value.value is None:
                absent.setdefault(value.reason or "no reason is known", []).append(f"{task} {name}")
            else:
                table.add_row(task, f"{name} *" if name in primary else name, *_cells(value))
        if result.error:
            note(f"{task}: {result.error}")
    out.print(table)
    out.print("* primary metric of its task")
    for reason, names in absent.items():
        out.print(f"no value ({reason}): {', '.join(names)}", soft_wrap=True)


def _cells(value: MetricValue) -> tuple[str, str, str]:
    interval = f"{value.ci95[0]:.4f} – {value.ci95[1]:.4f}" if value.ci95 else "–"
    return ("–" if value.value is None else f"{value.value:.4f}", interval, str(value.n))
