"""Actors of a Ray cluster: what they refuse, and a local cluster of two of which one is killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from grue.core.decoding import Decoding
from grue.core.errors import MissingExtraError, UsageError
from grue.core.rows import Row
from grue.core.task import Truncation
from grue.engine.cluster import Holder
from grue.engine.open import EngineOptions, open_engine
from grue.engine.pool.engine import open_single, opening_of
from grue.engine.pool.messages import Came, Chunk, Done, Opening, Ready, Refused
from grue.engine.protocol import Job, Request
from tests.processes import PATIENCE_SECONDS, events, finish, outcome, start, until


@pytest.fixture(scope="module")
def opening() -> Opening:
    options = EngineOptions(device="cpu", cluster="ray", workers=2)
    opened = open_single("demo:causal", options, "--cluster")
    return opening_of(opened, options, offline=False, weights_sha256=opened.info.weights_sha256)


def make_chunk(number: int, n: int = 5) -> Chunk:
    rows = [Row(id=f"r{i}", prompt="the old bridge " * (i + 1)) for i in range(n)]
    job = Job(decoding=Decoding(max_new_tokens=4), truncation=Truncation("right", 64), seed=0, rows=())
    return Chunk(number, [Request(row, 0) for row in rows], job)


def test_an_actor_answers_chunks_until_they_are_cancelled(opening):
    holder = Holder(opening)
    ready = holder.begin()
    assert isinstance(ready, Ready)
    assert (ready.device, ready.pid) == ("cpu", os.getpid())
    said = list(holder.run(make_chunk(1)))
    assert said[-1] == Done(1)
    assert [one.id for answer in said if isinstance(answer, Came) for one in answer.portion.generations] != []
    holder.cancel(2)
    assert list(holder.run(make_chunk(2))) == []
    assert list(holder.run(make_chunk(3)))[-1] == Done(3)


def test_an_actor_whose_checkpoint_has_other_weights_is_refused(opening):
    other = Opening(model=opening.model, options=opening.options, weights_sha256="0" * 64, version=opening.version)
    answer = Holder(other).begin()
    assert isinstance(answer, Refused)
    assert "The checkpoint on" in str(answer.error)
    assert "000000000000" in str(answer.error)


def test_an_actor_with_another_version_of_grue_is_refused(opening):
    other = Opening(
        model=opening.model, options=opening.options, weights_sha256=opening.weights_sha256, version="0.0.0.never"
    )
    answer = Holder(other).begin()
    assert isinstance(answer, Refused)
    assert "0.0.0.never" in str(answer.error)
    assert "Install the same version" in str(answer.error)


def test_an_actor_finds_a_folder_under_its_whole_path(checkpoints, monkeypatch):
    folder = checkpoints["gpt2"]
    monkeypatch.chdir(folder.parent)
    options = EngineOptions(device="cpu", cluster="ray")
    opened = open_single(folder.name, options, "--cluster")
    assert opening_of(opened, options, offline=False).model == str(folder.resolve())


def test_without_ray_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match="'ray' extra") as caught:
        open_engine("demo:causal", EngineOptions(cluster="ray", workers=2))
    assert "pip install 'grue[ray]'" in str(caught.value)


@pytest.mark.parametrize("options", [{"device": "cuda:1"}, {"device": "mps"}, {"devices": ("cpu", "cpu")}])
def test_a_cluster_gives_out_devices_by_itself(options):
    with pytest.raises(UsageError, match="gives out its devices"):
        open_engine("demo:causal", EngineOptions(cluster="ray", workers=2, **options))


@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: pip install 'grue[ray]'")
def test_a_cluster_that_does_not_answer_is_told_at_once(monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(UsageError, match="cannot be reached") as caught:
        open_engine("demo:causal", EngineOptions(cluster="ray"))
    assert caught.value.place == address
    monkeypatch.setenv("RAY_ADDRESS", f"ray://{address}")
    with pytest.raises(UsageError, match="Ray client"):
        open_engine("demo:causal", EngineOptions(cluster="ray"))


def command(folder: Path, *where: str) -> list[str]:
    rows = ["-t", "imdb,iwslt2017,commongen", "--data", "mini", "-L", "40", "-b", "4", "--no-model-metrics", "--quiet"]
    return ["eval", "-m", "demo:causal", *rows, *where, "-o", str(folder)]


@pytest.mark.long
@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: pip install 'grue[ray]'")
def test_a_local_cluster_with_a_killed_worker_gives_the_results_of_one_process(tmp_path):
    finish(*command(tmp_path / "alone", "--device", "cpu"))
    folder = tmp_path / "cluster"
    run = start(*command(folder, "--cluster", "ray", "--workers", "2"), RAY_ADDRESS=None)
    until(lambda: len(events(folder, "worker_ready")) == 2, run)
    until(lambda: sum(event["generations"] for event in events(folder, "generated")) >= 12, run)
    assert run.poll() is None, run.communicate()
    victim = events(folder, "worker_ready")[0]
    os.kill(victim["pid"], signal.SIGKILL)
    _, err = run.communicate(timeout=PATIENCE_SECONDS)
    assert run.returncode == 0, err
    assert "Traceback" not in err
    [lost] = events(folder, "worker_lost")
    assert lost["worker"] == victim["worker"]
    assert lost["rows"] > 0
    assert outcome(folder) == outcome(tmp_path / "alone")
    manifests = [json.loads((tmp_path / name / "manifest.json").read_text()) for name in ("alone", "cluster")]
    assert manifests[0]["identity"] == manifests[1]["identity"]
