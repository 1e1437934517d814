"""Run directories whose every row a test writes down; their fingerprints are those of their rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from grue.core.metric import MetricValue
from grue.core.rows import Generation, Row, data_sha256, prompts_sha256
from grue.core.run import Cost, DataInfo, Manifest, ModelInfo, Rates, TaskManifest, TaskResult, TaskScore
from grue.runs.directory import RunDirectory
from grue.runs.identity import run_identity


@dataclass
class Line:
    """One row with its answer."""

    id: str
    prediction: str
    scores: Mapping[str, float | None] = field(default_factory=dict)
    prompt: str = ""
    references: Sequence[str] = ("a reference",)
    finish: str | None = "stop"
    tokens: int | None = None


@dataclass
class Written:
    """One task of a run."""

    lines: Sequence[Line]
    source: str = "mini"
    split: str = "test"
    version: int = 1
    signatures: Mapping[str, str] = field(default_factory=dict)
    higher: Mapping[str, bool | None] = field(default_factory=dict)
    runs_model: bool = True


def write_lines(
    folder: Path, run_id: str, name: str, *, created_at: str = "2026-11-20T05:02:00Z", **tasks: Written
) -> Path:
    """Write a whole run directory below ``folder``; the first score of a task's first row is its primary metric."""
    model = ModelInfo(name=name, source=name, kind="local", weights_sha256=(run_id * 64)[:64], engine="hf")
    rows = {task: _rows(one) for task, one in tasks.items()}
    asked = {
        task: TaskManifest(
            version=one.version,
            profile="standard",
            quirks=(),
            split=one.split,
            data=DataInfo(
                source=one.source,
                id=None,
                revision=None,
                sha256=data_sha256(rows[task].values()),
                rows=len(rows[task]),
            ),
            prompts_sha256=prompts_sha256(rows[task].values()),
            limit=None,
            samples=1,
            generation={"max_new_tokens": 20},
            metrics={metric: _signature(one, metric) for metric in one.lines[0].scores},
            rewards={},
            primary=tuple(one.lines[0].scores)[:1],
        )
        for task, one in tasks.items()
    }
    manifest = Manifest(
        run_id=run_id,
        identity=run_identity(model, asked, 0),
        created_at=created_at,
        grue={"version": "0", "commit": None},
        model=model,
        environment={},
        arguments={"model": name, "tasks": ",".join(tasks)},
        seed=0,
        tasks=asked,
    )
    path = folder / run_id
    with RunDirectory.open(path, manifest) as run:
        run.finish("finished", {task: _result(run, task, one, rows[task]) for task, one in tasks.items()})
    return path


def _rows(one: Written) -> dict[str, Row]:
    return {line.id: Row(line.id, line.prompt or f"prompt of {line.id}", tuple(line.references)) for line in one.lines}


def _signature(one: Written, metric: str) -> str:
    return one.signatures.get(metric, f"{metric}|v:1")


def _result(folder: RunDirectory, task: str, one: Written, rows: Mapping[str, Row]) -> TaskResult:
    generations = [
        Generation(
            line.id,
            0,
            line.prediction,
            prompt=rows[line.id].prompt if one.runs_model else None,
            finish_reason=line.finish,
            generated_tokens=line.tokens,
        )
        for line in one.lines
    ]
    columns = {
        metric: np.array([np.nan if (v := line.scores.get(metric)) is None else v for line in one.lines])
        for metric in one.lines[0].scores
    }
    folder.write_task(task, rows, generations, columns, {}, {})
    n_cut = sum(line.finish == "length" for line in one.lines)
    n_empty = sum(not line.prediction.strip() for line in one.lines)
    return TaskResult(
        status="finished",
        expected=len(rows),
        scored=len(rows),
        failed=0,
        metrics={
            metric: MetricValue(
                float(np.nanmean(values)),
                (float(np.nanmean(values)) - 0.01, float(np.nanmean(values)) + 0.01),
                int(np.isfinite(values).sum()),
                1.0,
                one.higher.get(metric, True),
                _signature(one, metric),
            )
            for metric, values in columns.items()
        },
        rewards={},
        rates=Rates(empty=n_empty / len(rows), cut_output=n_cut / len(rows)),
        cost=Cost(wall_seconds=2.0),
        score=TaskScore(),
        error=None,
    )
