"""A board to serve: run directories of seven tasks whose rows give their values, so that ranks and bands are real.

Numbers are drawn; runs share how hard a row is, as real systems do.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from made_runs import TASKS, made_result, made_score, made_task, new_run_id, write_documents
from numpy.random import Generator

from grue.core.metric import Floats, MetricValue
from grue.core.run import Cost, RunScores, TaskResult, TaskScore

METRICS = ("rougeLsum", "meteor", "chrf", "mean_length")
N_PRIMARY = 2
N_ROWS = 200
SIZES = (124_000_000, 774_000_000, 3_100_000_000, 7_000_000_000, None)
LICENCES = ("MIT", "Apache-2.0", "CC-BY-4.0", "")


def write_board(folder: Path, n_runs: int, seed: int = 0) -> None:
    """Write ``n_runs`` run directories below a new folder."""
    generator, names = np.random.default_rng(seed), random.Random(seed)
    hard = {task: generator.normal(0, 0.1, (N_ROWS, len(METRICS))) for task in TASKS}
    for number in range(n_runs):
        _write_run(folder / new_run_id(names), number, generator, hard)


def _write_run(path: Path, number: int, generator: Generator, hard: dict[str, Floats]) -> None:
    (path / "samples").mkdir(parents=True)
    level = generator.uniform(0.3, 0.8)
    asked, results = {}, {}
    for task in TASKS:
        rows = np.clip(hard[task] + generator.normal(level, 0.1, hard[task].shape), 0.0, 1.0)
        _write_rows(path / "samples" / f"{task}.parquet", task, rows)
        asked[task] = made_task(task, {name: f"{name}|v:1" for name in METRICS}, METRICS[:N_PRIMARY], N_ROWS)
        results[task] = _result(rows.mean(axis=0), generator)
    quality = float(np.mean([one.score.quality.value or 0.0 for one in results.values()]))
    scores = RunScores(made_score(quality), made_score(float(generator.uniform(50, 95))))
    licence = LICENCES[number % len(LICENCES)]
    meta = {"licence": licence} if licence else {}
    write_documents(path, number, asked, results, scores, parameters=SIZES[number % len(SIZES)], meta=meta)


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


def _result(values: Floats, generator: Generator) -> TaskResult:
    primary = METRICS[:N_PRIMARY]
    quality = 100 * float(np.mean([(value - 0.1) / 0.8 for value in values[:N_PRIMARY]]))
    metrics = {
        name: MetricValue(float(value), (value - 0.01, value + 0.01), N_ROWS, 1.0, name != "mean_length" or None,
                          f"{name}|v:1", None)
        for name, value in zip(METRICS, values.tolist(), strict=True)
    }  # fmt: skip
    cost = Cost(
        wall_seconds=12.5,
        generated_tokens=11 * N_ROWS,
        tokens_per_second=float(generator.uniform(50, 5000)),
        latency_ms_p50=float(generator.uniform(20, 900)),
    )
    score = TaskScore(
        quality=made_score(quality),
        naturalness=made_score(float(generator.uniform(50, 95))),
        floor=dict.fromkeys(primary, 0.1),
        ceiling=dict.fromkeys(primary, 0.9),
    )
    return made_result(metrics, cost, score, N_ROWS)
