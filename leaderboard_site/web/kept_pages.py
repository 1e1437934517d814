"""Answers from memory, before any route runs: the page of this version, address and side of the sign-in.

Which version counts is asked once for all requests that wait for the answer, and only by questions put after a
request came: what was public before a request is on the page that it gets. A page that is missing is made once,
however many ask for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Generic, TypeVar

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leaderboard_site.boards import Boards
from leaderboard_site.render import Viewing
from leaderboard_site.web.caching import Key, PageCache, Stored, address_of, is_known, kept_headers
from leaderboard_site.web.compression import accepted
from leaderboard_site.web.context import header_of

T = TypeVar("T")
_OF_BOARD = ("/tasks", "/runs", "/cost", "/about", "/compare", "/feed.xml", "/api/v1/leaderboard", "/api/v1/tasks",
             "/api/v1/runs")  # fmt: skip


class Shared(Generic[T]):
    """One call in a thread for all who ask while another is under way.

    Args:
        call: What is asked.
        executor: Where.
    """

    def __init__(self, call: Callable[[], T], executor: Executor) -> None:
        self._call = call
        self._executor = executor
        self._running: asyncio.Task[T] | None = None
        self._next: asyncio.Task[T] | None = None

    async def ask(self) -> T:
        """The answer of a call that began after this."""
        if self._next is None:
            self._next = asyncio.create_task(self._after(self._running))
        # One who goes away takes the answer from nobody.
        return await asyncio.shield(self._next)

    async def _after(self, before: asyncio.Task[T] | None) -> T:
        if before is not None:
            await asyncio.wait([before])
        self._running, self._next = self._next, None
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._call)


class KeptPages:
    """Answers board pages from memory.

    Args:
        app: What makes them.
        pages: The memory.
        boards: The board.
        viewer_of: Who sends a request.
    """

    def __init__(
        self, app: ASGIApp, *, pages: PageCache, boards: Boards, viewer_of: Callable[[Request], Viewing]
    ) -> None:
        self._app = app
        self._pages = pages
        self._boards = boards
        self._viewer_of = viewer_of
        # Threads of their own: neither waits for requests that wait for it.
        self._version = Shared(boards.version, ThreadPoolExecutor(1, "grue-version"))
        self._renewed = Shared(boards.renew, ThreadPoolExecutor(1, "grue-board"))
        self._making: dict[Key, asyncio.Event] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or pass it on."""
        if scope["type"] != "http" or scope["method"] != "GET" or not is_of_board(scope["path"]):
            await self._app(scope, receive, send)
            return
        version = scope["state"]["board_version"] = await self._version.ask()
        is_signed_in = await self._is_signed_in(scope)
        key = Key(version, address_of(scope), bool(is_signed_in))
        if is_signed_in is None:
            await self._app(scope, receive, send)
            return
        if self._pages.get(key) is None and not self._boards.is_at(version):
            await self._renewed.ask()
        # Nothing is waited for between this look and the beginning of a page, so that one alone makes it.
        if self._pages.get(key) is None and key in self._making:
            await self._making[key].wait()
        if (stored := self._pages.get(key)) is not None:
            await _send(stored, scope, send, is_signed_in=is_signed_in)
            return
        await self._make(key, scope, receive, send)

    async def _make(self, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
        begun = self._making.setdefault(key, asyncio.Event())

        async def send_noting(message: Message) -> None:
            # The page is kept before its first line is sent; a page that is not kept is made by everybody anew.
            begun.set()
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        finally:
            begun.set()
            if self._making.get(key) is begun:
                del self._making[key]

    async def _is_signed_in(self, scope: Scope) -> bool | None:
        """``None`` for a token that is none, which the route refuses."""
        if not any(name in (b"cookie", b"authorization") for name, _ in scope["headers"]):
            return False
        viewer = await asyncio.to_thread(self._viewer_of, Request(scope))
        return None if viewer.has_bad_token else viewer.role != "anonymous"


def is_of_board(path: str) -> bool:
    """Whether what an address shows changes with the version of the board."""
    return path == "/" or any(path == prefix or path.startswith(f"{prefix}/") for prefix in _OF_BOARD)


async def _send(stored: Stored, scope: Scope, send: Send, *, is_signed_in: bool) -> None:
    scope["state"]["kept_as"] = "kept page"
    body = stored.body(accepted(header_of(scope, b"accept-encoding")))
    headers = kept_headers(body, is_signed_in=is_signed_in)
    is_same = is_known(header_of(scope, b"if-none-match"), body.etag)
    content = b"" if is_same else body.content
    if not is_same:
        headers |= {"Content-Type": stored.content_type, "Content-Length": str(len(content))}
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": 304 if is_same else 200, "headers": raw})
    await send({"type": "http.response.body", "body": content})
