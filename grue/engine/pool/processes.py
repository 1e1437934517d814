"""Workers as processes of this machine, each a fresh interpreter with its own device."""

from __future__ import annotations

import os
import pickle
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from grue.checkpoints.device import available_cores
from grue.engine.pool.messages import Lost, Opening, Order, Tell

PROGRAM = "import sys; sys.path[:] = {path!r}; from grue.engine.pool.child import main; main()"
STOP_SECONDS = 5.0


class Processes:
    """One process a device.

    Args:
        opening: Tells what each loads, asked when one is started; its device is replaced by the process's own.
        devices: A device a process; one may be named several times.

    Attributes:
        names: The devices, numbered where one is named several times.
    """

    def __init__(self, opening: Callable[[], Opening], devices: Sequence[str]) -> None:
        self._opening = opening
        self._devices = tuple(devices)
        self.names: Sequence[str] = names_of(devices)

    @property
    def threads(self) -> int:
        """Threads of each process: they share the cores; ``OMP_NUM_THREADS`` wins."""
        asked = os.environ.get("OMP_NUM_THREADS", "").strip()
        if asked.isdigit():
            return int(asked)
        return max(1, available_cores() // len(self._devices))

    def start(self, index: int, tell: Tell) -> Process:
        """Start a process; see ``Transport``."""
        device = self._devices[index]
        opening = self._opening()
        opening = replace(opening, options=replace(opening.options, device=device))
        return Process(opening, tell, {"OMP_NUM_THREADS": str(self.threads)})

    def close(self) -> None:
        """Nothing is shared."""


def names_of(devices: Sequence[str]) -> tuple[str, ...]:
    """``("cpu", "cpu")`` -> ``("cpu/0", "cpu/1")``; devices named once keep their name."""
    counts, seen = Counter(devices), Counter[str]()
    names = []
    for device in devices:
        names.append(f"{device}/{seen[device]}" if counts[device] > 1 else device)
        seen[device] += 1
    return tuple(names)


class Process:
    """One life of a worker.

    It is started as a fresh interpreter, not by ``multiprocessing``, so that a caller's script is never run again
    in the child.
    """

    def __init__(self, opening: Opening, tell: Tell, environment: dict[str, str]) -> None:
        self._tell = tell
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - as long-lived as the process
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM.format(path=sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, **environment},
        )
        self._outbox: queue.SimpleQueue[Opening | Order | None] = queue.SimpleQueue()
        self._outbox.put(opening)
        self._is_stopped = False
        # Writing blocks while a stopped process does not read: the others must not wait for that.
        self._threads = [
            threading.Thread(target=target, name="grue-worker", daemon=True) for target in (self._write, self._read)
        ]
        for thread in self._threads:
            thread.start()

    def send(self, order: Order) -> None:
        """Pass an order on; see ``Handle``."""
        self._outbox.put(order)

    def stop(self) -> None:
        """Kill the process: it holds nothing that is worth a farewell."""
        if self._is_stopped:
            return
        self._is_stopped = True
        self._process.kill()
        self._process.wait()
        self._outbox.put(None)
        for thread in self._threads:
            thread.join(STOP_SECONDS)
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream is not None:
                with suppress(OSError):  # what was not sent is dropped
                    stream.close()

    def _write(self) -> None:
        sink = self._process.stdin
        try:
            while sink is not None and (order := self._outbox.get()) is not None:
                pickle.dump(order, sink)
                sink.flush()
        except (OSError, ValueError):
            return  # the process is gone; the reader tells

    def _read(self) -> None:
        source = self._process.stdout
        try:
            while source is not None:
                self._tell(pickle.load(source))  # noqa: S301 - our own child process
        except Exception:  # noqa: BLE001 - an answer cut short by the end of the process can raise anything
            code = self._process.wait()
            self._tell(Lost(f"its process {_ending(code)}{'' if self._is_stopped else self._last_words()}"))

    def _last_words(self) -> str:
        with suppress(OSError, ValueError):
            self._errors.seek(0)
            lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
            return f": {lines[-1]}" if lines else ""
        return ""


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
