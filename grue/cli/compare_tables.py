"""A comparison in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.measure import Measurement
from rich.table import Table

from grue.comparison import numbers
from grue.comparison.cost import cost_lines
from grue.comparison.values import Comparison, MetricComparison, Moved, MovedRow, Pair, TaskComparison, Verdict
from grue.comparison.words import METHOD, lead, metric_name, power_words, score_words, title

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console

_STYLES = {Verdict.BETTER: "bold green", Verdict.WORSE: "bold red", Verdict.DIFFERENT: "bold"}
_COLUMNS = (
    *("task", "metric", "baseline", "candidate", "difference", "95 % interval", "p (Holm)", "reads as"),
    *("effect d_z", "won/tied/lost", "power"),
)
_WORDS = ("task", "metric", "reads as", "power")
_LEAST_NEEDED = (("effect d_z",), ("won/tied/lost",), ("p (Holm)",), ("baseline", "candidate"))
_LONG_NAME = 16
_ANY_WIDTH = 10_000
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
    out.print(plain(title(comparison, pair)), style="bold", soft_wrap=True)
    out.print(lead(pair), soft_wrap=True)
    if score := score_words(comparison, pair):
        out.print(score, soft_wrap=True)
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
    out.print(_metrics_table(comparison, pair, out, every=every))
    _print_untested(pair, out, every=every)
    out.print()
    out.print(_cost_table(pair, out))
    _print_differing(pair, out)
    for task in pair.tasks:
        if task.moved and (task.moved.better or task.moved.worse):
            _print_moved(task, task.moved, out, every=every)


def _metrics_table(comparison: Comparison, pair: Pair, out: Console, *, every: bool) -> Table:
    shown = [(task, metric) for task in pair.tasks for metric in task.metrics if _is_shown(metric, every=every)]
    is_asked = any(metric.power for _, metric in shown)
    columns = [column for column in _COLUMNS if is_asked or column != "power"]
    return _fitting(out, columns, _LEAST_NEEDED, lambda kept: _metrics_of(kept, comparison, pair, shown))


def _fitting(
    out: Console,
    columns: Sequence[str],
    least_needed: Sequence[tuple[str, ...]],
    table_of: Callable[[Sequence[str]], Table],
) -> Table:
    """The table without what a narrow terminal has no room for, the least needed left out first."""
    kept = list(columns)
    table = table_of(kept)
    for names in least_needed:
        if Measurement.get(out, out.options.update(max_width=_ANY_WIDTH), table).maximum <= out.width:
            break
        kept = [column for column in kept if column not in names]
        table = table_of(kept)
    return table


def _metrics_of(
    kept: Sequence[str], comparison: Comparison, pair: Pair, shown: Sequence[tuple[TaskComparison, MetricComparison]]
) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    names = {"baseline": comparison.baseline.label, "candidate": pair.candidate.label}
    for column in kept:
        heading = plain(names.get(column, column))
        heading = column if len(heading) > _LONG_NAME else heading
        table.add_column(heading, justify="left" if column in _WORDS else "right", no_wrap=True)
    for task, metric in shown:
        cells = _cells(task, metric)
        table.add_row(*(cells[column] for column in kept), style=_STYLES.get(metric.verdict))
    return table


def _is_shown(metric: MetricComparison, *, every: bool) -> bool:
    return every or metric.is_primary or metric.is_headline


def _cells(task: TaskComparison, metric: MetricComparison) -> dict[str, str]:
    places = numbers.decimals(metric.name, metric.scale)
    rows = metric.rows
    return {
        "task": task.name,
        "metric": f"{metric_name(metric)} *" if metric.is_headline else metric_name(metric),
        "baseline": numbers.number(metric.baseline.value, places),
        "candidate": numbers.number(metric.candidate.value, places),
        "difference": numbers.signed(metric.difference, places),
        "95 % interval": numbers.between(metric.ci95, places),
        "p (Holm)": numbers.p_value(metric.p_randomization_holm),
        "reads as": metric.verdict.value,
        "effect d_z": numbers.signed(metric.effect_size, 2),
        "won/tied/lost": f"{rows.wins}/{rows.ties}/{rows.losses}" if rows else numbers.NONE,
        "power": power_words(metric.power, places),
    }


def _print_untested(pair: Pair, out: Console, *, every: bool) -> None:
    out.print("* decides the task's verdict; ↓ lower is better", style="dim")
    why: dict[str, list[str]] = {}
    for task in pair.tasks:
        for metric in task.metrics:
            if metric.verdict is Verdict.UNTESTED and _is_shown(metric, every=every):
                why.setdefault(metric.reason or "no reason is known", []).append(f"{task.name} {metric.name}")
    for reason, names in why.items():
        out.print(f"not tested ({reason}): {', '.join(names)}", soft_wrap=True)


def _cost_table(pair: Pair, out: Console) -> Table:
    """One line a task: baseline → candidate."""
    lines = {task.name: {line.measure: line for line in cost_lines(task)} for task in pair.tasks}
    measures = [name for name in _COSTS_SHOWN if any(name in found for found in lines.values())]

    def table_of(kept: Sequence[str]) -> Table:
        table = Table(box=None, header_style="bold", pad_edge=False)
        table.add_column("cost", no_wrap=True)
        for measure in kept:
            table.add_column(measure, justify="right", no_wrap=True)
        for task, found in lines.items():
            cells = (f"{found[name].baseline} → {found[name].candidate}" if name in found else "" for name in kept)
            table.add_row(task, *cells)
        return table

    return _fitting(out, measures, [(name,) for name in measures[:0:-1]], table_of)


def _print_differing(pair: Pair, out: Console) -> None:
    if not pair.differing:
        return
    out.print("\nThe runs differ in", style="bold")
    for setting in pair.differing[:_SETTINGS_SHOWN]:
        name = f"{setting.task} {setting.name}".strip()
        out.print(plain(f"  {name}: {setting.baseline} → {setting.candidate}"), soft_wrap=True)
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
    line = plain(" ".join(text.split())) or "(empty)"
    return line if len(line) <= width else f"{line[: max(1, width - 1)]}…"


def plain(text: str) -> str:
    """Text of others without the codes that move a terminal's cursor or colour it."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
