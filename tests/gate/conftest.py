"""Real runs to gate, the command line in this process, and ways to spoil a run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from grue.core.run import checksum
from tests.commands import Answer, in_process

TASKS = "commongen,narrativeqa,wmt16"


@dataclass(frozen=True)
class GateAnswer(Answer):
    """What `grue gate` gave."""

    def check(self, task: str, name: str) -> dict[str, Any]:
        """One check of the JSON document."""
        (found,) = [one for one in self.document["checks"] if (one["task"], one["name"]) == (task, name)]
        return found


@pytest.fixture
def grue(capsys: pytest.CaptureFixture[str]) -> Callable[..., GateAnswer]:
    """Runs a command line in this process."""
    return in_process(capsys, GateAnswer)


def _evaluated(folder: Path, model: str, tasks: str, *more: str) -> Path:
    from grue.cli.main import run

    path = folder / "-".join((model.replace(":", "-"), *more)).replace("--", "")
    call = ["eval", "-m", model, "-t", tasks, "--data", "mini", "-o", str(path), "--quiet", *more]
    assert run(call) == 0
    return path


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gated")


@pytest.fixture(scope="session")
def random(runs: Path) -> Path:
    """References of other rows: the better of the two systems."""
    return _evaluated(runs, "null:random-reference", TASKS)


@pytest.fixture(scope="session")
def constant(runs: Path) -> Path:
    """One sentence for every row."""
    return _evaluated(runs, "null:constant", TASKS)


@pytest.fixture(scope="session")
def constant_short(runs: Path) -> Path:
    """The same on fewer rows: other data."""
    return _evaluated(runs, "null:constant", TASKS, "-L", "12")


@pytest.fixture(scope="session")
def causal(runs: Path) -> Path:
    """The small causal checkpoint."""
    return _evaluated(runs, "demo:causal", "commongen", "--no-model-metrics")


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[Path], Path]:
    """A copy of a run, to be spoiled."""

    def copy(run: Path) -> Path:
        path = tmp_path / "copies" / run.name
        shutil.copytree(run, path)
        return path

    return copy


@pytest.fixture
def edited() -> Callable[[Path, Callable[[dict[str, Any]], None]], None]:
    """Changes ``results.json`` and mends its checksum, as a run would have written it."""

    def edit(run: Path, change: Callable[[dict[str, Any]], None]) -> None:
        document = json.loads((run / "results.json").read_text())
        change(document)
        document["checksum"] = checksum(document)
        (run / "results.json").write_text(json.dumps(document))

    return edit


@pytest.fixture
def gate_file(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "gate.toml"
        path.write_text(text)
        return path

    return write
