"""A run that is killed goes on with other batches, budgets, devices and workers, to an undisturbed run's results."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

pytestmark = pytest.mark.long

PROGRAM = "from grue.cli.main import main; main()"
# Storing takes its time, so that a kill meets a run between its first row and its last.
SLOW = """
import time
from grue.runs.directory import RunDirectory

append = RunDirectory.append


def slow(self, task, generations):
    append(self, task, generations)
    if list(generations):
        time.sleep(1)


RunDirectory.append = slow
from grue.cli.main import main
main()
"""
PATIENCE_SECONDS = 600
TASKS = ("imdb", "daily_dialog", "iwslt2017")
KINDS = {
    "greedy": ("-m", "demo:causal", "--decoding", "greedy"),
    "beams": ("-m", "demo:seq2seq", "-g", "num_beams=3,do_sample=false"),
    "sampled": ("-m", "demo:causal", "-g", "do_sample=true,temperature=0.8,num_beams=1", "--samples", "2"),
}
RAY = [("--cluster", "ray", "--workers", "2")] if importlib.util.find_spec("ray") else []
WAYS = [
    ("-b", "1"),
    ("-b", "4"),
    ("-b", "64"),
    ("--batch-tokens", "300"),
    ("--deterministic",),
    ("--devices", "cpu,cpu"),
    *RAY,
]


def start(program: str, kind: str, way: tuple[str, ...], folder: Path) -> subprocess.Popen[str]:
    rows = ["-t", ",".join(TASKS), "--data", "mini", "-L", "24", "--quiet", "--no-model-metrics"]
    return subprocess.Popen(
        [sys.executable, "-c", program, "eval", *KINDS[kind], *rows, *way, "-o", str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        start_new_session=True,
    )


def finish(kind: str, way: tuple[str, ...], folder: Path) -> None:
    process = start(PROGRAM, kind, way, folder)
    _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, err


def stored(folder: Path) -> set[tuple[str, str, int]]:
    keys = set()
    for path in folder.glob("samples/*.partial.jsonl"):
        for line in path.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n"):
                value = json.loads(line)
                keys.add((path.name, value["id"], value["sample"]))
    return keys


def kill_midway(kind: str, way: tuple[str, ...], folder: Path) -> None:
    """Start, and kill -9 as soon as rows are stored that were not there before."""
    before = stored(folder)
    process = start(SLOW, kind, way, folder)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None and stored(folder) <= before:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait(PATIENCE_SECONDS)
    # Not read to its end: workers that outlive their parent for a moment hold it open.
    process.stderr.close()
    assert process.returncode == -signal.SIGKILL
    assert before < stored(folder)


def outcome(folder: Path) -> tuple[dict, dict]:
    """Results without times and costs, and all generations."""
    document = json.loads((folder / "results.json").read_text())
    for key in ("run_id", "checksum"):
        document.pop(key)
    document["files"].pop("manifest.json")
    for task in document["tasks"].values():
        task.pop("cost")
    return document, {task: pq.read_table(folder / "samples" / f"{task}.parquet").to_pylist() for task in TASKS}


@pytest.fixture(scope="module", params=sorted(KINDS))
def undisturbed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp(request.param) / "run"
    finish(request.param, (), folder)
    return request.param, folder


@pytest.mark.parametrize("round_number", range(2))
def test_a_run_goes_on_another_way_after_each_kill(undisturbed, tmp_path, round_number):
    """Killed twice, each start with settings of its own, in an order of this round."""
    kind, whole = undisturbed
    ways = random.Random(f"{kind} {round_number}").sample(WAYS, 3)
    folder = tmp_path / "run"
    kill_midway(kind, ways[0], folder)
    first = json.loads((folder / "manifest.json").read_text())
    kill_midway(kind, ways[1], folder)
    kept = stored(folder)
    finish(kind, ways[2], folder)
    assert outcome(folder) == outcome(whole), ways
    assert json.loads((folder / "manifest.json").read_text()) == first
    starts = [
        event
        for event in map(json.loads, (folder / "events.jsonl").read_text().splitlines())
        if event["kind"] == "started"
    ]
    assert [event["stored"] for event in starts][-1] == len(kept)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: "_".join(way).strip("-"))
def test_every_way_takes_over_what_plain_batches_left(tmp_path, way, plain):
    folder = tmp_path / "run"
    kill_midway("greedy", (), folder)
    finish("greedy", way, folder)
    assert outcome(folder) == plain


def batches_of(folder: Path) -> set[tuple[str, tuple[str, ...]]]:
    events = map(json.loads, (folder / "events.jsonl").read_text().splitlines())
    return {(event["task"], tuple(event["rows"])) for event in events if event["kind"] == "fixed_batch"}


def test_fixed_batches_give_the_same_bits_after_a_kill(tmp_path):
    """In bfloat16, where a text may turn with the rows beside it."""
    way = ("--deterministic", "--dtype", "bfloat16", "--decoding", "task")
    finish("sampled", way, tmp_path / "whole")
    kill_midway("sampled", way, tmp_path / "run")
    finish("sampled", way, tmp_path / "run")
    assert outcome(tmp_path / "run") == outcome(tmp_path / "whole")
    assert batches_of(tmp_path / "run") == batches_of(tmp_path / "whole") != set()


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, dict]:
    folder = tmp_path_factory.mktemp("plain") / "run"
    finish("greedy", (), folder)
    return outcome(folder)
