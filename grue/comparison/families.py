"""Which tests are corrected together, and what they then say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from grue.comparison.values import LEVEL, MetricComparison, Verdict
from grue.stats.holm import holm

HEADLINES = "first primary metrics of all tasks"


def with_headline(metrics: Sequence[MetricComparison], primary: Sequence[str]) -> list[MetricComparison]:
    """Mark the metric that decides a task's verdict: its first primary metric that is tested, else any such.

    Args:
        metrics: All metrics of a task.
        primary: Names of its primary metrics, the first first.
    """
    testable = {metric.name for metric in metrics if metric.p_randomization is not None}
    order = [*primary, *(metric.name for metric in metrics if not metric.is_reward)]
    chosen = next((name for name in order if name in testable), None)
    return [replace(metric, is_headline=metric.name == chosen) for metric in metrics]


def corrected(tasks: Sequence[Sequence[MetricComparison]]) -> list[list[MetricComparison]]:
    """Holm's correction over tasks, and verdicts.

    The headline metrics of all tasks are one family: they are what a reader takes home. Any other metric is a family
    with the metric of that name in the other tasks.

    Args:
        tasks: The metrics of each task, headlines marked.
    """
    families: dict[str, list[tuple[int, int]]] = {}
    for at, metrics in enumerate(tasks):
        for place, metric in enumerate(metrics):
            families.setdefault(HEADLINES if metric.is_headline else f"{metric.name} in all tasks", []).append(
                (at, place)
            )
    out = [list(metrics) for metrics in tasks]
    for family, members in families.items():
        found = [tasks[at][place] for at, place in members]
        by_bootstrap = holm([metric.p_bootstrap for metric in found])
        by_randomization = holm([metric.p_randomization for metric in found])
        for (at, place), metric, first, second in zip(members, found, by_bootstrap, by_randomization, strict=True):
            out[at][place] = replace(
                metric,
                p_bootstrap_holm=first,
                p_randomization_holm=second,
                family=family,
                verdict=_verdict(metric, second),
            )
    return out


def _verdict(metric: MetricComparison, p_value: float | None) -> Verdict:
    if metric.verdict is not Verdict.NONE_SHOWN or p_value is None or p_value > LEVEL or not metric.difference:
        return metric.verdict
    if metric.higher_is_better is None:
        return Verdict.DIFFERENT
    return Verdict.BETTER if (metric.difference > 0) == metric.higher_is_better else Verdict.WORSE
