"""Greedy and sampled texts: a token a row and step, until each row ends by itself."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from grue.core.decoding import Decoding
from grue.engine.scores import NOT_NUMBERS
from grue.engine.slots.choose import Chooser
from grue.engine.slots.rows import Ended, Row
from grue.engine.stops import Stops
from grue.engine.token_ids import TokenIds


class TextWriter:
    """Writes one text a row.

    Attributes:
        lanes: Rows of keys and values that a text takes.
    """

    lanes = 1

    def __init__(self, chooser: Chooser, decoding: Decoding, tokens: TokenIds, stops: Stops) -> None:
        self._chooser, self._stops = chooser, stops
        self._ends = frozenset(tokens.ends)
        self._most = decoding.max_new_tokens

    def take(self, rows: Sequence[Row], logits: Any) -> list[tuple[Row, Ended]]:
        """Append a token to every row.

        Returns:
            The rows that are done, by their end or by a fault.
        """
        done = []
        now = time.perf_counter()
        for row, token, sound in zip(rows, *self._chooser.choose(rows, logits), strict=True):
            if not sound:
                done.append((row, Ended(row.prompt.index, row.draw, [], "", now - row.started, NOT_NUMBERS)))
                continue
            row.write(token)
            reason = self._reason(row.ids, token)
            if reason:
                done.append((row, Ended(row.prompt.index, row.draw, row.ids, reason, now - row.started)))
        return done

    def _reason(self, ids: Sequence[int], token: int) -> str:
        if token in self._ends or self._stops.met(ids):
            return "stop"
        return "length" if len(ids) >= self._most else ""
