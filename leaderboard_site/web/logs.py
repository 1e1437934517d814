"""Structured logs on standard error, one line an event: JSON or text, without secrets."""

from __future__ import annotations

import logging
import re
import secrets
import sys
import time
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leaderboard_site.accounts.paths import logged_path
from leaderboard_site.web import context
from leaderboard_site.web.prometheus import Meters

# Asked for every few seconds by machines.
_QUIET = ("/healthz", "/readyz", "/metrics")
_SECRET = re.compile(
    r"(?i)(grue_[A-Za-z0-9_-]{8})[A-Za-z0-9_-]+|(://[^:@/\s]*:)[^@\s]+(?=@)|((?:bearer|basic) )[A-Za-z0-9._~+/=-]+"
)
_FROM_CLIENT = re.compile(rb"[A-Za-z0-9-]{8,64}")
_log = structlog.get_logger("grue.request")


def configure(log_format: str) -> None:
    """Send the logs of this process to standard error, those of its libraries too.

    Args:
        log_format: ``json`` or ``text``.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        without_secrets,
    ]
    shown: Any = structlog.dev.ConsoleRenderer(colors=False)
    if log_format == "json":
        shown = structlog.processors.JSONRenderer(ensure_ascii=False)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, shown],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for name in ("grue", "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.INFO)


def without_secrets(_: object, __: str, event: Any) -> Any:
    """Blank out what looks like a token, a password in an address, or a sign-in."""
    return {key: _blanked(value) if isinstance(value, str) else value for key, value in event.items()}


def _blanked(text: str) -> str:
    return _SECRET.sub(lambda found: f"{found[1] or found[2] or found[3]}…", text)


class AccessLog:
    """Gives each request its number, and logs and counts how it was answered."""

    def __init__(self, app: ASGIApp, *, meters: Meters) -> None:
        self._app = app
        self._meters = meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, number, status, sent = time.perf_counter(), _number(scope), 0, 0
        scope.setdefault("state", {})["request_id"] = number
        context.enter(scope)

        async def send_numbered(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], (b"x-request-id", number.encode())]}
            elif message["type"] == "http.response.body":
                sent += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, send_numbered)
        finally:
            seconds = time.perf_counter() - started
            self._meters.answered(scope, status, seconds)
            _write(scope, number, status, sent, seconds)


def _number(scope: Scope) -> str:
    """That of a client or proxy where it sends one, so that its logs and ours can be laid side by side."""
    given = next((value for key, value in scope["headers"] if key == b"x-request-id"), b"")
    return given.decode() if _FROM_CLIENT.fullmatch(given) else secrets.token_hex(8)


def _write(scope: Scope, number: str, status: int, sent: int, seconds: float) -> None:
    path = scope["path"]
    if path in _QUIET and status < 400:
        return
    client = scope.get("client")
    # Never a query: it may hold what a sign-in hands back and forth, or what somebody searched for.
    _log.info(
        "request",
        request_id=number,
        method=scope["method"],
        path=logged_path(path),
        status=status or "broken off",
        milliseconds=round(1000 * seconds, 1),
        sent_bytes=sent,
        client=client[0] if client else "",
    )
