"""Stores on databases of both kinds; run directories for them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

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
    checksum,
)
from grue.runs.files import sha256_file, write_json
from grue.runs.identity import run_identity
from grue.store import queries
from grue.store.database import Store, open_store
from tests.databases import Databases


@pytest.fixture
def store(databases: Databases) -> Iterator[Store]:
    """An open, empty store."""
    with open_store(databases.migrated()) as opened:
        yield opened


@dataclass
class Fake:
    """What one task of a run says."""

    values: Mapping[str, float | None] = field(default_factory=lambda: {"cider_d": 1.0, "coverage": 90.0})
    signatures: Mapping[str, str] = field(default_factory=dict)
    primary: Sequence[str] = ("cider_d", "coverage")
    rewards: Mapping[str, float] = field(default_factory=dict)
    data: str = "d" * 64
    prompts: str = "p" * 64
    version: int = 1
    split: str = "test"
    source: str = "mini"
    rows: int = 7
    limit: int | None = None
    error: str | None = None
    quality: float | None = 50.0


_DIRECTIONS = {"ter": False, "mean_length": None}


def metric(name: str, value: float | None, signature: str | None = None) -> MetricValue:
    """A value with an interval of ±5 %, or an absent metric."""
    if value is None:
        return MetricValue.absent(f"{name} is not installed")
    better = _DIRECTIONS.get(name, True)
    interval = None if better is None else (value * 0.95, value * 1.05)
    reason = None if interval else "no method"
    return MetricValue(value, interval, 7, 1.0, better, signature or f"{name}|v:1", reason)


class Runs:
    """Writes run directories below a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.n = 0

    def write(
        self,
        tasks: Mapping[str, Fake] | None = None,
        *,
        run_id: str | None = None,
        name: str = "system",
        weights: str = "w",
        seed: int = 0,
        created_at: str | None = None,
        kind: str = "local",
        grue: float | None = None,
        folder: str = "",
        **model: Any,
    ) -> Path:
        """Write one run and return its path."""
        self.n += 1
        run_id = run_id or f"01J{self.n:023d}"
        path = self.folder / folder / run_id
        path.mkdir(parents=True)
        fakes = {"commongen": Fake()} if tasks is None else tasks
        asked = {task: _asked(fake) for task, fake in fakes.items()}
        info = ModelInfo(
            **{
                "name": name,
                "source": f"/models/{weights}" if kind == "local" else name,
                "kind": kind,
                "weights_sha256": weights * 64 if kind not in ("null", "oracle") else None,
                **model,
            }
        )
        manifest = Manifest(
            run_id=run_id,
            identity=run_identity(info, asked, seed),
            created_at=created_at
            or f"2026-11-{1 + self.n // 1440 % 28:02d}T{self.n // 60 % 24:02d}:{self.n % 60:02d}:00Z",
            grue={"version": "0.1.0", "commit": None},
            model=info,
            environment={},
            arguments={},
            seed=seed,
            tasks=asked,
        )
        (path / "samples").mkdir()
        for task, fake in fakes.items():
            table = pa.table({"id": [f"{run_id} {row}" for row in range(fake.rows)]})
            pq.write_table(table, path / "samples" / f"{task}.parquet")
        score = ScoreValue(grue, (grue - 1, grue + 1)) if grue is not None else ScoreValue.none("not all tasks")
        failed = any(fake.error for fake in fakes.values())
        results = Results(
            run_id=run_id,
            status="partial" if failed else "finished",
            tasks={task: _result(fake) for task, fake in fakes.items()},
            files={f"samples/{task}.parquet": sha256_file(path / "samples" / f"{task}.parquet") for task in fakes},
            scores=RunScores(score, ScoreValue.none("not all tasks")),
        )
        write_json(path / "manifest.json", manifest.to_json())
        write_json(path / "results.json", results.to_json())
        return path


def _asked(fake: Fake) -> TaskManifest:
    return TaskManifest(
        version=fake.version,
        profile="standard",
        quirks=(),
        split=fake.split,
        data=DataInfo(source=fake.source, id=None, revision=None, sha256=fake.data, rows=fake.rows),
        prompts_sha256=fake.prompts,
        limit=fake.limit,
        samples=1,
        generation={"max_new_tokens": 20},
        metrics={name: fake.signatures.get(name, f"{name}|v:1") for name in fake.values},
        rewards={name: f"{name}|v:1" for name in fake.rewards},
        primary=tuple(fake.primary),
    )


def _result(fake: Fake) -> TaskResult:
    quality = ScoreValue.none("no ceiling") if fake.quality is None else ScoreValue(fake.quality, (0.0, 100.0))
    return TaskResult(
        status="partial" if fake.error else "finished",
        expected=fake.rows,
        scored=fake.rows,
        failed=0,
        metrics={name: metric(name, value, fake.signatures.get(name)) for name, value in fake.values.items()},
        rewards={name: metric(name, value) for name, value in fake.rewards.items()},
        rates=Rates(empty=0.0, cut_prompt=0.0, cut_output=0.0),
        cost=Cost(wall_seconds=1.5),
        score=TaskScore(quality=quality, naturalness=ScoreValue(71.5, None, "one reference a row")),
        error=fake.error,
    )


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    """Writes run directories into ``tmp_path / "runs"``."""
    (tmp_path / "runs").mkdir()
    return Runs(tmp_path / "runs")


@pytest.fixture
def fake() -> type[Fake]:
    """The class of a task of a run."""
    return Fake


@pytest.fixture
def rewrite() -> Callable[..., None]:
    """Changes values of a ``results.json`` and makes its checksum anew, as an honest writer would."""

    def change(path: Path, **changes: Any) -> None:
        document = json.loads((path / "results.json").read_text())
        for key, value in changes.items():
            *parents, last = key.split("__")
            inner = document
            for parent in parents:
                inner = inner[parent]
            inner[last] = value
        del document["checksum"]
        write_json(path / "results.json", {**document, "checksum": checksum(document)})

    return change


@pytest.fixture
def answers() -> Callable[[Store], str]:
    """All that a store answers, as text: two stores of the same runs must give the same bytes."""
    return _answers


def _answers(store: Store) -> str:
    """Every query with every argument that makes sense, in order."""
    said: dict[str, Any] = {
        "settings": queries.settings(store),
        "tasks": queries.tasks(store),
        "supersessions": queries.supersessions(store),
        "locations": queries.locations(store),
    }
    cursor, pages = None, []
    while True:
        page = queries.runs(store, limit=2, cursor=cursor)
        pages.append(page)
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
    said["pages"] = pages
    said["runs"] = [queries.run(store, run.run_id) for page in pages for run in page.runs]
    for setting in queries.settings(store):
        for everything in (False, True):
            board = queries.board(store, setting.slug, with_superseded=everything)
            said[f"board {setting.slug} {everything}"] = board
        for task in board.tasks.values():
            for metric in task.metrics:
                place = (setting.slug, task.task, metric)
                said[f"entries {place}"] = queries.entries(store, *place)
                said[f"history {place}"] = queries.history(store, *place)
    return json.dumps(said, default=_plain, indent=1)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tobytes().hex()
    if isinstance(value, Path):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        if any(isinstance(getattr(value, name), np.ndarray) for name in value.__dataclass_fields__):
            return {name: getattr(value, name) for name in value.__dataclass_fields__}
        return asdict(value)
    raise TypeError(type(value))
