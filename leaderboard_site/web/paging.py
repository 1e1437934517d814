"""Lists by cursor: where the next page begins, as a word that only we read."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from leaderboard_site.web.errors import ProblemError

MOST_ROWS = 1000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """Some of a list; ``next_cursor`` is ``None`` at its end."""

    rows: Sequence[T]
    next_cursor: str | None


def part_of(rows: Sequence[T], key: Callable[[T], str], cursor: str | None, limit: int) -> Part[T]:
    """The rows after a cursor.

    A list may change between two pages: then the row before the cursor is looked for, and if it is gone, its number
    counts.

    Raises:
        ProblemError: 422 for a cursor that is none.
    """
    start = 0
    if cursor is not None:
        number, last = read_cursor(cursor)
        found = next((index for index, row in enumerate(rows) if key(row) == last), None)
        start = min(number, len(rows)) if found is None else found + 1
    stop = start + limit
    part = rows[start:stop]
    return Part(part, write_cursor(stop, key(part[-1])) if stop < len(rows) and part else None)


def write_cursor(number: int, last: str) -> str:
    """A cursor after so many rows, of which ``last`` is the last one's key."""
    return base64.urlsafe_b64encode(f"{number}:{last}".encode()).decode().rstrip("=")


def read_cursor(text: str) -> tuple[int, str]:
    """Number of rows before, and key of the last of them.

    Raises:
        ProblemError: 422 for a cursor that is none.
    """
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        number, _, last = base64.b64decode(padded, altchars=b"-_", validate=True).decode().partition(":")
        if not (number.isascii() and number.isdigit() and len(number) < 10):
            raise ValueError(number)
        return int(number), last
    except (binascii.Error, ValueError):
        raise ProblemError(422, "", "cursor: take 'next_cursor' of the page before.") from None
