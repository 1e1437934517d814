"""A comparison as one HTML file that needs nothing else: no script, no image, no font, no address."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from itertools import zip_longest

from grue import __version__
from grue.comparison import numbers
from grue.comparison.charts import Whisker, forest, histogram, shares
from grue.comparison.cost import cost_lines
from grue.comparison.page_views import MetricView, MovedView, PageView, PairView, PowerView, RowView, TaskView, TextView
from grue.comparison.values import (
    Comparison,
    MetricComparison,
    MovedRow,
    Pair,
    TaskComparison,
    Verdict,
)
from grue.comparison.word_diff import word_diff
from grue.comparison.words import METHOD, lead, metric_name, score_words, title
from grue.stats.power import Power

_SHOWN = (Verdict.BETTER, Verdict.WORSE, Verdict.DIFFERENT)
_CLASSES = {Verdict.BETTER: "up", Verdict.WORSE: "down", Verdict.DIFFERENT: "other"}


def html(comparison: Comparison) -> str:
    """The report as an HTML document; everything that others wrote is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("grue.comparison"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("compare.html").render(view=_view(comparison)) + "\n"


def _view(comparison: Comparison) -> PageView:
    style = (files("grue.comparison") / "templates" / "compare.css").read_text(encoding="utf-8")
    pairs = [_pair(comparison, pair, at) for at, pair in enumerate(comparison.pairs, 1)]
    several = f"{len(pairs)} runs against {comparison.baseline.label}"
    return PageView(
        title=pairs[0].title if len(pairs) == 1 else several,
        method=METHOD,
        resamples=numbers.count(comparison.n_resamples),
        seed=comparison.seed,
        pairs=pairs,
        version=__version__,
        style=style,
        # With this hash in the page's own policy a browser runs no style but this one, and no script at all.
        style_hash=base64.b64encode(hashlib.sha256(f"\n{style}".encode()).digest()).decode(),
    )


def _pair(comparison: Comparison, pair: Pair, number: int) -> PairView:
    headlines = [(task, task.headline) for task in pair.tasks]
    tested = [(task, metric) for task, metric in headlines if metric is not None]
    drawn = forest(
        [shares(metric, task.yardsticks.get(metric.name)) for task, metric in tested],
        [metric.verdict not in _SHOWN for _, metric in tested],
    )
    whiskers: Sequence[Whisker | None] = drawn.whiskers if drawn else [None] * len(tested)
    names = comparison.baseline.label, pair.candidate.label
    return PairView(
        anchor=f"pair-{number}",
        title=title(comparison, pair),
        lead=lead(pair),
        score=score_words(comparison, pair),
        baseline=names[0],
        candidate=names[1],
        is_equal=pair.is_equal,
        facts=_facts(comparison, pair),
        headlines=[
            _metric(task.name, metric, whisker) for (task, metric), whisker in zip(tested, whiskers, strict=True)
        ],
        forest=drawn,
        tasks=[_task(task, f"task-{number}-{at}") for at, task in enumerate(pair.tasks, 1)],
        differing=pair.differing,
        skipped=pair.skipped,
        subset=any(task.n_common is not None for task in pair.tasks),
        n_rows=numbers.count(sum(task.n_baseline if task.n_common is None else task.n_common for task in pair.tasks)),
        with_power=any(metric.power for task in pair.tasks for metric in task.metrics),
    )


def _facts(comparison: Comparison, pair: Pair) -> list[tuple[str, str, str]]:
    left, right = comparison.baseline, pair.candidate
    lines = [
        ("model", left.source, right.source),
        ("run", left.run_id, right.run_id),
        ("made", left.created_at, right.created_at),
        ("status", left.status, right.status),
        ("identity", left.identity, right.identity),
    ]
    for name, ours, theirs in (
        ("GRUE score", left.scores.grue, right.scores.grue),
        ("naturalness", left.scores.naturalness, right.scores.naturalness),
    ):
        if ours.value is not None or theirs.value is not None:
            lines.append((name, _score(ours.value, ours.ci95), _score(theirs.value, theirs.ci95)))
    return lines


def _score(value: float | None, bounds: tuple[float, float] | None) -> str:
    text = numbers.number(value, 1)
    return f"{text} ({numbers.interval(bounds, 1)})" if bounds else text


def _task(task: TaskComparison, anchor: str) -> TaskView:
    by = next((metric for metric in task.metrics if task.moved and metric.name == task.moved.metric), None)
    places = numbers.decimals(by.name, by.scale) if by else 0
    rows = f"{task.n_common} common rows" if task.n_common is not None else f"{task.n_baseline} rows"
    drawn = None
    if by is not None and by.row_differences is not None:
        drawn = histogram(by.row_differences, places, by.higher_is_better)
    return TaskView(
        name=task.name,
        anchor=anchor,
        facts=[
            ("rows", rows),
            ("split", task.key.split),
            ("task version", str(task.key.task_version)),
            ("data.sha256", task.key.data_sha256),
            ("prompts_sha256", task.key.prompts_sha256),
        ],
        metrics=[_metric(task.name, metric) for metric in task.metrics],
        moved_by=by.name if by else "",
        moved=_moved(task, by, places) if by else [],
        histogram=drawn,
        histogram_metric=metric_name(by) if by else "",
        costs=cost_lines(task),
    )


def _metric(task: str, metric: MetricComparison, whisker: Whisker | None = None) -> MetricView:
    places = numbers.decimals(metric.name, metric.scale)
    rows = metric.rows
    return MetricView(
        task=task,
        name=metric_name(metric),
        baseline=numbers.number(metric.baseline.value, places),
        baseline_interval=numbers.interval(metric.baseline.ci95, places) if metric.baseline.ci95 else "",
        candidate=numbers.number(metric.candidate.value, places),
        candidate_interval=numbers.interval(metric.candidate.ci95, places) if metric.candidate.ci95 else "",
        difference=numbers.signed(metric.difference, places),
        interval=numbers.between(metric.ci95, places) if metric.ci95 else "",
        p_holm=numbers.p_value(metric.p_randomization_holm),
        p_randomization=numbers.p_value(metric.p_randomization),
        p_bootstrap=numbers.p_value(metric.p_bootstrap),
        effect=numbers.signed(metric.effect_size, 2),
        effect_interval=numbers.between(metric.effect_ci95, 2) if metric.effect_ci95 else "",
        rows=f"{rows.wins} / {rows.ties} / {rows.losses}" if rows else numbers.NONE,
        n=numbers.count(metric.n),
        verdict=metric.verdict.value,
        verdict_class=_CLASSES.get(metric.verdict, "muted"),
        power=_power(metric.power, places) if metric.power else None,
        note=(metric.reason or "") if metric.verdict is Verdict.UNTESTED else metric.note,
        is_primary=metric.is_primary,
        is_headline=metric.is_headline,
        whisker=whisker,
    )


def _power(power: Power, places: int) -> PowerView:
    return PowerView(
        n_rows=numbers.count(power.n_rows),
        rows_needed=numbers.count(power.rows_needed),
        smallest=numbers.number(power.smallest_difference, places),
        reason=power.reason or "",
    )


def _moved(task: TaskComparison, by: MetricComparison, places: int) -> list[MovedView]:
    if task.moved is None:
        return []
    ways = ("Upwards", "Downwards") if by.higher_is_better is None else ("For the better", "For the worse")
    directions = (None, None) if by.higher_is_better is None else (True, False)
    return [
        MovedView(f"{way}: {len(rows)} {'row' if len(rows) == 1 else 'rows'}", [_row(row, places, up) for row in rows])
        for way, up, rows in zip(ways, directions, (task.moved.better, task.moved.worse), strict=True)
        if rows
    ]


def _row(row: MovedRow, places: int, is_better: bool | None) -> RowView:
    left: list[TextView] = []
    right: list[TextView] = []
    for ours, theirs in zip_longest(row.baseline_texts, row.candidate_texts):
        pieces = word_diff(ours or "", theirs or "")
        for side, text, cut in zip((left, right), (ours, theirs), pieces, strict=True):
            if text is not None:
                side.append(TextView(cut, not text.strip()))
    return RowView(
        id=row.id,
        difference=numbers.signed(row.difference, places),
        is_better=is_better,
        baseline=numbers.number(row.baseline, places),
        candidate=numbers.number(row.candidate, places),
        prompt=row.prompt,
        references=row.references,
        baseline_texts=left,
        candidate_texts=right,
    )
