"""Real runs of the small checkpoints, and forgers who change them and make every hash anew."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from grue.core.run import checksum
from grue.engine.options import EngineOptions
from grue.evaluation.call import GenerationCall, OutputCall, RowsCall
from grue.evaluation.prepare import evaluate_call
from grue.evaluation.progress import Silent
from grue.evaluation.scoring_worker import ScoringWorker
from grue.runs.fields import Fields
from grue.runs.files import sha256_file
from grue.runs.identity import run_identity
from grue.runs.tables import parquet_bytes
from grue.runs.values import manifest_value
from tests.commands import Answer, in_process

Edit = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Verified(Answer):
    """What `grue verify` gave."""

    def findings(self, status: str) -> list[dict[str, Any]]:
        return [finding for finding in self.document["findings"] if finding["status"] == status]

    def failures(self, check: str) -> list[dict[str, Any]]:
        return [finding for finding in self.findings("failed") if finding["check"] == check]


Lines = list[dict[str, Any]]
Verify = Callable[..., Verified]
Copy = Callable[[str], Path]
# The task whose texts are drawn.
SAMPLED = "daily_dialog"


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., Verified]:
    """Runs a command line in this process."""
    return in_process(capsys, Verified)


@pytest.fixture
def verify(command: Callable[..., Verified]) -> Callable[..., Verified]:
    """``grue verify --json`` in this process."""
    return lambda *arguments: command("verify", *arguments, "--json", "--quiet")


@pytest.fixture(scope="session", autouse=True)
def _one_version() -> Iterator[None]:
    """A commit to the checkout while tests run would make the runs those of another version."""
    patch = pytest.MonkeyPatch()
    for module in ("grue.evaluation.plan", "grue.verification.rescoring"):
        patch.setattr(f"{module}.grue_version", lambda: {"version": "0.1.0", "commit": "0" * 40})
    yield
    patch.undo()


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Finished runs by system: both demo checkpoints, and two systems without one."""
    top = tmp_path_factory.mktemp("honest")
    out = {}
    with ScoringWorker() as worker:
        for model, tasks in {
            "demo:causal": "commongen,daily_dialog",  # beam search and sampling
            "demo:seq2seq": "daily_dialog",
            "null:random-reference": "daily_dialog",
            "oracle:reference": "commongen",
        }.items():
            out[model] = top / model.replace(":", "-")
            evaluate_call(
                model,
                EngineOptions(),
                RowsCall(tasks=tasks, data="mini", limit=8),
                GenerationCall(),
                OutputCall(path=out[model]),
                progress=Silent(),
                worker=worker,
            )
    return out


@pytest.fixture
def copy(runs: dict[str, Path], tmp_path: Path) -> Callable[[str], Path]:
    """A copy of a run, to be changed."""

    def made(model: str) -> Path:
        return Path(shutil.copytree(runs[model], tmp_path / "copy"))

    return made


def rehash(path: Path) -> None:
    """What a forger does last: hashes of all files and the checksum, made anew."""
    document = json.loads((path / "results.json").read_text())
    document["files"] = {name: sha256_file(path / name) for name in document["files"]}
    document["checksum"] = checksum(document)
    (path / "results.json").write_text(json.dumps(document))


def edit_json(path: Path, name: str, edit: Edit) -> None:
    """Change a document of a run; no hash is mended."""
    document = json.loads((path / name).read_text())
    edit(document)
    (path / name).write_text(json.dumps(document))


def edit_samples(path: Path, task: str, edit: Callable[[list[dict[str, Any]]], None], folder: str = "samples") -> None:
    """Change lines of a task's samples; no hash is mended."""
    file = path / folder / f"{task}.parquet"
    table = pq.read_table(file, partitioning=None)
    lines = table.to_pylist()
    edit(lines)
    file.write_bytes(parquet_bytes(pa.Table.from_pylist(lines, schema=table.schema)))


def reidentify(path: Path) -> None:
    """Make the identity of a changed manifest anew."""

    def edit(document: dict[str, Any]) -> None:
        known = manifest_value(Fields(document, "manifest.json"))
        document["identity"] = run_identity(known.model, known.tasks, known.seed)

    edit_json(path, "manifest.json", edit)
