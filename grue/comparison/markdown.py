"""A comparison as GitHub's Markdown: verdict, metrics, what the runs differ in, cost, rows that moved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from grue.comparison import numbers
from grue.comparison.cost import cost_lines
from grue.comparison.values import Comparison, MetricComparison, MovedRow, Pair, TaskComparison, Verdict
from grue.comparison.words import METHOD, lead, metric_name, power_words, score_words, title
from grue.exchange.text import markdown_text as text


def markdown(comparison: Comparison, *, every: bool = False) -> str:
    """The report; ``every`` holds all metrics in its table, not only primary ones."""
    parts = [part for pair in comparison.pairs for part in _pair(comparison, pair, every=every)]
    resamples = f"{numbers.count(comparison.n_resamples)} resamples and trials, seed {comparison.seed}."
    return "\n\n".join([*parts, text(f"{METHOD} {resamples}")]) + "\n"


def _pair(comparison: Comparison, pair: Pair, *, every: bool) -> Iterator[str]:
    yield f"## {text(title(comparison, pair))}"
    yield f"**{text(lead(pair))}** {text(score_words(comparison, pair))}".rstrip()
    subsets = [
        f"- {text(task.name)}: {task.n_common} common rows of {task.n_baseline} and {task.n_candidate}; values are "
        "those of the common rows"
        for task in pair.tasks
        if task.n_common is not None
    ]
    skipped = [f"- not compared: {text(one.task)}: {text(one.reason)}" for one in pair.skipped]
    if subsets or skipped:
        yield "\n".join((*subsets, *skipped))
    if not pair.tasks:
        return
    yield _metrics(comparison, pair, every=every)
    untested = _untested(pair, every=every)
    if untested:
        yield untested
    if pair.differing:
        rows = [(one.task or "all", one.name, one.baseline, one.candidate) for one in pair.differing]
        heads = ("task", "setting", comparison.baseline.label, pair.candidate.label)
        yield _folded("What the runs differ in", _table(heads, "llll", rows))
    costs = [
        (task.name, line.measure, line.baseline, line.candidate, line.ratio)
        for task in pair.tasks
        for line in cost_lines(task)
    ]
    measured = ("task", "cost", comparison.baseline.label, pair.candidate.label, "ratio")
    yield _folded("Cost", _table(measured, "llrrr", costs))
    for task in pair.tasks:
        yield from _moved(comparison, pair, task)


def _metrics(comparison: Comparison, pair: Pair, *, every: bool) -> str:
    shown = [
        (task, metric)
        for task in pair.tasks
        for metric in task.metrics
        if every or metric.is_primary or metric.is_headline
    ]
    with_power = any(metric.power for _, metric in shown)
    heads = ("task", "metric", comparison.baseline.label, pair.candidate.label, "difference", "95 % interval", "p")
    rows = [(task.name, *_cells(metric, with_power=with_power)) for task, metric in shown]
    more = ("reads as", "effect size", "rows won/tied/lost", *(("power",) if with_power else ()))
    return _table((*heads, *more), "llrrrrrlrrl", rows)


def _cells(metric: MetricComparison, *, with_power: bool) -> tuple[str, ...]:
    places = numbers.decimals(metric.name, metric.scale)
    rows = metric.rows
    cells = (
        metric_name(metric),
        numbers.number(metric.baseline.value, places),
        numbers.number(metric.candidate.value, places),
        numbers.signed(metric.difference, places),
        numbers.between(metric.ci95, places),
        numbers.p_value(metric.p_randomization_holm),
        metric.verdict.value,
        numbers.signed(metric.effect_size, 2),
        f"{rows.wins}/{rows.ties}/{rows.losses}" if rows else numbers.NONE,
    )
    return (*cells, power_words(metric.power, places)) if with_power else cells


def _untested(pair: Pair, *, every: bool) -> str:
    lines = [
        f"- {text(task.name)} {text(metric.name)} is not tested: {text(metric.reason or 'no reason is known')}"
        for task in pair.tasks
        for metric in task.metrics
        if metric.verdict is Verdict.UNTESTED and (every or metric.is_primary)
    ]
    return "\n".join(lines)


def _moved(comparison: Comparison, pair: Pair, task: TaskComparison) -> Iterator[str]:
    if task.moved is None:
        return
    metric = next(one for one in task.metrics if one.name == task.moved.metric)
    places = numbers.decimals(metric.name, metric.scale)
    names = comparison.baseline.label, pair.candidate.label
    directions = ("upwards", "downwards") if metric.higher_is_better is None else ("for the better", "for the worse")
    for way, rows in zip(directions, (task.moved.better, task.moved.worse), strict=True):
        if rows:
            heads = ("row", "difference", f"{names[0]}: value", "text", f"{names[1]}: value", "text", "prompt")
            table = _table(heads, "lrrlrll", (_row(row, places) for row in rows))
            head = f"{task.name}: the {len(rows)} rows that moved most {way}, by {metric.name}"
            yield _folded(head, table)


def _row(row: MovedRow, places: int) -> tuple[str, ...]:
    return (
        row.id,
        numbers.signed(row.difference, places),
        numbers.number(row.baseline, places),
        " / ".join(row.baseline_texts),
        numbers.number(row.candidate, places),
        " / ".join(row.candidate_texts),
        row.prompt,
    )


def _folded(head: str, body: str) -> str:
    return f"<details><summary>{text(head)}</summary>\n\n{body}\n\n</details>"


def _table(heads: Sequence[str], alignment: str, rows: Iterable[Sequence[str]]) -> str:
    rule = ["---:" if side == "r" else "---" for side in alignment[: len(heads)]]
    lines = [map(text, heads), rule, *([text(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
