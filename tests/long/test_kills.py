"""Real processes killed at random moments, again and again, greedy and sampled, until the run is finished."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

pytestmark = pytest.mark.long

PROGRAM = "from grue.cli.main import main; main()"
PATIENCE_SECONDS = 300
TASKS = ("imdb", "daily_dialog", "iwslt2017")
KINDS = {"greedy": ("--decoding", "greedy"), "sampled": ("-g", "do_sample=true,temperature=0.8", "--samples", "2")}


def command(kind: str, folder: Path) -> list[str]:
    rows = ["-t", ",".join(TASKS), "--data", "mini", "-L", "32", "-b", "4", "--quiet"]
    return ["eval", "-m", "demo:causal", *rows, *KINDS[kind], "-o", str(folder)]


def start(arguments: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        start_new_session=True,
        # Where the tests run in the background, a shell has made them ignore interrupts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def finish(arguments: list[str]) -> None:
    process = start(arguments)
    _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, err


def outcome(folder: Path) -> tuple[dict, dict]:
    """Results without times and costs, and all generations."""
    document = json.loads((folder / "results.json").read_text())
    for key in ("run_id", "checksum"):
        document.pop(key)
    document["files"].pop("manifest.json")
    for task in document["tasks"].values():
        task.pop("cost")
    return document, {task: pq.read_table(folder / "samples" / f"{task}.parquet").to_pylist() for task in TASKS}


def stored_keys(folder: Path) -> list[tuple[str, str, int]]:
    keys = []
    for path in sorted(folder.glob("samples/*.partial.jsonl")):
        for line in path.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n"):
                value = json.loads(line)
                keys.append((path.name, value["id"], value["sample"]))
    return keys


@pytest.fixture(scope="module", params=sorted(KINDS))
def undisturbed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp(request.param) / "run"
    finish(command(request.param, folder))
    return request.param, folder


@pytest.mark.parametrize("round_number", range(5))
def test_kill_at_a_random_moment_then_the_same_command(undisturbed, tmp_path, round_number):
    """Each round is killed twice, somewhere between the start and the last row, and then left alone."""
    kind, whole = undisturbed
    rng = random.Random(f"{kind} {round_number}")
    folder = tmp_path / "run"
    total = len(TASKS) * 32 * (2 if kind == "sampled" else 1)
    for _ in range(2):
        before = set(stored_keys(folder)) if folder.exists() else set()
        process = start(command(kind, folder))
        wanted = len(before) + rng.randrange(0, max(1, (total - len(before)) // 2))
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and process.poll() is None and len(stored_keys(folder)) < wanted:
            time.sleep(0.02)
        time.sleep(rng.uniform(0, 0.3))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        after = stored_keys(folder)
        assert before <= set(after) or (folder / "results.json").exists()
        assert not [key for key, count in Counter(after).items() if count > 1]
    finish(command(kind, folder))
    assert outcome(folder) == outcome(whole)


def test_interrupt_from_the_keyboard_stores_and_goes_on(undisturbed, tmp_path):
    """Ctrl-C reaches the whole process group, the scoring process with it."""
    kind, whole = undisturbed
    folder = tmp_path / "run"
    process = start(command(kind, folder))
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None and len(stored_keys(folder)) < 8:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130
    assert "To go on where it stopped: grue" in err
    assert "Traceback" not in err
    assert len(stored_keys(folder)) >= 8
    finish(command(kind, folder))
    assert outcome(folder) == outcome(whole)
