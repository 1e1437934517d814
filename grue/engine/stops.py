"""Stop strings, looked for only where a new token can end one."""

from __future__ import annotations

from collections.abc import Callable, Sequence


class Stops:
    """Whether a row's text holds a stop string.

    Args:
        stop: The strings.
        text_of: Token ids -> their text.
    """

    def __init__(self, stop: Sequence[str], text_of: Callable[[Sequence[int]], str]) -> None:
        self._stop = tuple(mark for mark in stop if mark)
        self._last = {mark[-1] for mark in self._stop}
        self._text_of = text_of
        self._ends: dict[int, bool] = {}

    def met(self, ids: Sequence[int]) -> bool:
        """Whether the text holds one, given that it held none before its last token."""
        return bool(self._stop) and self._can_end(ids[-1]) and cut_at_stop(self._text_of(ids), self._stop) is not None

    def _can_end(self, token: int) -> bool:
        known = self._ends.get(token)
        if known is None:
            text = self._text_of([token])
            # A piece of a character, or nothing by itself, may be any character with its neighbours.
            known = not text or "\N{REPLACEMENT CHARACTER}" in text or not self._last.isdisjoint(text)
            self._ends[token] = known
        return known


def cut_at_stop(text: str, stop: Sequence[str]) -> str | None:
    """The text before the first stop string; ``None`` where there is none in it."""
    places = [place for mark in stop if mark and (place := text.find(mark)) >= 0]
    return text[: min(places)] if places else None
