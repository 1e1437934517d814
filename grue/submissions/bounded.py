"""Reads what strangers send in a process of its own, with bounds on memory, time and files.

Its address space is bounded before it opens anything, so that a bomb or a fault in a parser ends that process and
nothing else; it has no environment, so no credentials.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from grue.core.text import Json

_MEBIBYTE = 1 << 20
# Together they may take what they may: more wait for their turn.
_TURNS = threading.BoundedSemaphore(2)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the process may take.

    Attributes:
        memory_bytes: Address space; libraries and stacks take 360 MB of it.
        cpu_seconds: Time it computes.
        wall_seconds: Time it takes at all.
        file_bytes: The largest file it may write.
    """

    memory_bytes: int = 704 * _MEBIBYTE
    cpu_seconds: int = 120
    wall_seconds: int = 240
    file_bytes: int = 4096 * _MEBIBYTE


def in_child(reader: str, request: Mapping[str, Json], bounds: Bounds) -> dict[str, Any] | None:
    """The answer of a reader of ``grue.submissions.child``; ``None`` where it did not end well within its bounds."""
    asked = {"bounds": asdict(bounds), "request": request}
    with _TURNS:
        try:
            done = subprocess.run(
                [sys.executable, "-P", "-m", "grue.submissions.child", reader],
                input=json.dumps(asked).encode(),
                env={
                    "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
                    "PYTHONDONTWRITEBYTECODE": "1",
                    "ARROW_DEFAULT_MEMORY_POOL": "system",
                    "OMP_NUM_THREADS": "1",
                },
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=bounds.wall_seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None
    if done.returncode != 0:
        return None
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None
