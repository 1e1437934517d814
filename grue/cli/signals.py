"""How a command ends that a user or the system interrupts."""

from __future__ import annotations

import shlex
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from grue.cli.output import print_error


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGTERM end what runs inside as Ctrl-C does, and say how to go on.

    What is stored is kept and helpers are stopped by whoever runs inside.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    except KeyboardInterrupt:
        again = shlex.join(sys.argv[1:])
        print_error("Interrupted.", f"What is stored is kept. To go on where it stopped: grue {again}")
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the shape of a handler
    raise KeyboardInterrupt
