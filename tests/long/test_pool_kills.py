"""Runs on two processes whose workers are killed: the same results as one process, now or after the same command."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import psutil
import pyarrow.parquet as pq
import pytest

pytestmark = pytest.mark.long

PROGRAM = "from grue.cli.main import main; main()"
PATIENCE_SECONDS = 300
TASKS = ("imdb", "iwslt2017", "commongen")
KINDS = {
    "greedy": ("--decoding", "greedy"),
    "sampled": ("-g", "do_sample=true,temperature=0.8,num_beams=1", "--samples", "2"),
    "beams": ("-g", "do_sample=false,num_beams=3"),
}


def command(folder: Path, *where: str, kind: str = "greedy", model: str = "demo:causal") -> list[str]:
    rows = ["-t", ",".join(TASKS), "--data", "mini", "-L", "40", "-b", "4", "--no-model-metrics", "--quiet"]
    return ["eval", "-m", model, *rows, *KINDS[kind], *where, "-o", str(folder)]


def start(arguments: list[str], **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", **environment},
        start_new_session=True,
        # Where the tests run in the background, a shell has made them ignore interrupts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def finish(arguments: list[str], code: int = 0) -> None:
    process = start(arguments)
    _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == code, err


def outcome(folder: Path) -> tuple[dict, dict]:
    """Results without times and costs, and all generations."""
    document = json.loads((folder / "results.json").read_text())
    for key in ("run_id", "checksum"):
        document.pop(key)
    document["files"].pop("manifest.json")
    for task in document["tasks"].values():
        task.pop("cost")
    return document, {task: pq.read_table(folder / "samples" / f"{task}.parquet").to_pylist() for task in TASKS}


def events(folder: Path, kind: str) -> list[dict]:
    path = folder / "events.jsonl"
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [event for line in lines if line.endswith("\n") and (event := json.loads(line))["kind"] == kind]


def generated(folder: Path) -> int:
    return sum(event["generations"] for event in events(folder, "generated"))


def until(is_so: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None and not is_so():
        time.sleep(0.05)


def workers(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Its processes that hold the model."""
    try:
        children = psutil.Process(process.pid).children()
        return [child for child in children if "grue.engine.pool.child" in " ".join(child.cmdline())]
    except psutil.NoSuchProcess:
        return []


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Kind -> a run of one process that nobody disturbed."""

    @cache
    def run(kind: str) -> Path:
        folder = tmp_path_factory.mktemp(kind) / "run"
        finish(command(folder, "--device", "cpu", kind=kind))
        return folder

    return run


@pytest.mark.parametrize("kind", KINDS)
def test_two_devices_give_the_results_of_one_although_a_worker_is_killed(whole, tmp_path, kind):
    folder = tmp_path / "run"
    rng = random.Random(kind)
    process = start(command(folder, "--devices", "cpu,cpu", kind=kind))
    wanted = rng.randrange(1, 60)
    until(lambda: generated(folder) >= wanted, process)
    assert process.poll() is None, process.communicate()
    kill(rng.choice(workers(process)))
    _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, err
    assert [event["reason"] for event in events(folder, "worker_lost")] == ["its process was ended by SIGKILL"]
    assert outcome(folder) == outcome(whole(kind))


def test_an_encoder_decoder_on_two_devices_gives_the_results_of_one(tmp_path):
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    finish(command(alone, "--device", "cpu", model="demo:seq2seq"))
    finish(command(shared, "--devices", "cpu,cpu", model="demo:seq2seq"))
    assert outcome(shared) == outcome(alone)


def test_all_workers_killed_again_and_again_leave_a_partial_run_that_one_device_finishes(whole, tmp_path):
    folder = tmp_path / "run"
    process = start(command(folder, "--devices", "cpu,cpu"))
    until(lambda: generated(folder) >= 10, process)
    while process.poll() is None:
        for worker in workers(process):
            kill(worker)
        time.sleep(0.05)
    _, err = process.communicate()
    assert process.returncode == 3, err
    assert "no worker is left" in err
    kept = generated(folder)
    assert kept >= 10
    assert {event["task"] for event in events(folder, "row_failed")} <= set(TASKS)
    finish(command(folder, "--device", "cpu"))
    assert outcome(folder) == outcome(whole("greedy"))
    # What was kept was not made again.
    assert generated(folder) == 3 * 40


def test_a_run_begun_on_one_device_goes_on_with_two_and_three(whole, tmp_path):
    folder = tmp_path / "run"
    for where, wanted in ((("--device", "cpu"), 8), (("--devices", "cpu,cpu,cpu"), 40)):
        process = start(command(folder, *where, kind="sampled"))
        until(lambda wanted=wanted: generated(folder) >= wanted, process)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 130, err
        assert "Traceback" not in err
        assert not workers(process)
    finish(command(folder, "--devices", "cpu,cpu", "-b", "7", kind="sampled"))
    assert outcome(folder) == outcome(whole("sampled"))


@pytest.mark.parametrize(
    ("number", "while_loading"),
    [(signal.SIGKILL, True), (signal.SIGKILL, False), (signal.SIGTERM, True), (signal.SIGINT, False)],
)
def test_no_worker_outlives_the_command(tmp_path, number, while_loading):
    folder = tmp_path / "run"
    process = start(command(folder, "--devices", "cpu,cpu"))
    until(lambda: len(workers(process)) == 2 and (while_loading or generated(folder) > 0), process)
    children = workers(process)
    assert len(children) == 2
    os.kill(process.pid, number)
    process.communicate(timeout=PATIENCE_SECONDS)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and any(map(is_alive, children)):
        time.sleep(0.1)
    assert not any(map(is_alive, children))
