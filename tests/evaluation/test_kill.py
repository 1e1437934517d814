"""A real process, killed: the same command gives what an undisturbed run gives."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq

COMMAND = ("eval", "-m", "demo:causal", "-t", "imdb,iwslt2017", "--data", "mini", "-L", "24", "-b", "4", "--quiet")
PROGRAM = "from grue.cli.main import main; main()"
PATIENCE_SECONDS = 120


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        start_new_session=True,
    )


def wait_for_lines(path: Path, wanted: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if path.exists() and path.read_bytes().count(b"\n") >= wanted:
            return
        time.sleep(0.01)


def test_killed_run_goes_on_to_the_same_results_and_generates_no_stored_row_twice(grue, tmp_path, results):
    assert grue(*COMMAND, "-o", tmp_path / "whole").code == 0
    process = start(*COMMAND, "-o", str(tmp_path / "run"))
    partial = tmp_path / "run" / "samples" / "imdb.partial.jsonl"
    wait_for_lines(partial, 8, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "run" / "results.json").exists()
    stored = [json.loads(line)["id"] for line in partial.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
    assert 8 <= len(stored) < 24
    assert grue(*COMMAND, "-o", tmp_path / "run").code == 0
    assert results(tmp_path / "run") == results(tmp_path / "whole")
    for task in ("imdb", "iwslt2017"):
        name = f"samples/{task}.parquet"
        assert pq.read_table(tmp_path / "run" / name) == pq.read_table(tmp_path / "whole" / name)
    events = [json.loads(line) for line in (tmp_path / "run" / "events.jsonl").read_text().splitlines()]
    [*_, last] = [event for event in events if event["kind"] == "generation_started" and event["task"] == "imdb"]
    assert (last["stored"], last["missing"]) == (len(stored), 24 - len(stored))


def test_termination_ends_a_run_as_an_interrupt_does(tmp_path):
    process = start(*COMMAND, "-o", str(tmp_path / "run"))
    wait_for_lines(tmp_path / "run" / "samples" / "imdb.partial.jsonl", 4, process)
    process.terminate()
    _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130
    assert "Interrupted" in err
    assert "Traceback" not in err
    assert not (tmp_path / "run" / ".lock").exists()
