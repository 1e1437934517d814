"""A comparison as one long table: what CSV and data frames hold."""

from __future__ import annotations

from grue.comparison.values import Comparison, MetricComparison, TaskComparison
from grue.exchange.table import Cell, Column, Score, Table

_COLUMNS = (
    Column("baseline", "baseline"),
    Column("candidate", "candidate"),
    Column("task", "task"),
    Column("metric", "metric"),
    Column("is_primary", "primary"),
    Column("is_headline", "headline"),
    Column("verdict", "reads as"),
    Column("baseline_value", "baseline", is_score=True),
    Column("candidate_value", "candidate", is_score=True),
    Column("difference", "difference", is_score=True),
    Column("p_bootstrap", "p bootstrap"),
    Column("p_randomization", "p randomisation"),
    Column("p_bootstrap_holm", "p bootstrap, Holm"),
    Column("p_randomization_holm", "p randomisation, Holm"),
    Column("family", "corrected over"),
    Column("effect_size", "effect size", is_score=True),
    Column("wins", "wins"),
    Column("ties", "ties"),
    Column("losses", "losses"),
    Column("n", "rows"),
    Column("rows_needed", "rows needed"),
    Column("smallest_difference", "smallest difference"),
    Column("scale", "scale"),
    Column("higher_is_better", "higher is better"),
    Column("signature", "signature"),
    Column("reason", "reason"),
)


def long_table(comparison: Comparison, *, only_primary: bool = False) -> Table:
    """One row a candidate, task and metric.

    Args:
        comparison: What to write.
        only_primary: Whether other metrics and rewards are left out.
    """
    rows = [
        _row(comparison.baseline.label, pair.candidate.label, task, metric)
        for pair in comparison.pairs
        for task in pair.tasks
        for metric in task.metrics
        if metric.is_primary or not only_primary
    ]
    return Table(_COLUMNS, tuple(rows))


def _row(baseline: str, candidate: str, task: TaskComparison, metric: MetricComparison) -> tuple[Cell, ...]:
    rows, power = metric.rows, metric.power
    return (
        baseline,
        candidate,
        task.name,
        metric.name,
        metric.is_primary,
        metric.is_headline,
        metric.verdict.value,
        _score(metric.baseline.value, metric.baseline.ci95, metric.baseline.reason),
        _score(metric.candidate.value, metric.candidate.ci95, metric.candidate.reason),
        _score(metric.difference, metric.ci95, metric.reason),
        metric.p_bootstrap,
        metric.p_randomization,
        metric.p_bootstrap_holm,
        metric.p_randomization_holm,
        metric.family,
        _score(metric.effect_size, metric.effect_ci95, None),
        rows.wins if rows else None,
        rows.ties if rows else None,
        rows.losses if rows else None,
        metric.n,
        power.rows_needed if power else None,
        power.smallest_difference if power else None,
        metric.scale,
        metric.higher_is_better,
        metric.signature,
        metric.reason,
    )


def _score(value: float | None, bounds: tuple[float, float] | None, reason: str | None) -> Score:
    low, high = bounds or (None, None)
    return Score(value, low, high, reason=reason or "")
