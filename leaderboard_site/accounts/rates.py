"""How often an address or an account may ask: moving windows, kept in the memory of the web process."""

from __future__ import annotations

import ipaddress
import math
import time
from collections.abc import Mapping
from typing import Final

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.exceptions import HTTPException

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
SIGN_IN_MINUTES: Final = 5
# An office behind one address has more people than one account has passwords.
ADDRESS_SHARE: Final = 4
# The storage keeps an empty list for each address that was ever seen; beyond so many they are thrown away.
KEPT_KEYS: Final = 20_000


# Answered from memory: what the board itself is made of.
_FREE: Final = ("/api/v1/leaderboard", "/api/v1/tasks")


class TooManyRequests(HTTPException):
    """429 with ``Retry-After``."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        wait = f"{seconds} second{'' if seconds == 1 else 's'}"
        super().__init__(429, f"Too many requests. Try again in {wait}.", {"Retry-After": str(seconds)})


def counted_as(method: str, path: str) -> str | None:
    """What a request counts as: ``post`` where it changes something, ``api`` where much is read for it, or nothing.

    Much is read for the API, and for pages that show rows: they are put together from files and the database.
    """
    if method not in _SAFE_METHODS:
        return "post"
    shows_rows = path == "/compare" or (path.startswith("/runs/") and "/samples/" in path)
    is_api = path.startswith("/api/") and not path.startswith(_FREE)
    return "api" if is_api or shows_rows else None


class Rates:
    """The limits of one web process.

    Args:
        posts_per_minute: Requests that change something, of an address and of an account.
        api_per_minute: Calls of the JSON API and pages that show rows, of an address and of an account.
        sign_in_failures: Wrong passwords within five minutes for one name; an address may four times as many.
    """

    def __init__(self, *, posts_per_minute: int, api_per_minute: int, sign_in_failures: int) -> None:
        self._storage = MemoryStorage()
        self._windows = MovingWindowRateLimiter(self._storage)
        self._items: Mapping[str, RateLimitItem] = {
            "post": RateLimitItemPerMinute(posts_per_minute, namespace="post"),
            "api": RateLimitItemPerMinute(api_per_minute, namespace="api"),
            "sign-in name": RateLimitItemPerMinute(sign_in_failures, SIGN_IN_MINUTES, namespace="name"),
            "sign-in address": RateLimitItemPerMinute(
                sign_in_failures * ADDRESS_SHARE, SIGN_IN_MINUTES, namespace="address"
            ),
        }

    def wait_seconds(self, kind: str, key: str) -> int:
        """Count one request; 0 where it is within its limit, else after how many seconds the next will be."""
        item = self._items[kind]
        if self._windows.hit(item, key):
            self._forget()
            return 0
        return self._left(item, key)

    def hit(self, kind: str, key: str) -> None:
        """Count one request.

        Raises:
            TooManyRequests: beyond the limit.
        """
        if seconds := self.wait_seconds(kind, key):
            raise TooManyRequests(seconds)

    def check(self, kind: str, key: str) -> None:
        """Count nothing.

        Raises:
            TooManyRequests: where the limit is used up.
        """
        item = self._items[kind]
        if not self._windows.test(item, key):
            raise TooManyRequests(self._left(item, key))

    def _left(self, item: RateLimitItem, key: str) -> int:
        return max(1, math.ceil(self._windows.get_window_stats(item, key).reset_time - time.time()))

    def _forget(self) -> None:
        events = self._storage.events
        if len(events) > KEPT_KEYS:
            for key in [key for key, found in list(events.items()) if not found]:
                events.pop(key, None)


def address_key(host: str | None) -> str:
    """What an address is counted by: itself, or the network of 64 bits that one IPv6 customer has to himself."""
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:
        return host or "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
