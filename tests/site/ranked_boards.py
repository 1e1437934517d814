"""A board whose rows are given: rank ranges, bands, seeds, every mark, and entries that lack something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from grue.core.run import EndpointInfo, RunScores, ScoreValue, TaskScore
from grue.registry.tasks import expand
from tests.site.fake_runs import FakeTask, write_run

N_ROWS = 30
METRICS = ("rougeLsum", "meteor")


def rows(seed: int, level: float) -> list[float]:
    """Numbers of rows that all runs find hard or easy together."""
    shared = np.random.default_rng(1).normal(0, 0.1, N_ROWS)
    return [float(value) for value in shared + np.random.default_rng(seed).normal(level, 0.05, N_ROWS)]


def scored_task(by_row: Mapping[str, Sequence[float]], natural: float, *, has_rows: bool = True) -> FakeTask:
    """A task between a floor of 0.1 and a ceiling of 0.9."""
    values = {metric: float(np.mean(numbers)) for metric, numbers in by_row.items()}
    quality = 100 * float(np.mean([(value - 0.1) / 0.8 for value in values.values()]))
    return FakeTask(
        values=values,
        primary=tuple(values),
        per_sample=(),
        by_row=by_row if has_rows else {},
        n_rows=N_ROWS,
        standing=TaskScore(
            quality=ScoreValue(quality, (quality - 4, quality + 4)),
            naturalness=ScoreValue(natural, None, "no interval"),
            floor=dict.fromkeys(values, 0.1),
            ceiling=dict.fromkeys(values, 0.9),
        ),
    )


def scored_run(folder: Path, run_id: str, name: str, level: float, natural: float = 80.0, **more: Any) -> Path:
    """A run of the seven tasks with a GRUE score that its rows give."""
    has_rows = more.pop("has_rows", True)
    number = sum(map(ord, run_id))
    tasks = {
        task: scored_task(
            {metric: rows(100 * number + 10 * n + m, level) for m, metric in enumerate(METRICS)},
            natural,
            has_rows=has_rows,
        )
        for n, task in enumerate(expand("grue").names)
    }
    grue = float(np.mean([task.standing.quality.value for task in tasks.values()]))
    scores = RunScores(ScoreValue(grue, (grue - 2, grue + 2)), ScoreValue(natural, None, "no interval"))
    return write_run(folder, run_id, name, tasks, scores=scores, **more)


def ranked_runs(folder: Path) -> Path:
    """Three seeds of one checkpoint, two that nobody tells apart, one without rows, one of another mark each."""
    for seed, level in enumerate((0.70, 0.72, 0.71), 1):
        scored_run(folder, f"03SEEDED{seed}", "tarn-7b-sampled", level, 86.0, seed=seed)
    scored_run(folder, "03CLOSE", "alder-11b-encdec", 0.62, 90.0)
    scored_run(folder, "03CLOSER", "alder-3b-a-name-that-goes-on-and-on", 0.618, 70.0)
    scored_run(folder, "03SENT", "sent in", 0.5, 60.0, kind="predictions", source="predictions")
    behind = EndpointInfo(address="https://example.org/v1", model="far-away")
    scored_run(folder, "03FAR", "far-away", 0.45, 65.0, kind="endpoint", endpoint=behind)
    scored_run(folder, "03BARE", "no rows kept", 0.55, 75.0, has_rows=False, kind="imported")
    scored_run(folder, "03NULL", "null:random-reference", 0.1, 88.0, kind="null", source="null:random-reference")
    return folder
