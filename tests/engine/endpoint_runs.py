"""What tests of endpoints share: a server over the small checkpoint, and how runs against it are read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grue.engine.endpoint import faults
from grue.runs.read import read_run
from tests.engine.openai_server import Model, Running, serving

WHAT = ("--data", "mini", "-t", "commongen,iwslt2017", "--decoding", "greedy", "-L", 20, "--metrics", "mean_length")
TASKS = ("commongen", "iwslt2017")


@pytest.fixture(scope="module")
def model() -> Model:
    return Model()


@pytest.fixture
def server(model: Model) -> Iterator[Running]:
    with serving(model) as running:
        yield running


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "FIRST_WAIT_SECONDS", 0.005)
    monkeypatch.setattr(faults, "LONGEST_WAIT_SECONDS", 0.02)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def at(server: Running) -> tuple[str, ...]:
    return ("eval", "-m", "openai:demo", "--base-url", server.url)


def texts(run: Path, task: str) -> dict[tuple[str, int], tuple[str, str]]:
    rows = read_run(run).samples(task).to_pylist()
    return {(row["id"], row["sample"]): (row["raw"] or row["prediction"], row["finish_reason"]) for row in rows}


def events(run: Path, kind: str) -> list[dict[str, Any]]:
    lines = (run / "events.jsonl").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event["kind"] == kind]


def everything_written(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


@pytest.fixture(scope="module")
def whole(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run against a server that does nothing wrong."""
    from grue.cli.main import run

    folder = tmp_path_factory.mktemp("whole") / "run"
    with serving(model) as server:
        assert run([str(part) for part in (*at(server), *WHAT, "--quiet", "-o", folder)]) == 0
    return folder
