"""Bounds of what a client sends: bodies too large or too slow, heads without end, many connections."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from starlette.types import Message, Scope

from leaderboard_site.web import serving
from leaderboard_site.web.bodies import BodyBounds, Bounds
from leaderboard_site.web.caching import Key, PageCache
from leaderboard_site.web.errors import ProblemError
from leaderboard_site.web.prometheus import Meters
from tests.service.serving import Served

BOUNDS = Bounds(most_bytes={"/upload": 1000, "/upload/small": 10}, otherwise_bytes=100)


async def _read_all(scope: Scope, receive: Any, send: Any) -> None:
    size = 0
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    await send({"type": "read", "bytes": size})


def _sent(path: str, chunks: list[bytes], length: int | None = None, waits: float = 0.0, **changes: Any) -> int:
    """Bytes that an application reads of a body, at ``waits`` seconds a chunk by a clock of our own."""
    time, sent, pending = [0.0], [], iter(chunks)

    async def receive() -> Message:
        time[0] += waits
        chunk = next(pending, None)
        if chunk is None:
            await asyncio.sleep(3600)
        return {"type": "http.request", "body": chunk, "more_body": len(sent) + 1 <= len(chunks) and chunk != b"END"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [] if length is None else [(b"content-length", str(length).encode())]
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers}
    bounds = Bounds(**{name: getattr(BOUNDS, name) for name in BOUNDS.__slots__} | changes)
    asyncio.run(BodyBounds(_read_all, bounds=bounds, clock=lambda: time[0])(scope, receive, send))
    return int(sent[0]["bytes"])


@pytest.mark.parametrize(("path", "most"), [("/upload", 1000), ("/upload/small", 10), ("/uploads", 100), ("/", 100)])
def test_a_body_may_have_as_many_bytes_as_its_route_takes(path: str, most: int) -> None:
    assert _sent(path, [b"x" * (most - 3), b"END"]) == most
    with pytest.raises(ProblemError) as refused:
        _sent(path, [b"x" * (most - 2), b"END"])
    assert refused.value.status_code == 413
    with pytest.raises(ProblemError) as announced:
        _sent(path, [b"END"], length=most + 1)
    assert announced.value.status_code == 413


def test_a_silent_or_slow_body_is_given_up() -> None:
    with pytest.raises(ProblemError) as silent:
        _sent("/upload", [b"x"], silent_seconds=0.05)
    with pytest.raises(ProblemError) as slow:
        _sent("/upload", [b"x"] * 90 + [b"END"], waits=1.0, grace_seconds=60.0, least_rate=2.0)
    assert silent.value.status_code == slow.value.status_code == 408
    assert _sent("/upload", [b"xxx"] * 90 + [b"END"], waits=1.0, grace_seconds=60.0, least_rate=2.0) == 273


def test_a_large_body_is_refused_over_the_wire_and_the_connection_goes_on(board: Served) -> None:
    for content in (b"x" * 3_000_000, iter([b"x" * 100_000] * 30)):
        refused = board.client.post("/signin", content=content, headers={"Accept": "application/json"})
        assert refused.status_code in (413, 415, 422), refused.text
    assert board.get("/healthz").status_code == 200


@pytest.fixture
def quick_heads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "_HEAD_SECONDS", 0.3)


def _raw(served: Served) -> socket.socket:
    host, port = served.address.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=20)


def _rest(connection: socket.socket) -> bytes:
    found = b""
    while chunk := connection.recv(65536):
        found += chunk
    return found


@pytest.mark.usefixtures("quick_heads")
@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "])
def test_a_head_that_does_not_end_is_given_up(board: Served, begun: bytes) -> None:
    with _raw(board) as connection:
        connection.sendall(begun)
        assert _rest(connection).startswith(b"HTTP/1.1 408 ")


def test_a_head_too_large_is_refused(board: Served) -> None:
    with _raw(board) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Large: " + b"x" * 70_000)
        assert _rest(connection).startswith(b"HTTP/1.1 431 ")
    with _raw(board) as connection:
        connection.sendall(b"GET /" + b"x" * 70_000)
        assert _rest(connection).startswith(b"HTTP/1.1 4")


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /signin HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /signin HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_what_is_no_request_is_refused_without_harm(board: Served, sent: bytes) -> None:
    with _raw(board) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        assert not _rest(connection).startswith(b"HTTP/1.1 5")
    assert board.get("/healthz").status_code == 200


def test_an_absolute_path_and_odd_addresses_are_answered(board: Served) -> None:
    for path in ("/%00", "/%ff%fe", "/tasks/%2e%2e%2f", "/runs/" + "x" * 5000, "/?" + "a=1&" * 5000, "//example.org/"):
        found = board.get(path)
        assert found.status_code < 500, path
        assert "location" not in found.headers or found.headers["location"].startswith("/")


def test_many_idle_connections_leave_the_server_answering(board: Served) -> None:
    connections = [_raw(board) for _ in range(200)]
    try:
        assert board.get("/healthz").status_code == 200
    finally:
        for connection in connections:
            connection.close()


def test_routes_are_counted_by_their_pattern() -> None:
    meters = Meters()
    for number in range(1000):
        meters.answered({"type": "http", "method": f"X{number}", "path": f"/{number}", "state": {}}, 404, 0.1)
    assert len(next(iter(meters.registry.collect())).samples) == 2  # the count, and when it began


def test_the_cache_of_pages_is_bounded() -> None:
    pages = PageCache(most_bytes=10_000)
    for number in range(100):
        pages.put(Key("1", f"/{number}", False), b"x" * 1000, "text/html")
    kept = [number for number in range(100) if pages.get(Key("1", f"/{number}", False))]
    assert kept == [97, 98, 99]
    assert pages.put(Key("1", "/large", False), b"x" * 20_000, "text/html").content == b"x" * 20_000
    assert pages.get(Key("1", "/large", False)) is None
