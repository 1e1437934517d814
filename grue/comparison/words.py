"""What a comparison says, in words."""

from __future__ import annotations

from collections.abc import Sequence

from grue.comparison.numbers import between, count, number, signed
from grue.comparison.values import Comparison, MetricComparison, Pair, Verdict
from grue.stats.power import Power

METHOD = (
    "Differences are candidate minus baseline with 95 % intervals by paired bootstrap over rows. p by approximate "
    "randomisation, two-sided, Holm-corrected over tasks; a difference counts as shown at p ≤ 0.05."
)


def title(comparison: Comparison, pair: Pair) -> str:
    """``candidate against baseline``."""
    return f"{pair.candidate.label} against {comparison.baseline.label}"


def lead(pair: Pair) -> str:
    """The answer in a sentence or two: on how many tasks better, worse, undecided."""
    if not pair.tasks:
        return "No task of the two runs could be compared."
    if pair.is_equal:
        head = "Both are the same run: no" if pair.is_same_run else "No"
        return f"{head} difference on any task, in any value or row."
    n_tasks = len(pair.tasks)
    untested = [task.name for task in pair.tasks if task.headline is None]
    parts = [
        _on(words, pair.with_verdict(verdict), n_tasks)
        for verdict, words in (
            (Verdict.BETTER, "better on"),
            (Verdict.WORSE, "worse on"),
            (Verdict.DIFFERENT, "different on"),
            (Verdict.NONE_SHOWN, "no difference shown on"),
            (Verdict.EQUAL, "equal on"),
        )
        if pair.with_verdict(verdict)
    ]
    if untested:
        parts.append(_on("not tested on", untested, n_tasks))
    text = ", ".join(parts)
    return f"{text[:1].upper()}{text[1:]}."


def score_words(comparison: Comparison, pair: Pair) -> str:
    """What became of the GRUE score; empty where one of the runs has none."""
    left, right = comparison.baseline.scores.grue.value, pair.candidate.scores.grue.value
    if pair.grue.value is None or left is None or right is None:
        return ""
    bounds = f", 95 % interval {between(pair.grue.ci95, 1)}" if pair.grue.ci95 else ""
    return f"GRUE score {number(left, 1)} → {number(right, 1)}: {signed(pair.grue.value, 1)}{bounds}."


def _on(words: str, names: Sequence[str], n_tasks: int) -> str:
    if len(names) == n_tasks:
        return f"{words} {'all' if n_tasks > 1 else 'the one task,'} {n_tasks if n_tasks > 1 else names[0]}" + (
            " tasks" if n_tasks > 1 else ""
        )
    return f"{words} {len(names)} of {n_tasks} tasks ({', '.join(names)})"


def metric_name(metric: MetricComparison) -> str:
    """The metric's name, with an arrow where lower is better."""
    return f"{metric.name} ↓" if metric.higher_is_better is False else metric.name


def power_words(power: Power | None, places: int) -> str:
    """Rows needed and the smallest difference, in a few words."""
    if power is None:
        return ""
    needed = f"{count(power.rows_needed)} rows needed" if power.rows_needed is not None else ""
    smallest = (
        f"{count(power.n_rows)} rows show {power.smallest_difference:.{places}f} or more"
        if power.smallest_difference is not None
        else ""
    )
    return "; ".join(part for part in (needed, smallest) if part) or (power.reason or "")
