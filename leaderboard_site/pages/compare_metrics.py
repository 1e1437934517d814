"""Every metric of a pair of runs, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grue.comparison.numbers import between, p_value, signed
from grue.comparison.values import Pair
from leaderboard_site.cards import Card
from leaderboard_site.numbers import NONE, decimals, number
from leaderboard_site.pages.compare_forest import CLASSES
from leaderboard_site.pages.compare_notes import task_title


@dataclass(frozen=True, slots=True)
class MetricLine:
    """One metric of one task of a pair."""

    task: str
    metric: str
    baseline: str
    candidate: str
    difference: str
    interval: str
    p: str
    effect: str
    rows: str
    verdict: str
    way: str


@dataclass(frozen=True, slots=True)
class MetricTable:
    """All metrics of a pair."""

    title: str
    lines: tuple[MetricLine, ...]


def metric_table(title: str, pair: Pair, cards: Mapping[str, Card]) -> MetricTable:
    """All metrics of a pair, task by task."""
    lines = []
    for task in pair.tasks:
        for metric in task.metrics:
            places = decimals(metric.name, metric.scale)
            rows = metric.rows
            lines.append(
                MetricLine(
                    task=task_title(cards, task.name),
                    metric=f"{metric.name} ↓" if metric.higher_is_better is False else metric.name,
                    baseline=number(metric.baseline.value, places),
                    candidate=number(metric.candidate.value, places),
                    difference=signed(metric.difference, places),
                    interval=between(metric.ci95, places) if metric.ci95 else NONE,
                    p=p_value(metric.p_randomization_holm),
                    effect=signed(metric.effect_size, 2),
                    rows=f"{rows.wins} / {rows.ties} / {rows.losses}" if rows else NONE,
                    verdict=metric.verdict.value,
                    way=CLASSES.get(metric.verdict, ""),
                )
            )
    return MetricTable(title, tuple(lines))
