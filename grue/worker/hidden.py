"""What may be seen of a run on a hidden split: its scores, rounded, and nothing of any row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from grue.core.metric import MetricValue
from grue.core.run import Cost, Rates, Results, RunScores, ScoreValue, TaskResult, TaskScore
from grue.core.text import Json
from grue.runs.files import write_json
from grue.runs.read import MANIFEST, RESULTS, StoredRun

PERCENT = 100.0


def write_public(stored: StoredRun, folder: Path, places: int) -> None:
    """Write manifest and rounded results of a run into a folder of their own.

    Left out are generations, statistics, explanations and the validity report; hashes of files that are not there
    too, as they tell whether two runs gave the same texts.

    Args:
        stored: The run with all its files.
        folder: A new folder.
        places: Decimal places on a scale of 100.
    """
    folder.mkdir(parents=True)
    write_json(folder / MANIFEST, json.loads((stored.path / MANIFEST).read_text(encoding="utf-8")))
    results = stored.results_value()
    public = Results(
        run_id=results.run_id,
        status=results.status,
        tasks={name: _result(result, places) for name, result in results.tasks.items()},
        files={},
        scores=RunScores(_score(results.scores.grue, places), _score(results.scores.naturalness, places)),
    )
    write_json(folder / RESULTS, public.to_json())


def rounded_scores(stored: StoredRun, places: int) -> dict[str, Json]:
    """Task -> primary metric -> rounded value, for the submission's page."""
    manifest, results = stored.manifest_value(), stored.results_value()
    return {
        name: {
            metric: _value(result.metrics[metric], places).value
            for metric in manifest.tasks[name].primary
            if metric in result.metrics
        }
        for name, result in results.tasks.items()
    }


def _result(result: TaskResult, places: int) -> TaskResult:
    units = {name: value.scale for name, value in result.metrics.items()}
    return replace(
        result,
        metrics={name: _value(value, places) for name, value in result.metrics.items()},
        rewards={name: _value(value, places) for name, value in result.rewards.items()},
        rates=Rates(),
        cost=Cost(wall_seconds=result.cost.wall_seconds, tokens_per_second=result.cost.tokens_per_second),
        score=_task_score(result.score, units, places),
    )


def _task_score(score: TaskScore, units: Mapping[str, float | None], places: int) -> TaskScore:
    return TaskScore(
        quality=_score(score.quality, places),
        naturalness=_score(score.naturalness, places),
        floor={name: _number(value, units.get(name), places) for name, value in score.floor.items()},
        ceiling={name: _number(value, units.get(name), places) for name, value in score.ceiling.items()},
    )


def _value(value: MetricValue, places: int) -> MetricValue:
    return replace(
        value, value=_number(value.value, value.scale, places), ci95=_interval(value.ci95, value.scale, places)
    )


def _score(score: ScoreValue, places: int) -> ScoreValue:
    return ScoreValue(_number(score.value, PERCENT, places), _interval(score.ci95, PERCENT, places), score.reason)


def _interval(bounds: tuple[float, float] | None, scale: float | None, places: int) -> tuple[float, float] | None:
    """Bounds rounded as the value between them is, so that it stays there."""
    return None if bounds is None else (_rounded(bounds[0], scale, places), _rounded(bounds[1], scale, places))


def _number(value: float | None, scale: float | None, places: int) -> float | None:
    """A number with so many places on a scale of 100, or as it is counted where it has no scale."""
    return None if value is None else _rounded(value, scale, places)


def _rounded(value: float, scale: float | None, places: int) -> float:
    unit = (scale or PERCENT) / PERCENT
    # Rounded again, as 0.01 times a whole number is not always the nearest float.
    return round(round(value / unit, places) * unit, places + 4)
