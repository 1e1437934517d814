"""``HEAD`` for every address that has ``GET``, and the last net below all routes."""

from __future__ import annotations

import traceback

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leaderboard_site.web import context
from leaderboard_site.web.errors import OURS, problem

_log = structlog.get_logger("grue.web")


class Heads:
    """Answers ``HEAD`` as ``GET`` without its body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        is_done = False

        async def send_head(message: Message) -> None:
            nonlocal is_done
            if message["type"] == "http.response.start":
                await send(message)
            elif message["type"] == "http.response.body" and not is_done:
                is_done = True
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        async def receive_until_done() -> Message:
            # To a stream without end the client of a head is gone with the first line.
            return {"type": "http.disconnect"} if is_done else await receive()

        await self._app({**scope, "method": "GET"}, receive_until_done, send_head)


class Net:
    """Answers what no handler caught with 500 and the number of the request; logs the traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_started = False

        async def send_noting(message: Message) -> None:
            nonlocal is_started
            is_started = True
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        except ClientDisconnect:
            # Nobody is there to be answered.
            return
        except Exception as error:
            # As text: whoever formats the log must not look into the values of what failed.
            trace = "".join(traceback.format_exception(error))
            _log.error("request failed", request_id=context.request_id_of(scope), traceback=trace)
            if is_started:
                # The connection breaks off, so that half an answer is not taken for a whole one.
                raise
            await problem(500, "", OURS)(scope, receive, send)
