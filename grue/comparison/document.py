"""A comparison as JSON."""

from __future__ import annotations

from dataclasses import asdict

from grue.comparison.values import Comparison, MetricComparison, Moved, MovedRow, Pair, Side, TaskComparison
from grue.comparison.words import lead
from grue.core.text import Json
from grue.stats.power import Power


def document(comparison: Comparison) -> dict[str, Json]:
    """The object that ``grue compare --json`` prints, without ``schema_version``."""
    return {
        "baseline": _side(comparison.baseline),
        "settings": {
            "n_resamples": comparison.n_resamples,
            "seed": comparison.seed,
            "common_rows": comparison.common_rows,
            "level": 0.05,
        },
        "comparisons": [_pair(pair) for pair in comparison.pairs],
    }


def _side(side: Side) -> dict[str, Json]:
    return {
        "label": side.label,
        "run_id": side.run_id,
        "name": side.name,
        "source": side.source,
        "identity": side.identity,
        "created_at": side.created_at,
        "status": side.status,
        "path": str(side.path),
        "scores": side.scores.to_json(),
    }


def _pair(pair: Pair) -> dict[str, Json]:
    return {
        "candidate": _side(pair.candidate),
        "summary": lead(pair),
        "is_same_run": pair.is_same_run,
        "is_equal": pair.is_equal,
        "grue": {
            "difference": pair.grue.value,
            "ci95": _bounds(pair.grue.ci95),
            **({"reason": pair.grue.reason} if pair.grue.reason else {}),
        },
        "differing": [asdict(setting) for setting in pair.differing],
        "skipped": [asdict(skipped) for skipped in pair.skipped],
        "tasks": {task.name: _task(task) for task in pair.tasks},
    }


def _task(task: TaskComparison) -> dict[str, Json]:
    headline = task.headline
    return {
        "key": {
            "task": task.key.task,
            "task_version": task.key.task_version,
            "split": task.key.split,
            "data_sha256": task.key.data_sha256,
            "prompts_sha256": task.key.prompts_sha256,
        },
        "n": {"baseline": task.n_baseline, "candidate": task.n_candidate, "common": task.n_common},
        "headline": headline.name if headline else None,
        "verdict": headline.verdict.value if headline else None,
        "metrics": {metric.name: _metric(metric) for metric in task.metrics if not metric.is_reward},
        "rewards": {metric.name.partition(":")[2]: _metric(metric) for metric in task.metrics if metric.is_reward},
        "moved": _moved(task.moved) if task.moved else None,
        "cost": {"baseline": task.baseline_cost.to_json(), "candidate": task.candidate_cost.to_json()},
        "rates": {"baseline": asdict(task.baseline_rates), "candidate": asdict(task.candidate_rates)},
    }


def _metric(metric: MetricComparison) -> dict[str, Json]:
    out: dict[str, Json] = {
        "is_primary": metric.is_primary,
        "is_headline": metric.is_headline,
        "scale": metric.scale,
        "higher_is_better": metric.higher_is_better,
        "signature": metric.signature,
        "baseline": metric.baseline.to_json(),
        "candidate": metric.candidate.to_json(),
        "verdict": metric.verdict.value,
        "difference": metric.difference,
        "ci95": _bounds(metric.ci95),
        "p_bootstrap": metric.p_bootstrap,
        "p_randomization": metric.p_randomization,
        "p_bootstrap_holm": metric.p_bootstrap_holm,
        "p_randomization_holm": metric.p_randomization_holm,
        "family": metric.family,
        "effect_size": metric.effect_size,
        "effect_ci95": _bounds(metric.effect_ci95),
        "rows": None if metric.rows is None else asdict(metric.rows),
        "n": metric.n,
    }
    if metric.power is not None:
        out["power"] = _power(metric.power)
    if metric.note:
        out["note"] = metric.note
    return {**out, "reason": metric.reason} if metric.reason else out


def _bounds(bounds: tuple[float, float] | None) -> list[float] | None:
    return None if bounds is None else list(bounds)


def _power(power: Power) -> dict[str, Json]:
    out: dict[str, Json] = {
        "n_rows": power.n_rows,
        "smallest_difference": power.smallest_difference,
        "rows_needed": power.rows_needed,
        "power": power.power,
        "level": power.level,
    }
    return {**out, "reason": power.reason} if power.reason else out


def _moved(moved: Moved) -> dict[str, Json]:
    return {
        "metric": moved.metric,
        "higher_is_better": moved.higher_is_better,
        "better": [_row(row) for row in moved.better],
        "worse": [_row(row) for row in moved.worse],
    }


def _row(row: MovedRow) -> dict[str, Json]:
    return {
        "id": row.id,
        "difference": row.difference,
        "baseline": row.baseline,
        "candidate": row.candidate,
        "prompt": row.prompt,
        "references": list(row.references),
        "baseline_texts": list(row.baseline_texts),
        "candidate_texts": list(row.candidate_texts),
    }
