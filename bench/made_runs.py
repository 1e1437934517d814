"""Run directories that no model made: the documents that the benches of store and service fill with values."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from grue.core.metric import MetricValue
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
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_run_id(generator: random.Random) -> str:
    """A run id of the contract's form."""
    return "01" + "".join(generator.choice(_ALPHABET) for _ in range(24))


def hashes_below(folder: Path) -> dict[str, str]:
    """Hashes of all files below a folder, by their path in it."""
    return {str(path.relative_to(folder)): sha256_file(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def made_task(task: str, signatures: Mapping[str, str], primary: Sequence[str], n_rows: int) -> TaskManifest:
    """What a run says of a task it was asked for."""
    return TaskManifest(
        version=1,
        profile="standard",
        quirks=(),
        split="test",
        data=DataInfo(source="hub", id=f"org/{task}", revision="a" * 40, sha256="d" * 64, rows=n_rows),
        prompts_sha256=hashlib.sha256(task.encode()).hexdigest(),
        limit=None,
        samples=1,
        generation={"num_beams": 4, "max_new_tokens": 100, "do_sample": False},
        metrics=dict(signatures),
        rewards={},
        primary=tuple(primary),
    )


def made_result(metrics: Mapping[str, MetricValue], cost: Cost, score: TaskScore, n_rows: int) -> TaskResult:
    """The result of a task whose rows were all scored."""
    return TaskResult(
        status="finished",
        expected=n_rows,
        scored=n_rows,
        failed=0,
        metrics=metrics,
        rewards={},
        rates=Rates(empty=0.0, cut_prompt=0.0, cut_output=0.1),
        cost=cost,
        score=score,
    )


def made_score(value: float) -> ScoreValue:
    """A score with an interval of one point to either side."""
    return ScoreValue(value, (value - 1, value + 1))


def write_documents(
    path: Path,
    number: int,
    asked: Mapping[str, TaskManifest],
    results: Mapping[str, TaskResult],
    scores: RunScores,
    *,
    parameters: int | None = 124_000_000,
    meta: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
) -> None:
    """Write manifest and results of the run of model ``number`` into a folder named by its id.

    Args:
        files: Hashes of what lies there already, where they are known.
    """
    model = ModelInfo(
        name=f"model {number}",
        source=f"org/model-{number}",
        kind="hub",
        revision="b" * 40,
        weights_sha256=hashlib.sha256(str(number).encode()).hexdigest(),
        parameters=parameters,
        dtype="bfloat16",
        engine="hf",
        meta=dict(meta or {}),
    )
    manifest = Manifest(
        run_id=path.name,
        identity=run_identity(model, asked, 0),
        created_at=f"2026-{1 + number % 11:02d}-{1 + number % 28:02d}T05:02:{number % 60:02d}Z",
        grue={"version": "0.1.0", "commit": None},
        model=model,
        environment={"python": "3.11.7", "platform": "Linux"},
        arguments={"model": model.source, "tasks": "grue", "seed": 0},
        seed=0,
        tasks=dict(asked),
    )
    (path / "manifest.json").write_text(json.dumps(manifest.to_json(), indent=2))
    known = dict(files or hashes_below(path))
    known["manifest.json"] = sha256_file(path / "manifest.json")
    document = Results(run_id=path.name, status="finished", tasks=dict(results), files=known, scores=scores)
    (path / "results.json").write_text(json.dumps(document.to_json(), indent=2))
