"""Runs a contestant's command in a fresh process and says what it took."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SHOWN_CHARACTERS = 600


class ContestantFailedError(Exception):
    """A contestant's process ended with an error; its last lines are the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a process took, its children included.

    Attributes:
        began: Seconds since the epoch at its start.
        wall_seconds: From its start to its end.
        cpu_seconds: User and system time.
    """

    began: float
    wall_seconds: float
    cpu_seconds: float


def environment(threads: int, home: Path) -> dict[str, str]:
    """The same for every contestant: as many threads, no network; nothing that an earlier run of ours remembered."""
    count = str(threads)
    return {
        **os.environ,
        "OMP_NUM_THREADS": count,
        "MKL_NUM_THREADS": count,
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "GRUE_HOME": str(home),
        "NO_COLOR": "1",
    }


def run(command: Sequence[str], settings: Mapping[str, str], log: Path) -> Spent:
    """Run a command to its end.

    Raises:
        ContestantFailedError: where it ends with anything but 0.
    """
    with log.open("wb") as file:
        began, start = time.time(), time.perf_counter()
        process = subprocess.Popen(list(command), env=dict(settings), stdout=file, stderr=subprocess.STDOUT)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)  # wait4 took it from Popen
    if process.returncode:
        said = log.read_text(encoding="utf-8", errors="replace").strip()
        raise ContestantFailedError(f"exit code {process.returncode}: {said[-SHOWN_CHARACTERS:]}")
    return Spent(began=began, wall_seconds=wall, cpu_seconds=usage.ru_utime + usage.ru_stime)
