"""Runs whose every number a test chooses, and real ones made by the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grue.core.metric import MetricValue
from grue.core.rows import Generation, Row, data_sha256, prompts_sha256
from grue.core.run import Cost, DataInfo, Manifest, ModelInfo, Rates, TaskManifest, TaskResult, TaskScore
from grue.runs.directory import RunDirectory
from grue.runs.identity import new_run_id, run_identity, timestamp


@dataclass
class MadeTask:
    """One task of a made run.

    Attributes:
        values: Metric -> value of each sample; rows with several samples stand together.
        texts: Predictions in the same order; made up where ``None``.
        absent: Metric -> reason.
        corpus: Metric -> value of all outputs together, without numbers by row.
    """

    values: Mapping[str, Sequence[float]]
    ids: Sequence[str] | None = None
    samples: int = 1
    texts: Sequence[str] | None = None
    prompts: Mapping[str, str] = field(default_factory=dict)
    references: Sequence[str] = ("a reference",)
    rewards: Mapping[str, Sequence[float]] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)
    corpus: Mapping[str, float] = field(default_factory=dict)
    signatures: Mapping[str, str] = field(default_factory=dict)
    version: int = 1
    split: str = "test"
    primary: Sequence[str] | None = None
    higher: Mapping[str, bool | None] = field(default_factory=dict)
    status: str = "finished"
    error: str | None = None
    generation: Mapping[str, Any] = field(default_factory=lambda: {"max_new_tokens": 20})
    cost: Cost = field(default_factory=lambda: Cost(wall_seconds=2.0, tokens_per_second=50.0))


def _task(folder: RunDirectory, name: str, made: MadeTask, rows: Mapping[str, Row]) -> TaskResult:
    ids = list(rows)
    first = next(iter(made.values.values()), [])
    texts = made.texts or [f"text {place}" for place in range(len(ids) * made.samples)]
    generations = [
        Generation(row, sample, texts[place * made.samples + sample])
        for place, row in enumerate(ids)
        for sample in range(made.samples)
    ]
    columns = {metric: np.array(values, dtype=np.float64) for metric, values in made.values.items()}
    rewards = {reward: np.array(values, dtype=np.float64) for reward, values in made.rewards.items()}
    folder.write_task(name, rows, generations[: len(first) or None], columns, rewards, {})

    def value(metric: str, numbers: np.ndarray[Any, Any]) -> MetricValue:
        by_row = [row[~np.isnan(row)] for row in numbers.reshape(len(ids), made.samples)]
        known = np.array([row.mean() for row in by_row if len(row)])
        higher = made.higher.get(metric, True)
        return MetricValue(float(known.mean()), None, len(known), 1.0, higher, _signature(made, metric))

    return TaskResult(
        status=made.status,
        expected=len(ids),
        scored=len(ids),
        failed=0,
        metrics={
            **{metric: value(metric, numbers) for metric, numbers in columns.items()},
            **{
                metric: MetricValue(number, None, len(ids), None, True, _signature(made, metric), "depends on size")
                for metric, number in made.corpus.items()
            },
            **{metric: MetricValue.absent(reason) for metric, reason in made.absent.items()},
        },
        rewards={reward: value(reward, numbers) for reward, numbers in rewards.items()},
        rates=Rates(empty=0.0),
        cost=made.cost,
        score=TaskScore(),
        error=made.error,
    )


def _signature(made: MadeTask, metric: str) -> str:
    return made.signatures.get(metric, f"{metric}|v:1")


def _rows(made: MadeTask) -> dict[str, Row]:
    count = len(next(iter(made.values.values()))) // made.samples
    ids = list(made.ids or (f"{place:03d}" for place in range(count)))
    return {row: Row(row, made.prompts.get(row, f"prompt of {row}"), tuple(made.references)) for row in ids}


MakeRun = Callable[..., Path]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Writes a run directory and returns its path; tasks are given by name."""

    def make(
        folder: str, *, name: str | None = None, status: str = "finished", seed: int = 0, **tasks: MadeTask
    ) -> Path:
        model = ModelInfo(name=name or folder, source=f"/models/{folder}", kind="local", weights_sha256=folder)
        rows = {task: _rows(made) for task, made in tasks.items()}
        asked = {
            task: TaskManifest(
                version=made.version,
                profile="standard",
                quirks=(),
                split=made.split,
                data=DataInfo(
                    source="folder",
                    id=None,
                    revision=None,
                    sha256=data_sha256(rows[task].values()),
                    rows=len(rows[task]),
                ),
                prompts_sha256=prompts_sha256(rows[task].values()),
                limit=None,
                samples=made.samples,
                generation=made.generation,
                metrics={
                    **{metric: _signature(made, metric) for metric in (*made.values, *made.corpus)},
                    **dict.fromkeys(made.absent),
                },
                rewards={reward: _signature(made, reward) for reward in made.rewards},
                primary=tuple(made.primary or list(made.values)[:1]),
            )
            for task, made in tasks.items()
        }
        manifest = Manifest(
            run_id=new_run_id(),
            identity=run_identity(model, asked, seed),
            created_at=timestamp(),
            grue={"version": "0", "commit": None},
            model=model,
            environment={},
            arguments={},
            seed=seed,
            tasks=asked,
        )
        path = tmp_path / folder
        with RunDirectory.open(path, manifest) as run:
            run.finish(status, {task: _task(run, task, made, rows[task]) for task, made in tasks.items()})
        return path

    return make


@pytest.fixture(scope="session")
def real_run(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Runs of ``grue eval`` on the embedded rows, each made once."""
    from grue.cli.main import run

    made: dict[tuple[str, ...], Path] = {}

    def make(*arguments: str) -> Path:
        if arguments not in made:
            path = tmp_path_factory.mktemp("real") / "run"
            assert run(["eval", *arguments, "--data", "mini", "--offline", "--quiet", "-o", str(path)]) == 0
            made[arguments] = path
        return made[arguments]

    return make
