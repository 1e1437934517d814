"""Runs on two processes whose workers are killed: the same results as one process, now or after the same command."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import psutil
import pytest

from tests.processes import PATIENCE_SECONDS, events, finish, outcome, start, until

pytestmark = pytest.mark.long

TASKS = ("imdb", "iwslt2017", "commongen")
ROWS = 24
KINDS = {
    "greedy": ("-m", "demo:causal", "--decoding", "greedy"),
    "sampled": ("-m", "demo:causal", "-g", "do_sample=true,temperature=0.8,num_beams=1", "--samples", "2"),
    "beams": ("-m", "demo:seq2seq", "-g", "do_sample=false,num_beams=3"),
}


def command(folder: Path, *where: str, kind: str = "greedy") -> list[str]:
    rows = ["-t", ",".join(TASKS), "--data", "mini", "-L", str(ROWS), "-b", "4", "--no-model-metrics", "--quiet"]
    return ["eval", *rows, *KINDS[kind], *where, "-o", str(folder)]


def generated(folder: Path) -> int:
    return sum(event["generations"] for event in events(folder, "generated"))


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
        finish(*command(folder, "--device", "cpu", kind=kind))
        return folder

    return run


@pytest.mark.parametrize("kind", KINDS)
def test_two_devices_give_the_results_of_one_although_a_worker_is_killed(whole, tmp_path, kind):
    folder = tmp_path / "run"
    rng = random.Random(kind)
    process = start(*command(folder, "--devices", "cpu,cpu", kind=kind))
    wanted = rng.randrange(1, 36)
    until(lambda: generated(folder) >= wanted, process)
    assert process.poll() is None, process.communicate()
    kill(rng.choice(workers(process)))
    _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, err
    assert [event["reason"] for event in events(folder, "worker_lost")] == ["its process was ended by SIGKILL"]
    assert outcome(folder) == outcome(whole(kind))


def test_all_workers_killed_again_and_again_leave_a_partial_run_that_one_device_finishes(whole, tmp_path):
    folder = tmp_path / "run"
    process = start(*command(folder, "--devices", "cpu,cpu"))
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
    finish(*command(folder, "--device", "cpu"))
    assert outcome(folder) == outcome(whole("greedy"))
    # What was kept was not made again.
    assert generated(folder) == len(TASKS) * ROWS


def test_a_run_begun_on_one_device_goes_on_with_two_and_three(whole, tmp_path):
    folder = tmp_path / "run"
    for where, wanted in ((("--device", "cpu"), 8), (("--devices", "cpu,cpu,cpu"), 40)):
        process = start(*command(folder, *where, kind="sampled"))
        until(lambda wanted=wanted: generated(folder) >= wanted, process)
        children = workers(process)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 130, err
        assert "Traceback" not in err
        assert not any(map(is_alive, children))
    finish(*command(folder, "--devices", "cpu,cpu", "-b", "7", kind="sampled"))
    assert outcome(folder) == outcome(whole("sampled"))


@pytest.mark.parametrize(
    ("number", "while_loading"), [(signal.SIGKILL, True), (signal.SIGKILL, False), (signal.SIGTERM, True)]
)
def test_no_worker_outlives_the_command(tmp_path, number, while_loading):
    folder = tmp_path / "run"
    process = start(*command(folder, "--devices", "cpu,cpu"))
    until(lambda: len(workers(process)) == 2 and (while_loading or generated(folder) > 0), process)
    children = workers(process)
    assert len(children) == 2
    os.kill(process.pid, number)
    process.communicate(timeout=PATIENCE_SECONDS)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and any(map(is_alive, children)):
        time.sleep(0.1)
    assert not any(map(is_alive, children))
