"""A board to serve: run directories of seven tasks whose rows give their values, so that ranks and bands are real.

Numbers are drawn; runs share how hard a row is, as real systems do.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.random import Generator

from grue.core.metric import Floats, MetricValue
from grue.core.run import (
    Cost,
    DataInfo,
    Manifest,
    ModelInfo,
    Rates,
    Results,
    RunScores,
    ScoreValue,
    TaskManifest,
    TaskResult,
    TaskScore,
)
from grue.runs.files import sha256_file
from grue.runs.identity import run_identity

TASKS = ("imdb", "commongen", "cnn_dailymail", "totto", "narrativeqa", "iwslt2017", "daily_dialog")
METRICS = ("rougeLsum", "meteor", "chrf", "mean_length")
N_PRIMARY = 2
N_ROWS = 200
SIZES = (124_000_000, 774_000_000, 3_100_000_000, 7_000_000_000, None)
LICENCES = ("MIT", "Apache-2.0", "CC-BY-4.0", "")
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def write_board(folder: Path, n_runs: int, seed: int = 0) -> None:
    """Write ``n_runs`` run directories below a new folder."""
    generator = np.random.default_rng(seed)
    hard = {task: generator.normal(0, 0.1, (N_ROWS, len(METRICS))) for task in TASKS}
    for number in range(n_runs):
        _write_run(folder, number, generator, hard)


def _write_run(folder: Path, number: int, generator: Generator, hard: dict[str, Floats]) -> None:
    run_id = "01" + "".join(generator.choice(list(_ALPHABET), 24))
    path = folder / run_id
    (path / "samples").mkdir(parents=True)
    level = generator.uniform(0.3, 0.8)
    asked, results = {}, {}
    for task in TASKS:
        rows = np.clip(hard[task] + generator.normal(level, 0.1, hard[task].shape), 0.0, 1.0)
        _write_rows(path / "samples" / f"{task}.parquet", task, rows)
        asked[task], results[task] = _asked(task), _result(rows.mean(axis=0), generator)
    model = ModelInfo(
        name=f"model {number}",
        source=f"org/model-{number}",
        kind="hub",
        revision="b" * 40,
        weights_sha256=hashlib.sha256(str(number).encode()).hexdigest(),
        parameters=SIZES[number % len(SIZES)],
        dtype="bfloat16",
        engine="hf",
        meta={"licence": licence} if (licence := LICENCES[number % len(LICENCES)]) else {},
    )
    manifest = Manifest(
        run_id=run_id,
        identity=run_identity(model, asked, 0),
        created_at=f"2026-{1 + number % 11:02d}-{1 + number % 28:02d}T05:02:{number % 60:02d}Z",
        grue={"version": "0.1.0", "commit": None},
        model=model,
        environment={"python": "3.11.7", "platform": "Linux"},
        arguments={"model": model.source, "tasks": "grue", "seed": 0},
        seed=0,
        tasks=asked,
    )
    (path / "manifest.json").write_text(json.dumps(manifest.to_json()))
    quality = float(np.mean([one.score.quality.value or 0.0 for one in results.values()]))
    document = Results(
        run_id=run_id,
        status="finished",
        tasks=results,
        files={str(one.relative_to(path)): sha256_file(one) for one in sorted(path.rglob("*")) if one.is_file()},
        scores=RunScores(_score(quality), _score(float(generator.uniform(50, 95)))),
    )
    (path / "results.json").write_text(json.dumps(document.to_json()))


def _write_rows(path: Path, task: str, rows: Floats) -> None:
    ids = [f"{task}-{index:05d}" for index in range(len(rows))]
    texts = [f"the {index} grey river walks slowly under the bridge of stone" for index in range(len(rows))]
    n = len(rows)
    columns = {
        "id": ids, "sample": pa.array([0] * n, pa.int64()), "prompt": texts,
        "references": pa.array([[text] for text in texts], pa.list_(pa.string())), "prediction": texts,
        "raw": pa.array([None] * n, pa.string()), "finish_reason": ["stop"] * n,
        "prompt_tokens": pa.array([20] * n, pa.int64()), "generated_tokens": pa.array([11] * n, pa.int64()),
        "prompt_cut": pa.array([False] * n, pa.bool_()),
        "inputs": [json.dumps({"prompt": text}) for text in texts],
    }  # fmt: skip
    pq.write_table(pa.table(columns | {name: rows[:, place] for place, name in enumerate(METRICS)}), path)


def _asked(task: str) -> TaskManifest:
    return TaskManifest(
        version=1,
        profile="standard",
        quirks=(),
        split="test",
        data=DataInfo(source="hub", id=f"org/{task}", revision="a" * 40, sha256="d" * 64, rows=N_ROWS),
        prompts_sha256=hashlib.sha256(task.encode()).hexdigest(),
        limit=None,
        samples=1,
        generation={"num_beams": 4, "max_new_tokens": 100, "do_sample": False},
        metrics={name: f"{name}|v:1" for name in METRICS},
        rewards={},
        primary=METRICS[:N_PRIMARY],
    )


def _result(values: Floats, generator: Generator) -> TaskResult:
    primary = METRICS[:N_PRIMARY]
    quality = 100 * float(np.mean([(value - 0.1) / 0.8 for value in values[:N_PRIMARY]]))
    metrics = {
        name: MetricValue(float(value), (value - 0.01, value + 0.01), N_ROWS, 1.0, name != "mean_length" or None,
                          f"{name}|v:1", None)
        for name, value in zip(METRICS, values.tolist(), strict=True)
    }  # fmt: skip
    return TaskResult(
        status="finished",
        expected=N_ROWS,
        scored=N_ROWS,
        failed=0,
        metrics=metrics,
        rewards={},
        rates=Rates(empty=0.0, cut_prompt=0.0, cut_output=0.1),
        cost=Cost(
            wall_seconds=12.5,
            generated_tokens=11 * N_ROWS,
            tokens_per_second=float(generator.uniform(50, 5000)),
            latency_ms_p50=float(generator.uniform(20, 900)),
        ),
        score=TaskScore(
            quality=_score(quality),
            naturalness=_score(float(generator.uniform(50, 95))),
            floor=dict.fromkeys(primary, 0.1),
            ceiling=dict.fromkeys(primary, 0.9),
        ),
    )


def _score(value: float) -> ScoreValue:
    return ScoreValue(value, (value - 1, value + 1))
