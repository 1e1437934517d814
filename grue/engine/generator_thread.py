"""A generator that runs in a thread of its own, so that what is done with its values does not hold it up."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextvars import copy_context
from typing import Generic, TypeVar

T = TypeVar("T")


class _Done:
    """The generator's end, with what it raised."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class GeneratorThread(Generic[T]):
    """Values of a generator as they come, all that are there at a time.

    Args:
        make: Called in the thread; makes the generator. It is given a function that says whether to stop.
        pause_seconds: Values that come within so long after the first one taken are handed out together.
    """

    def __init__(self, make: Callable[[Callable[[], bool]], Iterator[T]], *, pause_seconds: float = 0.0) -> None:
        self._make = make
        self._pause = pause_seconds
        self._queue: queue.SimpleQueue[T | _Done] = queue.SimpleQueue()
        self._stopping = threading.Event()

    def __iter__(self) -> Iterator[list[T]]:
        """Lists of values, none empty; what the generator raises is raised after the values before it."""
        thread = threading.Thread(target=copy_context().run, args=(self._run,), name="grue-decoding", daemon=True)
        thread.start()
        try:
            pause, done = 0.0, None
            while done is None:
                values: list[T] = []
                found = self._queue.get()
                until = threading.Event()
                while True:
                    if isinstance(found, _Done):
                        done = found
                        break
                    values.append(found)
                    if pause:
                        until.wait(pause)
                        pause = 0.0
                    try:
                        found = self._queue.get_nowait()
                    except queue.Empty:
                        break
                if values:
                    yield values
                pause = self._pause
            if done.error is not None:
                raise done.error
        finally:
            self._stopping.set()
            thread.join()

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            for value in self._make(self._stopping.is_set):
                self._queue.put(value)
        except BaseException as problem:  # noqa: BLE001 - it is raised where the values are taken
            error = problem
        self._queue.put(_Done(error))
