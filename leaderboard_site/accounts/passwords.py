"""Passwords, hashed with argon2id; a check takes as long for a name that nobody has."""

from __future__ import annotations

import secrets
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from grue.core.errors import GrueError, UsageError

LEAST_CHARACTERS: Final = 8
MOST_CHARACTERS: Final = 200
# OWASP's parameters for servers; several checks at once stay small beside the board itself.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_AT_ONCE = threading.BoundedSemaphore(4)
# Those at work and those that wait for them; the web process has 40 threads for everything.
_MOST = threading.BoundedSemaphore(16)


class BusyError(GrueError):
    """So many passwords are being checked that others would wait for this one."""


def hash_password(text: str) -> str:
    """The hash that the store keeps.

    Raises:
        UsageError: for a password that is too short or too long.
        BusyError: where too many wait already.
    """
    if not LEAST_CHARACTERS <= len(text) <= MOST_CHARACTERS:
        raise UsageError(
            f"A password has {LEAST_CHARACTERS} to {MOST_CHARACTERS} characters; this one has {len(text)}.",
            "Choose another one: a few words are good.",
        )
    with _turn():
        return _HASHER.hash(_plain(text))


def check_password(kept: str | None, text: str) -> bool:
    """Whether a password is the one that was hashed.

    Args:
        kept: The hash; ``None`` where there is no such account, or it has no password: the work is done all the same.
        text: What was typed.

    Raises:
        BusyError: where too many wait already.
    """
    with _turn():
        try:
            return _HASHER.verify(kept or _nobodys(), _plain(text[: MOST_CHARACTERS + 1])) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


def prepare() -> None:
    """Do what the first check would have to, so that it takes no longer than the others."""
    _nobodys()


@contextmanager
def _turn() -> Iterator[None]:
    if not _MOST.acquire(blocking=False):
        raise BusyError("Too many people sign in at this moment.", "Try again in a few seconds.")
    try:
        with _AT_ONCE:
            yield
    finally:
        _MOST.release()


def _plain(text: str) -> str:
    # The same letters from two keyboards are the same password.
    return unicodedata.normalize("NFKC", text)


@cache
def _nobodys() -> str:
    return _HASHER.hash(secrets.token_urlsafe(32))
