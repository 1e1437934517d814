"""Checkpoints: generated where nothing else is in reach, scored beside it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import grue
from grue.runs.read import read_run
from grue.store.service import jobs
from tests.processes import outcome
from tests.worker.scenario import DEMO

pytestmark = pytest.mark.long

TASKS = ("narrativeqa",)


@pytest.fixture(scope="module")
def service(shared_scenario):
    """One worker's work: both demo checkpoints, and one whose weights are no numbers."""
    made = shared_scenario()
    made.causal = made.submit("model", DEMO / "causal", TASKS)
    made.seq2seq = made.submit("model", DEMO / "seq2seq", TASKS)
    made.broken = made.submit("model", without_numbers(made.home / "broken"), TASKS)
    made.said = made.work()
    return made


def without_numbers(folder: Path) -> Path:
    """The demo checkpoint with NaN in one of its tensors."""
    from safetensors.numpy import load_file, save_file

    shutil.copytree(DEMO / "causal", folder)
    tensors = load_file(folder / "model.safetensors")
    name = next(name for name in tensors if "mlp" in name and name.endswith("weight"))
    tensors[name] = tensors[name] * float("nan")
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    return folder


@pytest.mark.parametrize("kind", ["causal", "seq2seq"])
def test_a_checkpoint_gets_the_run_that_grue_eval_makes(service, kind, tmp_path):
    made = getattr(service, kind)
    assert service.now(made).status == "done", service.said
    checkpoint = shutil.copytree(DEMO / kind, tmp_path / kind)
    grue.evaluate(str(checkpoint), TASKS, data="mini", split="test", output=tmp_path / "direct")
    ours, direct = read_run(service.run(made)), read_run(tmp_path / "direct")
    assert ours.manifest["identity"] == direct.manifest["identity"]
    for key in ("weights_sha256", "tokenizer_sha256", "architecture", "parameters", "dtype", "engine", "kind"):
        assert ours.manifest["model"][key] == direct.manifest["model"][key]
    assert ours.manifest["tasks"] == direct.manifest["tasks"]
    assert outcome(service.run(made)) == outcome(tmp_path / "direct")
    name = "statistics/narrativeqa.parquet"
    assert pq.read_table(ours.path / name).equals(pq.read_table(direct.path / name))


def test_a_checkpoints_run_is_verified_and_says_what_it_cost(service):
    stored = read_run(service.run(service.causal))
    assert stored.submission.mark == "verified"
    cost = stored.results_value().tasks["narrativeqa"].cost
    assert cost.generated_tokens > 0
    assert cost.tokens_per_second > 0
    assert cost.latency_ms_p50 > 0
    assert cost.load_seconds > 0
    kinds = [json.loads(line)["kind"] for line in (stored.path / "events.jsonl").read_text().splitlines()]
    assert kinds.index("generated") < kinds.index("ended") < len(kinds) - 1


def test_weights_that_are_no_numbers_are_explained(service):
    now = service.now(service.broken)
    assert (now.status, now.reason) == ("failed", "nan-logits")
    assert "not numbers" in now.detail
    assert str(service.home) not in now.detail
    assert jobs.job(service.store, now.job_id).attempt == 1


def test_partial_generations_are_dropped_with_the_end_of_a_job(service):
    assert not [path for path in (service.home / "artifacts" / "partial").rglob("*") if path.is_file()]


def test_the_log_says_what_protects_the_step(service):
    assert any(line.startswith("Checkpoints generate with these protections:") for line in service.log(service.causal))


def test_too_little_memory_and_too_little_time_are_told_apart(scenario):
    service = scenario()
    small = service.submit("model", DEMO / "causal", TASKS)
    service.work(generate_memory_gb=0.05)
    slow = service.submit("model", DEMO / "seq2seq", TASKS)
    service.work(generate_hours=1e-6)
    assert (service.now(small).status, service.now(small).reason) == ("failed", "out-of-memory")
    assert (service.now(slow).status, service.now(slow).reason) == ("failed", "generate-timeout")
