"""`grue import`: results of other harnesses as run directories."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from grue.cli.options import AsJson, Output
from grue.cli.output import note, print_json, stdout
from grue.cli.runs import results_folder

app = typer.Typer(rich_markup_mode=None, add_completion=False)


class Harness(StrEnum):
    """Whose results are read."""

    LM_EVAL = "lm-eval"


@app.command()
def import_results(
    source: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder with one results_*.json and its samples, or that file.")
    ],
    harness: Annotated[Harness, typer.Option("--from", help="The harness that wrote it.")],
    output: Output = None,
    name: Annotated[str | None, typer.Option("--name", help="Display name. [default: the model's]")] = None,
    as_json: AsJson = False,
) -> None:
    """Read another harness's results and samples into a run directory, marked as imported.

    It stands on the board in a setting of its own: imported values are never ranked with those computed here.
    """
    from grue.exchange.lm_eval.to_run import import_lm_eval

    found = import_lm_eval(source, output, results_folder(None), name=name)
    if as_json:
        print_json(
            {
                "run_id": found.run_id,
                "path": str(found.path),
                "name": found.model,
                "from": str(harness),
                "tasks": list(found.tasks),
                "with_samples": list(found.with_samples),
                "was_finished": found.was_finished,
            }
        )
        return
    if found.was_finished:
        note("This was imported already.")
    without = [task for task in found.tasks if task not in found.with_samples]
    if without:
        note(f"Values without samples: {', '.join(without)}.")
    out = stdout()
    out.print(f"Run {found.run_id}, imported: {found.path}", soft_wrap=True)
    out.print(f"Next: grue leaderboard build --results {found.path} --out board", soft_wrap=True)
