"""Run directories of the contract's shape, written from the shared values, for pages to show."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from grue.core.metric import Explanation, MetricValue
from grue.core.run import (
    Cost,
    DataInfo,
    EndpointInfo,
    Manifest,
    ModelInfo,
    Rates,
    Results,
    RunScores,
    TaskManifest,
    TaskResult,
    TaskScore,
)
from grue.runs.explanations import line_of
from grue.runs.validity import TaskValidity, Validity

ROWS = 7
WORDS = ("grey", "river", "stone", "walks", "slowly", "under", "bridge", "morning", "light", "over", "hills")


@dataclass
class FakeTask:
    """What one task of a run says; the numbers of its metrics are given, not computed.

    Attributes:
        by_row: Metric -> a number a row, of which the value in ``values`` should be the mean; of the metrics in
            ``per_sample`` rows have numbers that fit no value.
    """

    values: Mapping[str, float | None] = field(default_factory=lambda: {"sacrebleu": 20.0})
    primary: Sequence[str] = ("sacrebleu",)
    n_rows: int = ROWS
    data_rows: int | None = None
    source: str = "mini"
    data: str = "d" * 64
    prompts: str = "p" * 64
    version: int = 1
    split: str = "test"
    limit: int | None = None
    signatures: Mapping[str, str] = field(default_factory=dict)
    rates: Rates = field(default_factory=lambda: Rates(empty=0.0, cut_prompt=0.0, cut_output=0.0))
    status: str = "finished"
    error: str | None = None
    prompt: str = "Translate to German: the {word} river {index}"
    prediction: str = "der {word} fluss {index}"
    references: Sequence[str] = ("der graue Fluss", "ein Fluss")
    per_sample: Sequence[str] = ("sacrebleu",)
    by_row: Mapping[str, Sequence[float]] = field(default_factory=dict)
    rewards: Mapping[str, float] = field(default_factory=dict)
    standing: TaskScore = field(default_factory=TaskScore)
    explanations: Mapping[str, Explanation] = field(default_factory=dict)
    validity: TaskValidity | None = None
    cost: Cost | None = None


_SCALES = dict.fromkeys(("sacrebleu", "chrf", "ter"), 100.0) | {"mean_length": None}  # of all others 1


def metric_value(name: str, value: float | None, signature: str | None = None, n: int = ROWS) -> MetricValue:
    """A value with an interval of ±5 %, or an absent metric."""
    if value is None:
        return MetricValue.absent(f"{name} is not installed")
    better = None if name == "mean_length" else name != "ter"
    interval = None if name == "mean_length" else (value * 0.95, value * 1.05)
    return MetricValue(
        value,
        interval,
        n,
        _SCALES.get(name, 1.0),
        better,
        signature or f"{name}|v:1",
        None if interval else "no method",
    )


def write_run(
    folder: Path,
    run_id: str,
    name: str,
    tasks: Mapping[str, FakeTask],
    *,
    kind: str = "demo",
    source: str | None = None,
    meta: Mapping[str, str] | None = None,
    parameters: int | None = 3_100_000,
    scores: RunScores | None = None,
    seed: int = 0,
    identity: str | None = None,
    created_at: str = "2026-11-20T05:02:00Z",
    endpoint: EndpointInfo | None = None,
) -> Path:
    """Write a whole run directory below ``folder`` and return its path."""
    path = folder / run_id
    (path / "samples").mkdir(parents=True)
    runs_model = kind not in ("null", "oracle", "predictions")
    manifest = Manifest(
        run_id=run_id,
        identity=hashlib.sha256((identity or run_id).encode()).hexdigest(),
        created_at=created_at,
        grue={"version": "0.1.0", "commit": None},
        model=ModelInfo(
            name=name,
            source=source or name,
            kind=kind,
            architecture="GPT2LMHeadModel" if runs_model else None,
            parameters=parameters if runs_model else None,
            dtype="float32" if runs_model else None,
            engine="hf" if runs_model else None,
            weights_sha256=hashlib.sha256(name.encode()).hexdigest() if runs_model else None,
            meta=meta or {},
            endpoint=endpoint,
        ),
        environment={"python": "3.11.7", "platform": "Linux"},
        arguments={"model": source or name, "tasks": ",".join(tasks), "data": "mini", "seed": 0},
        seed=seed,
        tasks={task: _task_manifest(fake, runs_model) for task, fake in tasks.items()},
    )
    for task, fake in tasks.items():
        pq.write_table(_table(fake, runs_model), path / "samples" / f"{task}.parquet")
        if fake.explanations:
            lines = [line_of(f"row-{index:04d}", 0, fake.explanations) for index in range(fake.n_rows)]
            text = "".join(json.dumps(line) + "\n" for line in lines)
            (path / "samples" / f"{task}.explain.jsonl").write_text(text)
    reports = {task: fake.validity for task, fake in tasks.items() if fake.validity is not None}
    if reports:
        write_json(path / "validity.json", Validity(reports).to_json())
    (path / "events.jsonl").write_text("{}\n")
    write_json(path / "manifest.json", manifest.to_json())
    results = Results(
        run_id=run_id,
        status="finished" if all(fake.status == "finished" for fake in tasks.values()) else "partial",
        tasks={task: _task_result(fake, runs_model) for task, fake in tasks.items()},
        files={
            str(found.relative_to(path)): hashlib.sha256(found.read_bytes()).hexdigest()
            for found in sorted(path.rglob("*"))
            if found.is_file() and found.name != "events.jsonl"
        },
        scores=scores or RunScores(),
    )
    write_json(path / "results.json", results.to_json())
    return path


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _task_manifest(fake: FakeTask, runs_model: bool) -> TaskManifest:
    return TaskManifest(
        version=fake.version,
        profile="standard",
        quirks=(),
        split=fake.split,
        data=DataInfo(source=fake.source, id=None, revision=None, sha256=fake.data, rows=fake.data_rows or fake.n_rows),
        prompts_sha256=fake.prompts,
        limit=fake.limit,
        samples=1,
        generation={"max_new_tokens": 48, "do_sample": False, "num_beams": 4} if runs_model else {},
        metrics={name: fake.signatures.get(name, f"{name}|v:1") for name in fake.values},
        rewards={name: f"{name}|v:1" for name in fake.rewards},
        primary=tuple(fake.primary),
    )


def _task_result(fake: FakeTask, runs_model: bool) -> TaskResult:
    cost = Cost(
        wall_seconds=12.5,
        generated_tokens=9 * fake.n_rows if runs_model else None,
        tokens_per_second=3120.0 if runs_model else None,
        latency_ms_p50=228.0 if runs_model else None,
    )
    return TaskResult(
        status=fake.status,
        expected=fake.n_rows,
        scored=fake.n_rows,
        failed=0,
        metrics={
            name: metric_value(name, value, fake.signatures.get(name), fake.n_rows)
            for name, value in fake.values.items()
        },
        rewards={name: metric_value(name, value, n=fake.n_rows) for name, value in fake.rewards.items()},
        rates=fake.rates,
        cost=fake.cost or cost,
        score=fake.standing,
        error=fake.error,
    )


def _table(fake: FakeTask, runs_model: bool) -> pa.Table:
    ids = [f"row-{index:04d}" for index in range(fake.n_rows)]
    words = [WORDS[index % len(WORDS)] for index in range(fake.n_rows)]
    prompts = [fake.prompt.format(word=word, index=index) for index, word in enumerate(words)]
    columns: dict[str, Any] = {
        "id": ids,
        "sample": pa.array([0] * fake.n_rows, pa.int64()),
        "prompt": pa.array(prompts if runs_model else [None] * fake.n_rows, pa.string()),
        "references": pa.array([list(fake.references)] * fake.n_rows, pa.list_(pa.string())),
        "prediction": [fake.prediction.format(word=word, index=index) for index, word in enumerate(words)],
        "raw": pa.array([None] * fake.n_rows, pa.string()),
        "finish_reason": pa.array(
            ["length" if index == 1 else "stop" for index in range(fake.n_rows)]
            if runs_model
            else [None] * fake.n_rows,
            pa.string(),
        ),
        "prompt_tokens": pa.array([5] * fake.n_rows if runs_model else [None] * fake.n_rows, pa.int64()),
        "generated_tokens": pa.array(
            [3 + index % 40 for index in range(fake.n_rows)] if runs_model else [None] * fake.n_rows, pa.int64()
        ),
        "prompt_cut": pa.array([False] * fake.n_rows if runs_model else [None] * fake.n_rows, pa.bool_()),
        "inputs": [json.dumps({"prompt": prompt}) for prompt in prompts],
    }
    for place, name in enumerate(fake.per_sample):
        scale = _SCALES.get(name) or 1.0
        columns[name] = [scale * ((index * 37 + 11 * place) % 100) / 100 for index in range(fake.n_rows)]
    columns |= {name: list(numbers) for name, numbers in fake.by_row.items()}
    for name, value in fake.rewards.items():
        columns[f"reward_{name}"] = [value] * fake.n_rows
    return pa.table(columns)
