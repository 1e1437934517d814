"""Asynchronous work in a thread of its own: it goes on while results are stored, and ends when nobody wants more."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from typing import Any, Generic, TypeVar

T = TypeVar("T")
END_SECONDS = 5.0


class CoroutineThread(Generic[T]):
    """Runs one coroutine; it needs no event loop of the caller and disturbs none.

    The thread is a daemon: an interpreter that ends does not wait for an answer that is under way.
    """

    def __init__(self, main: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._main = main
        self._future: Future[T] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[T] | None = None
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="grue-endpoint", daemon=True)
        self._thread.start()
        self._started.wait()

    def result(self) -> T:
        """What the coroutine returns; raises what it raises. Ctrl-C ends the wait and the work."""
        try:
            return self._future.result()
        finally:
            self.stop()

    def stop(self) -> None:
        """Cancel what still runs."""
        if self._loop is not None and self._task is not None and not self._future.done():
            with suppress(RuntimeError):  # it ended by itself meanwhile
                self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(END_SECONDS)

    def _run(self) -> None:
        try:
            self._future.set_result(asyncio.run(self._watched()))
        except asyncio.CancelledError:
            self._future.set_exception(CancelledError())
        except BaseException as error:  # noqa: BLE001 - whoever waits for the result gets it
            self._future.set_exception(error)

    async def _watched(self) -> T:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(self._main())
        self._started.set()
        return await self._task
