"""Runs as processes of their own, which may be killed, and what they leave behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq

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


def start(*arguments: object, program: str = PROGRAM, **environment: str | None) -> subprocess.Popen[str]:
    """Start a command of grue in a process group of its own.

    Args:
        arguments: After ``grue``.
        program: What the interpreter runs.
        environment: Variables that are set, or taken away by ``None``.
    """
    whole = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", **environment}
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={name: value for name, value in whole.items() if value is not None},
        start_new_session=True,
        # Where the tests run in the background, a shell has made them ignore interrupts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def finish(*arguments: object, code: int = 0, **environment: str | None) -> str:
    """Run a command to its end, check its exit code and return what it said on standard error."""
    process = start(*arguments, **environment)
    _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == code, err
    return err


def until(is_so: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait for something, or the process's end."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None and not is_so():
        time.sleep(0.02)


def kill(process: subprocess.Popen[str]) -> None:
    """Kill a process that runs; its children are left to themselves."""
    process.send_signal(signal.SIGKILL)
    process.wait(PATIENCE_SECONDS)
    # Not read to its end: workers that outlive their parent for a moment hold it open.
    assert process.stderr is not None
    process.stderr.close()
    assert process.returncode == -signal.SIGKILL


def stored(folder: Path) -> list[tuple[str, str, int]]:
    """File, row and sample of every generation that is stored in a run under way, in order."""
    keys = []
    for path in sorted(folder.glob("samples/*.partial.jsonl")):
        for line in path.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n"):
                value = json.loads(line)
                keys.append((path.name, value["id"], value["sample"]))
    return keys


def events(folder: Path, kind: str) -> list[dict]:
    """Events of a kind, those of a run under way among them."""
    path = folder / "events.jsonl"
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [event for line in lines if line.endswith("\n") and (event := json.loads(line))["kind"] == kind]


def outcome(folder: Path) -> tuple[dict, dict]:
    """Results without times and costs, and all generations by task."""
    document = json.loads((folder / "results.json").read_text())
    for key in ("run_id", "checksum"):
        document.pop(key)
    document["files"].pop("manifest.json")
    for task in document["tasks"].values():
        task.pop("cost")
    rows = {task: pq.read_table(folder / "samples" / f"{task}.parquet").to_pylist() for task in document["tasks"]}
    return document, rows
