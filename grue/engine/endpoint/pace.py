"""How many requests are under way at once: fewer when the server says that they are too many, more as it answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Pace:
    """A bound that halves at a rate limit and grows by one a round of answers, as TCP's does.

    Attributes:
        most: The bound that is never passed.
        limit: The bound now; its whole part counts.
        under_way: Requests that wait for their answer.
        peak: Most of them at once.
        refusals: Requests refused for their rate since the last answer.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = float(most)
        self.under_way = 0
        self.peak = 0
        self.refusals = 0
        self._resume_at = 0.0
        self._slowed_at = 0.0
        self._refused_since = 0.0
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[float]:
        """Wait for a turn and hold it; gives the time it began."""
        async with self._changed:
            while (pause := self._resume_at - time.monotonic()) > 0 or self.under_way >= int(self.limit):
                try:
                    async with asyncio.timeout(pause if pause > 0 else None):
                        await self._changed.wait()
                except TimeoutError:
                    continue
            self.under_way += 1
            self.peak = max(self.peak, self.under_way)
        try:
            yield time.monotonic()
        finally:
            async with self._changed:
                self.under_way -= 1
                self._changed.notify_all()

    def went_well(self) -> None:
        """One more was answered."""
        self.refusals = 0
        self.limit = min(float(self.most), self.limit + 1 / self.limit)

    def slow_down(self, sent_at: float, wait_seconds: float) -> bool:
        """A request was one too many: nothing is sent for a while, and then less at once.

        Args:
            sent_at: When that request was sent; those sent before the last slow-down tell nothing new.
            wait_seconds: How long nothing is sent.

        Returns:
            Whether the bound fell.
        """
        now = time.monotonic()
        self._refused_since = self._refused_since if self.refusals else now
        self.refusals += 1
        self._resume_at = max(self._resume_at, now + wait_seconds)
        if sent_at < self._slowed_at:
            return False
        self._slowed_at = now
        before, self.limit = self.limit, max(1.0, self.limit / 2)
        return self.limit < before

    def refused_seconds(self) -> float:
        """For how long there were refusals and no answer."""
        return time.monotonic() - self._refused_since if self.refusals else 0.0
