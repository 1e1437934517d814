"""A comparison in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from grue.comparison import numbers
from grue.comparison.cost import cost_lines
from grue.comparison.values import Comparison, MetricComparison, Moved, MovedRow, Pair, TaskComparison, Verdict
from grue.comparison.words import METHOD, lead, metric_name, power_words, title

if TYPE_CHECKING:
    from rich.console import Console

_STYLES = {Verdict.BETTER: "bold green", Verdict.WORSE: "bold red", Verdict.DIFFERENT: "bold"}
_SETTINGS_SHOWN = 12
_ROWS_SHOWN = 1
_COSTS_SHOWN = ("time", "new tokens a second", "most memory", "empty outputs", "cut outputs")


def print_comparison(comparison: Comparison, out: Console, *, every: bool) -> None:
    """Print every candidate against the baseline.

    Args:
        comparison: What to print.
        out: Where.
        every: Whether all metrics are shown, not only primary ones.
    """
    for at, pair in enumerate(comparison.pairs):
        if at:
            out.print()
        _print_pair(comparison, pair, out, every=every)
    out.print(f"\n{METHOD}", style="dim", soft_wrap=True)
    out.print(
        f"{numbers.count(comparison.n_resamples)} resamples and trials, seed {comparison.seed}."
        + ("" if every else " All metrics and more rows that moved: --all.")
        + " With charts: -o report.html",
        style="dim",
        soft_wrap=True,
    )


def _print_pair(comparison: Comparison, pair: Pair, out: Console, *, every: bool) -> None:
    out.print(title(comparison, pair), style="bold", soft_wrap=True)
    out.print(lead(pair), soft_wrap=True)
    for task in pair.tasks:
        if task.n_common is not None:
            out.print(
                f"{task.name}: {task.n_common} common rows of {task.n_baseline} and {task.n_candidate} are compared; "
                "values are those of the common rows.",
                soft_wrap=True,
            )
    for skipped in pair.skipped:
        out.print(f"not compared: {skipped.task}: {skipped.reason}", soft_wrap=True)
    if not pair.tasks:
        return
    out.print()
    out.print(_metrics_table(comparison, pair, every=every))
    _print_untested(pair, out, every=every)
    out.print()
    out.print(_cost_table(pair))
    _print_differing(pair, out)
    for task in pair.tasks:
        if task.moved and (task.moved.better or task.moved.worse):
            _print_moved(task, task.moved, out, every=every)


def _metrics_table(comparison: Comparison, pair: Pair, *, every: bool) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("task", no_wrap=True)
    table.add_column("metric", no_wrap=True)
    for heading in (comparison.baseline.label, pair.candidate.label, "difference", "95 % interval", "p (Holm)"):
        table.add_column(heading, justify="right", overflow="fold")
    table.add_column("reads as")
    table.add_column("effect d_z", justify="right")
    table.add_column("won/tied/lost", justify="right", no_wrap=True)
    with_power = any(metric.power for task in pair.tasks for metric in task.metrics)
    if with_power:
        table.add_column("power")
    for task in pair.tasks:
        for metric in task.metrics:
            if _is_shown(metric, every=every):
                style = _STYLES.get(metric.verdict, "")
                name = f"{metric_name(metric)} *" if metric.is_headline else metric_name(metric)
                cells = (task.name, name, *_cells(metric))
                table.add_row(*cells, *([_power(metric)] if with_power else []), style=style if not every else None)
    return table


def _is_shown(metric: MetricComparison, *, every: bool) -> bool:
    return every or metric.is_primary or metric.is_headline


def _cells(metric: MetricComparison) -> tuple[str, ...]:
    places = numbers.decimals(metric.name, metric.scale)
    rows = metric.rows
    return (
        numbers.number(metric.baseline.value, places),
        numbers.number(metric.candidate.value, places),
        numbers.signed(metric.difference, places),
        numbers.between(metric.ci95, places),
        numbers.p_value(metric.p_randomization_holm),
        metric.verdict.value,
        numbers.signed(metric.effect_size, 2),
        f"{rows.wins}/{rows.ties}/{rows.losses}" if rows else numbers.NONE,
    )


def _power(metric: MetricComparison) -> str:
    return power_words(metric.power, numbers.decimals(metric.name, metric.scale))


def _print_untested(pair: Pair, out: Console, *, every: bool) -> None:
    out.print("* decides the task's verdict; ↓ lower is better", style="dim")
    why: dict[str, list[str]] = {}
    for task in pair.tasks:
        for metric in task.metrics:
            if metric.verdict is Verdict.UNTESTED and _is_shown(metric, every=every):
                why.setdefault(metric.reason or "no reason is known", []).append(f"{task.name} {metric.name}")
    for reason, names in why.items():
        out.print(f"not tested ({reason}): {', '.join(names)}", soft_wrap=True)


def _cost_table(pair: Pair) -> Table:
    """One line a task: baseline → candidate."""
    lines = {task.name: {line.measure: line for line in cost_lines(task)} for task in pair.tasks}
    measures = [name for name in _COSTS_SHOWN if any(name in found for found in lines.values())]
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("cost", no_wrap=True)
    for measure in measures:
        table.add_column(measure, justify="right")
    for task, found in lines.items():
        cells = (f"{found[name].baseline} → {found[name].candidate}" if name in found else "" for name in measures)
        table.add_row(task, *cells)
    return table


def _print_differing(pair: Pair, out: Console) -> None:
    if not pair.differing:
        return
    out.print("\nThe runs differ in", style="bold")
    for setting in pair.differing[:_SETTINGS_SHOWN]:
        name = f"{setting.task} {setting.name}".strip()
        out.print(f"  {name}: {setting.baseline} → {setting.candidate}", soft_wrap=True)
    if len(pair.differing) > _SETTINGS_SHOWN:
        out.print(f"  and {len(pair.differing) - _SETTINGS_SHOWN} more settings", style="dim")


def _print_moved(task: TaskComparison, moved: Moved, out: Console, *, every: bool) -> None:
    out.print(f"\n{task.name}: rows that moved most by {moved.metric}", style="bold", soft_wrap=True)
    shown = None if every else _ROWS_SHOWN
    metric = next(one for one in task.metrics if one.name == moved.metric)
    places = numbers.decimals(metric.name, metric.scale)
    for row in (*moved.better[:shown], *moved.worse[:shown]):
        _print_row(row, places, out)


def _print_row(row: MovedRow, places: int, out: Console) -> None:
    out.print(
        f"{row.id}  {numbers.signed(row.difference, places)}  "
        f"({numbers.number(row.baseline, places)} → {numbers.number(row.candidate, places)})",
        soft_wrap=True,
    )
    for label, texts in (("baseline", row.baseline_texts), ("candidate", row.candidate_texts)):
        for text in texts[:1]:
            out.print(f"  {label:<10} {_one_line(text, out.width - 14)}", soft_wrap=True)


def _one_line(text: str, width: int) -> str:
    """The text on one line, cut to the width; an empty one is said to be so."""
    line = " ".join(text.split()) or "(empty)"
    return line if len(line) <= width else f"{line[: max(1, width - 1)]}…"
