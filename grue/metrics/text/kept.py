"""What was made of words that come again and again, kept; what is long is made anew, so that no text fills memory."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

T = TypeVar("T")
LONGEST_WORD = 64


def kept(size: int, *, longest: int = LONGEST_WORD) -> Callable[[Callable[[str], T]], Callable[[str], T]]:
    """A decorator that keeps the last results of a function of a text.

    Args:
        size: How many results are kept.
        longest: Characters of a text whose result is kept.
    """

    def decorate(function: Callable[[str], T]) -> Callable[[str], T]:
        cached = lru_cache(maxsize=size)(function)

        @wraps(function)
        def call(text: str) -> T:
            return cached(text) if len(text) <= longest else function(text)

        return call

    return decorate
