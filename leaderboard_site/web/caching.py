"""Rendered pages as they are sent, kept by what they depend on; found before any route runs."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from operator import itemgetter
from urllib.parse import parse_qsl, urlencode

from starlette.types import Scope

from leaderboard_site.web.compression import Body, encoded

_MOST_BYTES = 128 * 1024 * 1024
_MOST_ADDRESS = 2048
_MOST_FIELDS = 200


@dataclass(frozen=True, slots=True)
class Key:
    """What a page depends on: the version of the board, its address, and whether somebody is signed in."""

    version: str
    address: str
    is_signed_in: bool


@dataclass(slots=True)
class Stored:
    """A page with its bodies, each made when it is first asked for."""

    content_type: str
    content: bytes
    bodies: dict[str, Body]

    def body(self, encoding: str) -> Body:
        """The body in an encoding."""
        if encoding not in self.bodies:
            self.bodies[encoding] = encoded(self.content, encoding)
        return self.bodies[encoding]

    @property
    def n_bytes(self) -> int:
        """Memory that it takes at most."""
        return 2 * len(self.content) + 1024


class PageCache:
    """Pages of the newest version, the least recently asked for dropped first.

    Args:
        most_bytes: Of all pages together.
    """

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most = most_bytes
        self._pages: OrderedDict[Key, Stored] = OrderedDict()
        self._n_bytes = 0
        self._lock = threading.Lock()

    def get(self, key: Key) -> Stored | None:
        """The page, or ``None``."""
        with self._lock:
            found = self._pages.get(key)
            if found is not None:
                self._pages.move_to_end(key)
            return found

    def put(self, key: Key, content: bytes, content_type: str) -> Stored:
        """Keep a page; pages of other versions go when room is needed, as nobody asks for them again."""
        stored = Stored(content_type, content, {})
        with self._lock:
            if len(key.address) > _MOST_ADDRESS or stored.n_bytes > self._most:
                return stored
            old = self._pages.pop(key, None)
            self._n_bytes += stored.n_bytes - (old.n_bytes if old else 0)
            self._pages[key] = stored
            while self._n_bytes > self._most:
                _, dropped = self._pages.popitem(last=False)
                self._n_bytes -= dropped.n_bytes
        return stored


def address_of(scope: Scope) -> str:
    """Path and query; the order of different names in a query does not matter, so one page has one address."""
    query: bytes = scope["query_string"]
    if not query:
        return str(scope["path"])
    try:
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return f"{scope['path']}?{query.decode('latin-1')}"
    return f"{scope['path']}?{urlencode(sorted(pairs, key=itemgetter(0)))}"


def kept_headers(body: Body, *, is_signed_in: bool) -> dict[str, str]:
    """Headers of a page that may be kept: by browsers too, which ask each time whether it still holds."""
    return headers_of(body, "private, no-cache" if is_signed_in else "no-cache") | {"ETag": body.etag}


def headers_of(body: Body, cache_control: str) -> dict[str, str]:
    """How a body is packed, how long it holds, and on what of a request it depends."""
    headers = {"Cache-Control": cache_control, "Vary": "Accept-Encoding, Cookie, Authorization"}
    return headers | ({"Content-Encoding": body.encoding} if body.encoding else {})


def is_known(if_none_match: str, etag: str) -> bool:
    """Whether the client has these very bytes; a weak tag is compared without its mark."""
    known = [one.strip().removeprefix("W/") for one in if_none_match.split(",")]
    return etag in known or known == ["*"]
