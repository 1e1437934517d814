"""Bounds of what a client sends, checked while it comes: size by route, silence, mean rate."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leaderboard_site.numbers import bytes_
from leaderboard_site.web import context
from leaderboard_site.web.errors import ProblemError

_PLAIN_BYTES = 1 << 20
_SILENT_SECONDS = 30.0
_GRACE_SECONDS = 60.0
_LEAST_RATE = 1024  # bytes a second, over the whole body after the grace


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a body may be.

    Attributes:
        most_bytes: By the beginning of the path; the longest that fits counts.
        otherwise_bytes: For every other path.
        silent_seconds: Longest wait for the next bytes.
        grace_seconds: After so long the mean rate counts.
        least_rate: Bytes a second.
    """

    most_bytes: Mapping[str, int]
    otherwise_bytes: int = _PLAIN_BYTES
    silent_seconds: float = _SILENT_SECONDS
    grace_seconds: float = _GRACE_SECONDS
    least_rate: float = _LEAST_RATE

    def of(self, path: str) -> int:
        """The bound of a path."""
        fitting = [prefix for prefix in self.most_bytes if path == prefix or path.startswith(f"{prefix}/")]
        return self.most_bytes[max(fitting, key=len)] if fitting else self.otherwise_bytes


class BodyBounds:
    """Ends a request whose body is too large or comes too slowly; nothing of it is kept here."""

    def __init__(self, app: ASGIApp, *, bounds: Bounds, clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._bounds = bounds
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, its body counted."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        most, received, started, is_whole = self._bounds.of(scope["path"]), 0, self._clock(), False
        length = context.header_of(scope, b"content-length")
        announced = int(length[:19]) if length.isascii() and length.isdigit() else 0

        async def receive_bounded() -> Message:
            nonlocal received, is_whole
            if is_whole:
                # What comes now is that the client is gone, for which a stream may wait as long as it likes.
                return await receive()
            if announced > most:
                raise _too_large(most)
            try:
                async with asyncio.timeout(self._bounds.silent_seconds):
                    message = await receive()
            except TimeoutError:
                raise _too_slow() from None
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                is_whole = not message.get("more_body", False)
                if received > most:
                    raise _too_large(most)
                passed = self._clock() - started
                if passed > self._bounds.grace_seconds and received < passed * self._bounds.least_rate:
                    raise _too_slow()
            return message

        await self._app(scope, receive_bounded, send)


def _too_large(most: int) -> ProblemError:
    return ProblemError(413, "", f"At most {bytes_(most)} may be sent here.", limit_bytes=most)


def _too_slow() -> ProblemError:
    # The rest of the body may still come; nobody reads it as another request.
    return ProblemError(408, "", "Send it again over a faster connection.", {"Connection": "close"})
