"""``grue eval --seeds``: what the runs of several seeds came to, and how far they spread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from grue.cli.output import note, print_json, stdout
from grue.cli.report import DECIMALS, NOTHING, exit_code, run_document

if TYPE_CHECKING:
    from grue.evaluation.seeds import Spread
    from grue.runs.read import StoredRun


def print_seeds(runs: Sequence[StoredRun], *, as_json: bool, strict: bool) -> int:
    """Print mean and spread of each primary metric and where the runs are; gives the command's exit code."""
    from rich.table import Table

    from grue.evaluation.seeds import spread, spreads

    values = [(run.manifest_value(), run.results_value()) for run in runs]
    found = spreads(values)
    grue = spread([results.scores.grue.value for _, results in values])
    code = max(exit_code(results, strict=strict) for _, results in values)
    if as_json:
        print_json(
            {
                "seeds": [manifest.seed for manifest, _ in values],
                "runs": [{"seed": run.manifest["seed"], **run_document(run)} for run in runs],
                "spread": {
                    task: {name: one.to_json() for name, one in metrics.items()} for task, metrics in found.items()
                },
                "scores": {"grue": grue.to_json()},
            }
        )
        return code
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("task", "metric"):
        table.add_column(heading, no_wrap=True)
    for heading in ("mean", "sd", "min", "max", "runs"):
        table.add_column(heading, justify="right", no_wrap=True)
    first = values[0][1]
    for task, metrics in found.items():
        for number, (name, one) in enumerate(metrics.items()):
            held = first.tasks[task].metrics.get(name) if task in first.tasks else None
            table.add_row(task if number == 0 else "", name, *_cells(one, held.scale if held else None))
    if grue.n:
        table.add_row("", "GRUE", *_cells(grue, 100.0))
    console = stdout()
    console.print(table)
    console.print(f"sd: over {len(runs)} seeds, n - 1; the interval over rows stands with each run.", soft_wrap=True)
    for run, (manifest, came) in zip(runs, values, strict=True):
        console.print(f"Run {manifest.run_id}, seed {manifest.seed}, {came.status}: {run.path}", soft_wrap=True)
        for task, result in came.tasks.items():
            if result.error:
                note(f"seed {manifest.seed}: {task}: {result.error}")
    return code


def _cells(one: Spread, scale: float | None) -> tuple[str, str, str, str, str]:
    decimals = DECIMALS.get(scale or 0.0, 3)
    mean, sd, low, high = (
        NOTHING if value is None else f"{value:.{decimals}f}" for value in (one.mean, one.sd, one.low, one.high)
    )
    return mean, sd, low, high, f"{one.n}/{len(one.values)}"
