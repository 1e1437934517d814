"""Runs a program of ours beside the worker: JSON lines in, JSON lines out, and an end that is certain."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from grue.core.text import Json

START = "import sys; sys.path[:] = {path!r}; from {module} import main; main({parent})"
TURN_SECONDS = 0.2
# A line is a message of ours; what is longer comes from a program that is not itself any more.
MAX_LINE_BYTES = 1 << 20
ERROR_BYTES = 4000
# What any of our programs may know of the worker's environment: no GRUE_…, no token, no address.
KEPT = (
    "PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "OMP_NUM_THREADS", "MKL_NUM_THREADS",
    "CUDA_VISIBLE_DEVICES", "CUDA_HOME", "NVIDIA_VISIBLE_DEVICES", "NLTK_DATA",
)  # fmt: skip


class Program:
    """A running program; it dies with the worker, and by ``kill`` with all that it started.

    Attributes:
        error_tail: The end of what it wrote to standard error, once it has ended.
    """

    def __init__(self, command: Sequence[str], *, environment: Mapping[str, str], folder: Path) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - as long-lived as the process
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd=folder,
            env=dict(environment),
            start_new_session=True,  # Ctrl-C is for the worker, which stops in good order
        )
        self._rest = b""
        self.error_tail = ""

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def send(self, document: Mapping[str, Json]) -> None:
        """Write a line to it; nothing happens where it has ended."""
        with suppress(OSError):
            stdin = self._process.stdin
            if stdin is not None:
                stdin.write(json.dumps(document).encode() + b"\n")
                stdin.flush()

    def messages(self, watch: Callable[[], None]) -> Iterator[Mapping[str, Any]]:
        """What it says, until it ends.

        Args:
            watch: Called several times a second; what it raises ends the reading.
        """
        stdout = self._process.stdout
        if stdout is None:
            return
        with selectors.DefaultSelector() as ready:
            ready.register(stdout, selectors.EVENT_READ)
            while True:
                while b"\n" in self._rest:
                    line, _, self._rest = self._rest.partition(b"\n")
                    if (message := _message(line)) is not None:
                        yield message
                watch()
                if ready.select(TURN_SECONDS):
                    piece = os.read(stdout.fileno(), 1 << 16)
                    if not piece:
                        return
                    self._rest += piece
                    if len(self._rest) > MAX_LINE_BYTES and b"\n" not in self._rest:
                        self._rest = b""

    def ended(self) -> int:
        """Wait for its end; its exit status, 128 and the signal's number where one ended it."""
        code = self._process.wait()
        return code if code >= 0 else 128 - code

    def kill(self) -> None:
        """End it and all of its process group now."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End it, and give back its pipes."""
        if self.is_alive:
            self.kill()
        with suppress(OSError, ValueError):
            self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - ERROR_BYTES))
            self.error_tail = self._errors.read().decode("utf-8", "replace").strip()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream is not None:
                with suppress(OSError):
                    stream.close()


def python(module: str, *, parent: int) -> list[str]:
    """The command that runs ``main`` of a module with this process's packages.

    Args:
        module: Its name.
        parent: Process id of whoever starts it; 0 where that is not to be seen by it.
    """
    path = [str(Path(entry).absolute()) for entry in sys.path]
    return [sys.executable, "-c", START.format(path=path, module=module, parent=parent)]


def clean_environment(**more: str) -> dict[str, str]:
    """What a program of ours is told of the worker's environment, and what it is told besides."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**kept, "PYTHONUTF8": "1", "TOKENIZERS_PARALLELISM": "false", **more}


def die_with_parent(parent: int) -> None:
    """Have the system end this process when the worker dies, however that happens.

    Args:
        parent: Process id of the worker: where it is not this process's parent any more, it died before this call.
            0 where it is not to be seen.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        # What stops a whole service stops its worker first, and that one ends this.
        signal.signal(number, signal.SIG_IGN)
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if parent and os.getppid() != parent:
            os._exit(1)


def answers() -> Callable[[Mapping[str, Json]], None]:
    """A function that says a line to the worker; all else that is printed goes to standard error from now on."""
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    def say(message: Mapping[str, Json]) -> None:
        sink.write(json.dumps(message).encode() + b"\n")
        sink.flush()

    return say


class Deadline:
    """A moment that a step may not pass."""

    def __init__(self, hours: float) -> None:
        self._end = time.monotonic() + hours * 3600

    @property
    def is_over(self) -> bool:
        """Whether it has passed."""
        return time.monotonic() > self._end


def _message(line: bytes) -> Mapping[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
