"""A run's start: what is hashed, loaded and left behind before the first row."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from grue.checkpoints import hash_store
from grue.engine import hf

EVAL = ("eval", "-t", "commongen", "--data", "mini", "-L", 3, "--metrics", "mean_length", "--no-model-metrics")
SHORT = ("-g", "num_beams=1,min_new_tokens=1,max_new_tokens=2")


@pytest.fixture(autouse=True)
def _as_a_new_process(monkeypatch):
    monkeypatch.setattr(hash_store, "_known", {})
    monkeypatch.setattr(hash_store, "SETTLED_SECONDS", -1.0)


def test_a_finished_run_is_known_again_without_hashing_or_loading(grue, tmp_path, monkeypatch):
    monkeypatch.setenv("GRUE_HOME", str(tmp_path / "home"))
    command = (*EVAL, *SHORT, "-m", "demo:causal", "-o", tmp_path / "run")
    assert grue(*command).code == 0

    def refused(*arguments):
        raise AssertionError("nothing needs this")

    hash_store._known.clear()
    monkeypatch.setattr(hash_store, "weights_sha256", refused)
    monkeypatch.setattr(hf, "load_model", refused)
    again = grue(*command)
    assert again.code == 0
    assert "finished" in again.err + again.out


def test_where_no_hash_is_kept_the_finished_run_is_the_same(grue, tmp_path, monkeypatch):
    monkeypatch.setenv("GRUE_HOME", str(tmp_path / "home"))
    command = (*EVAL, *SHORT, "-m", "demo:causal", "-o", tmp_path / "run")
    assert grue(*command).code == 0
    before = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    hash_store._known.clear()
    (tmp_path / "home" / hash_store.STORE_NAME).unlink()
    assert grue(*command).code == 0
    assert {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()} == before


def test_a_model_that_cannot_be_loaded_leaves_no_folder(grue, tmp_path, monkeypatch):
    from grue.core.errors import CheckpointError

    def broken(*arguments):
        raise CheckpointError("Three weights are missing.", "Give the whole checkpoint.")

    monkeypatch.setattr(hf, "load_model", broken)
    answer = grue(*EVAL, *SHORT, "-m", "demo:causal", "-o", tmp_path / "run")
    assert answer.code == 2
    assert "Three weights are missing." in answer.err
    assert not (tmp_path / "run").exists()


def test_faults_of_the_data_come_before_anything_is_loaded(grue, tmp_path, monkeypatch):
    loaded = []
    monkeypatch.setattr(hf, "load_model", lambda *arguments: loaded.append(arguments))
    answer = grue(*EVAL[:4], tmp_path, *SHORT, "-m", "demo:causal", "-o", tmp_path / "run")
    assert answer.code == 2
    assert loaded == []


def test_the_manifest_says_how_many_threads_compute_and_why(grue, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert grue(*EVAL, *SHORT, "-m", "demo:causal", "-o", tmp_path / "run").code == 0
    environment = json.loads((tmp_path / "run" / "manifest.json").read_text())["environment"]
    assert environment["threads"] == 1
    assert environment["threads_chosen"] == "OMP_NUM_THREADS"


@pytest.mark.parametrize("model", ["demo:causal", "demo:seq2seq"])
def test_bfloat16_on_a_cpu_is_a_run_of_its_own(grue, tmp_path, model):
    identities = {}
    for dtype in ("auto", "float32", "bfloat16"):
        answer = grue(*EVAL, *SHORT, "-m", model, "--dtype", dtype, "-o", tmp_path / dtype, "--json")
        assert answer.code == 0
        assert answer.document["results"]["tasks"]["commongen"]["n"]["scored"] == 3
        manifest = json.loads((tmp_path / dtype / "manifest.json").read_text())
        assert manifest["model"]["dtype"] == dtype.replace("auto", "float32")
        identities[dtype] = manifest["identity"]
    assert identities["auto"] == identities["float32"] != identities["bfloat16"]


SLOW = """
import sys, time
from grue.checkpoints import hash_store
from grue.cli.main import run
from grue.engine import hf

def slow(*arguments):
    print("loading now", flush=True)
    for _ in range(30):
        time.sleep(0.1)

hf.load_model = slow
hash_store.weights_sha256 = lambda *arguments: time.sleep(60) or ""
sys.exit(run(sys.argv[1:]))
"""


@pytest.mark.long
def test_an_interrupt_while_weights_are_hashed_and_loaded_ends_the_command(tmp_path):
    command = [*map(str, EVAL), *SHORT, "-m", "demo:causal", "-o", str(tmp_path / "run")]
    environ = {**os.environ, "GRUE_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ
    )
    assert process.stdout.readline() == "loading now\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=50)
    assert process.returncode == 130
    assert "Interrupted." in errors
    assert "Traceback" not in errors
    assert not (tmp_path / "run").exists()
