"""The web server around the application: connections that send no whole head are closed, and it stops in good order."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from grue.core.errors import UsageError

_HEAD_SECONDS = 20.0
_HEAD_BYTES = 64 * 1024
_IDLE_SECONDS = 30
_GRACE_SECONDS = 30
_BACKLOG = 512


class BoundedHttp(HttpToolsProtocol):
    """HTTP/1.1 with bounds on the head of a request, in bytes and in time, which uvicorn has not."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._in_head = True
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = self.loop.call_later(_HEAD_SECONDS, self._too_late)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what comes before the head is whole."""
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > _HEAD_BYTES:
            self._answer_and_close(b"431 Request Header Fields Too Large")

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._in_head = True
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(_HEAD_SECONDS, self._too_late)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head, self._head_bytes = False, 0
        self._stop_timer()
        super().on_headers_complete()

    def _too_late(self) -> None:
        self._head_timer = None
        self._answer_and_close(b"408 Request Timeout")

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _answer_and_close(self, status: bytes) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 " + status + b"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
            self.transport.close()


def listen(host: str, port: int) -> socket.socket:
    """A socket that is bound, so that nobody else can take the port; port 0 takes a free one.

    Raises:
        UsageError: where the address cannot be had.
    """
    listener = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        if listener is not None:
            listener.close()
        raise UsageError(
            f"{host}:{port} cannot be listened on: {error.strerror or error}.",
            "Choose another with --port or --host, or stop what listens there.",
        ) from error
    return listener


class _Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config, on_start: Callable[[], object] | None) -> None:
        super().__init__(config)
        self._on_start = on_start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        if self.started and self._on_start is not None:
            self._on_start()


def server_of(app: FastAPI, on_start: Callable[[], object] | None = None) -> uvicorn.Server:
    """The server of an application; it logs by the settings of the process and knows no proxy but those of the app.

    Args:
        app: The application.
        on_start: Called when it listens.
    """
    settings: dict[str, Any] = {
        "loop": "uvloop",
        "http": BoundedHttp,
        "ws": "none",
        "lifespan": "off",
        "access_log": False,
        "log_config": None,
        "proxy_headers": False,
        "server_header": False,
        "timeout_keep_alive": _IDLE_SECONDS,
        "timeout_graceful_shutdown": _GRACE_SECONDS,
        "backlog": _BACKLOG,
    }
    return _Server(uvicorn.Config(app, **settings), on_start)
