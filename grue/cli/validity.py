"""`grue validity`: whether a run's numbers rest on outputs and values that can be trusted."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from grue.cli.options import AsJson
from grue.cli.output import note, print_json, stdout
from grue.cli.runs import Results, run_path
from grue.core.errors import UsageError
from grue.core.text import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.console import Console

    from grue.core.text import Json
    from grue.runs.read import StoredRun
    from grue.runs.validity import Correlation, Share, TaskValidity, Validity

app = typer.Typer(rich_markup_mode=None, add_completion=False)

NOTHING = "–"
SIGNS = {"fine": " ", "notice": "·", "warning": "!"}
MOST_LINES = 5
EXAMPLES = 3


@app.command()
def validity(
    run: Annotated[str, typer.Argument(help="Run directory, or id, beginning of an id, or name of a run.")],
    task: Annotated[str | None, typer.Option("-t", "--task", help="Only this task. [default: all of the run]")] = None,
    results: Results = None,
    as_json: AsJson = False,
) -> None:
    """Show degenerate outputs, length bias, rewards and metrics that disagree, beside the null systems' scores."""
    from grue.evaluation.stored_validity import report_of_run
    from grue.runs.read import read_run

    stored = read_run(run_path(run, results))
    report = report_of_run(stored)
    tasks = _chosen(report, task)
    if as_json:
        document: dict[str, Json] = {
            name: {**one.to_json(), "values": _values(stored, name), "null_systems": _null_systems(stored, name)}
            for name, one in tasks.items()
        }
        print_json({"run_id": stored.manifest["run_id"], "severity": report.severity, "tasks": document})
        return
    console = stdout()
    for name, one in tasks.items():
        _print_task(console, name, one, stored)
    note("! warning: large and beyond chance; · notice: beyond chance. 'grue samples RUN -t TASK' shows rows.")


def warning_lines(report: Validity, path: str) -> list[str]:
    """The warnings of a report for the end of `grue eval`, at most five and a count; none where there are none.

    Args:
        report: The report.
        path: The run directory, for the command that shows all.
    """
    found = [f"{name}: {text}" for name, one in report.tasks.items() for text in one.warnings]
    if not found:
        return []
    rest = [f"… and {len(found) - MOST_LINES} more"] if len(found) > MOST_LINES else []
    head = f"Validity: {len(found)} {'warning' if len(found) == 1 else 'warnings'}; see grue validity"
    return [f"{head} {shlex.quote(path)}", *(f"! {line}" for line in (*found[:MOST_LINES], *rest))]


def _chosen(report: Validity, task: str | None) -> Mapping[str, TaskValidity]:
    if task is None:
        return report.tasks
    if task not in report.tasks:
        known = ", ".join(report.tasks) or "none"
        raise UsageError(f"The report has no task {task!r}.{nearest(task, report.tasks)}", f"It has: {known}.")
    return {task: report.tasks[task]}


def _values(stored: StoredRun, task: str) -> dict[str, Json]:
    """The primary metrics' values."""
    metrics = stored.results["tasks"][task]["metrics"]
    primary = stored.manifest["tasks"][task].get("primary") or []
    return {name: metrics[name]["value"] for name in primary if name in metrics}


def _null_systems(stored: StoredRun, task: str) -> dict[str, Json]:
    """System -> metric -> value, as the run stored them; empty for runs of earlier versions."""
    scores = stored.results["tasks"][task].get("scores") or {}
    return dict(scores.get("null_systems") or {})


def _print_task(console: Console, name: str, one: TaskValidity, stored: StoredRun) -> None:
    from rich.table import Table

    console.print(f"{name}: {one.severity}, {one.n} outputs", style="bold", soft_wrap=True)
    for severity, text in one.findings:
        console.print(f"{SIGNS[severity]} {text}", soft_wrap=True)
    outputs = Table("", "outputs that are", box=None, header_style="bold", pad_edge=False)
    for heading in ("count", "share", "references"):
        outputs.add_column(heading, justify="right")
    outputs.add_column("rows", overflow="fold")
    for kind, share in one.degenerate.items():
        outputs.add_row(SIGNS[share.severity], kind.replace("_", " "), *_share_cells(share))
    console.print(outputs)
    measured = [line for line in _measured(one) if line]
    if measured:
        table = Table(
            "", "metric or reward", "with length", "length given references", "with independent metrics",
            box=None, header_style="bold", pad_edge=False,
        )  # fmt: skip
        for line in measured:
            table.add_row(*line)
        console.print(table)
    for share in one.single_metric.values():
        if share.count:
            rows = ", ".join(share.examples[:EXAMPLES])
            console.print(f"{SIGNS[share.severity]} {share.count} rows {share.meaning}: {rows}", soft_wrap=True)
    _print_null_systems(console, stored, name)
    console.print("")


def _share_cells(share: Share) -> tuple[str, str, str, str]:
    if share.reason and not share.count:
        return NOTHING, NOTHING, NOTHING, share.reason
    beside = NOTHING if share.references_share is None else f"{share.references_share:.1%}"
    more = ", …" if share.count > EXAMPLES else ""
    return str(share.count), f"{share.share:.1%}", beside, ", ".join(share.examples[:EXAMPLES]) + more


def _measured(one: TaskValidity) -> Iterator[tuple[str, ...]]:
    """One line a metric or reward: its rank correlations with length and with what is independent of it."""
    for name, bias in one.length_bias.items():
        agreement = one.agreement.get(name)
        severities = [bias.severity, *([agreement.severity] if agreement else [])]
        worst = max(severities, key=list(SIGNS).index)
        others = agreement.against if agreement else {}
        against = ", ".join(f"{other} {rho.rho:+.2f}" for other, rho in others.items() if rho.rho is not None)
        given = NOTHING if bias.given_references is None else _rho(bias.given_references)
        yield SIGNS[worst], name, _rho(bias.with_length), given, against or NOTHING


def _rho(one: Correlation) -> str:
    if one.rho is None:
        return NOTHING
    bounds = f" [{one.ci95[0]:+.2f}, {one.ci95[1]:+.2f}]" if one.ci95 else ""
    return f"{one.rho:+.2f}{bounds}"


def _print_null_systems(console: Console, stored: StoredRun, task: str) -> None:
    from rich.table import Table

    systems, values = _null_systems(stored, task), _values(stored, task)
    if not systems or not values:
        return
    table = Table("system", *values, box=None, header_style="bold", pad_edge=False)
    table.add_row("this run", *map(_number, values.values()))
    for system, found in systems.items():
        known = found if isinstance(found, dict) else {}
        table.add_row(system, *(_number(known.get(name)) for name in values))
    console.print(table)


def _number(value: Json) -> str:
    return f"{value:.4f}" if isinstance(value, int | float) else NOTHING
