"""Runs the check of an upload in a process of its own: bounded in memory and time, a few at a time.

A hostile file can at worst end the process that reads it; the server answers on, and starts another.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import ParamSpec, TypeVar

from grue.core.errors import StoreError
from leaderboard_site.submitting.checks import begin, ready
from leaderboard_site.submitting.refusals import RefusalError

P = ParamSpec("P")
T = TypeVar("T")
PROCESSES = 2
WAITING = 64
SECONDS = 300.0


class Checks:
    """The processes that check, made when the first is needed.

    Args:
        processes: How many check at a time.
        waiting: How many more may wait.
        seconds: The longest that one may take.
    """

    def __init__(self, *, processes: int = PROCESSES, waiting: int = WAITING, seconds: float = SECONDS) -> None:
        self._processes = processes
        self._most = processes + waiting
        self._seconds = seconds
        self._pool: ProcessPoolExecutor | None = None
        self._lock = threading.Lock()
        self._slots: asyncio.Semaphore | None = None
        self._here = 0

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function of a module in one of the processes.

        Raises:
            RefusalError: 409 where the rows change just now, 422 where the file ended the process or took too long,
                429 where too many wait.
        """
        if self._here >= self._most:
            raise RefusalError(429, "Many uploads are being checked", "Try again in a few seconds.", retry_after=10)
        self._slots = self._slots or asyncio.Semaphore(self._processes)
        self._here += 1
        try:
            async with self._slots:
                return await self._one(function, *args, **kwargs)
        finally:
            self._here -= 1

    async def _one(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        # The death of a process breaks the pool for its neighbours too: they, and at worst the culprit, go again.
        for is_last in (False, True):
            pool = self._open()
            try:
                async with asyncio.timeout(self._seconds):
                    return await asyncio.wrap_future(pool.submit(function, *args, **kwargs))
            except TimeoutError:
                self._drop(pool)
                raise RefusalError(422, "The check took too long", "Send fewer tasks at a time.") from None
            except StoreError:
                raise being_published() from None
            except MemoryError:
                raise _too_big() from None
            except BrokenProcessPool:
                self._drop(pool)
                if is_last:
                    raise _too_big() from None
        raise AssertionError

    def warm(self) -> None:
        """Start the processes, so that the first upload need not wait for them."""
        for _ in range(self._processes):
            self._open().submit(ready)

    def close(self) -> None:
        """End the processes."""
        pool = self._pool
        if pool is not None:
            self._drop(pool)

    def _open(self) -> ProcessPoolExecutor:
        with self._lock:
            if self._pool is None:
                self._pool = ProcessPoolExecutor(
                    self._processes, mp_context=get_context("spawn"), initializer=begin, initargs=(os.getpid(),)
                )
            return self._pool

    def _drop(self, pool: ProcessPoolExecutor) -> None:
        with self._lock:
            if self._pool is pool:
                self._pool = None
        for process in list((pool._processes or {}).values()):
            process.kill()
        pool.shutdown(wait=False, cancel_futures=True)


def being_published() -> RefusalError:
    """The refusal of the moment in which a worker publishes the rows anew."""
    return RefusalError(409, "The rows are being published", "Try again in a few seconds.", retry_after=5)


def _too_big() -> RefusalError:
    return RefusalError(
        422, "The file cannot be checked", "It needs more memory than a check has. Send fewer tasks at a time."
    )
