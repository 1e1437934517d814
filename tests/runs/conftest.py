"""A small run, made by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from grue.core.metric import MetricValue
from grue.core.rows import Generation, Row
from grue.core.run import Cost, DataInfo, Manifest, ModelInfo, Rates, TaskManifest, TaskResult
from grue.runs.directory import RunDirectory
from grue.runs.identity import new_run_id, run_identity, timestamp

Finish = Callable[..., Path]


@pytest.fixture
def model() -> ModelInfo:
    return ModelInfo(
        name="a",
        source="/models/a",
        kind="local",
        weights_sha256="w" * 64,
        tokenizer_sha256="t" * 64,
        architecture="GPT2LMHeadModel",
        parameters=10,
        dtype="float32",
        engine="hf",
    )


@pytest.fixture
def task() -> TaskManifest:
    return TaskManifest(
        version=1,
        profile="standard",
        quirks=(),
        split="test",
        data=DataInfo(source="mini", id=None, revision=None, sha256="d" * 64, rows=3),
        prompts_sha256="p" * 64,
        limit=None,
        samples=1,
        generation={"max_new_tokens": 20},
        metrics={"rouge1": "rouge1|v:1", "meteor": None},
        rewards={},
        primary=("rouge1",),
    )


@pytest.fixture
def manifest(model: ModelInfo, task: TaskManifest) -> Manifest:
    tasks = {"toy": task}
    return Manifest(
        run_id=new_run_id(),
        identity=run_identity(model, tasks, 0),
        created_at=timestamp(),
        grue={"version": "0", "commit": None},
        model=model,
        environment={},
        arguments={},
        seed=0,
        tasks=tasks,
    )


@pytest.fixture
def rows() -> dict[str, Row]:
    return {
        row.id: row
        for row in (
            Row("10", "say ä", ("ä", "ae"), {"concepts": ["ä"]}),
            Row("2", "say b", ("b",)),
            Row("1", "say c", ()),
        )
    }


@pytest.fixture
def generations() -> list[Generation]:
    return [
        Generation("2", 0, "b", "b<EOU>", "say b", "stop", 2, 1, False, 0.1),
        Generation("10", 0, "ö\u2028x", "ö\u2028x", "say ä", "length", 2, 20, True, 0.2),
        Generation("1", 0, ""),
    ]


@pytest.fixture
def result() -> TaskResult:
    return TaskResult(
        status="finished",
        expected=3,
        scored=3,
        failed=0,
        metrics={
            "rouge1": MetricValue(1 / 3, (0.1, 0.7), 2, 1.0, True, "rouge1|v:1"),
            "meteor": MetricValue.absent("no stemmer here"),
        },
        rewards={},
        rates=Rates(empty=1 / 3, cut_prompt=0.5, cut_output=0.5),
        cost=Cost(wall_seconds=1.5, latency_ms_p50=100.0),
    )


@pytest.fixture
def other_identity(manifest: Manifest) -> Manifest:
    model = replace(manifest.model, weights_sha256="x" * 64)
    return replace(
        manifest, run_id=new_run_id(), model=model, identity=run_identity(model, manifest.tasks, manifest.seed)
    )


@pytest.fixture
def write_run(rows: dict[str, Row], generations: list[Generation], result: TaskResult) -> Finish:
    """Writes everything of a run into a folder and finishes it."""

    def write(path: Path, manifest: Manifest, *, fresh: bool = False, status: str = "finished") -> Path:
        with RunDirectory.open(path, manifest, fresh=fresh) as run:
            missing = [g for g in generations if (g.id, g.sample) not in run.stored("toy")]
            run.append("toy", missing)
            run.event("generated", task="toy", rows=len(missing))
            run.write_task(
                "toy",
                rows,
                generations,
                {"rouge1": np.array([1.0, 0.25, np.nan])},
                {"length": np.array([1.0, 2.0, 0.0])},
                {"sacrebleu": np.array([[1.0, 2.0], [3.0, 4.0], [np.nan, np.nan]])},
            )
            run.finish(status, {"toy": replace(result, status=status)})
            return run.path

    return write
