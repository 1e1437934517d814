"""Each row's next token: the largest score or a draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grue.core.decoding import Decoding
from grue.engine.sampling import draw
from grue.engine.scores import is_plain, processed, warped
from grue.engine.slots.rows import Row
from grue.engine.token_ids import TokenIds


class Chooser:
    """Chooses the next token of rows."""

    def __init__(self, decoding: Decoding, tokens: TokenIds, start: tuple[int, ...], *, reads_prompt: bool) -> None:
        self._decoding, self._tokens, self._start = decoding, tokens, start
        self._reads_prompt = reads_prompt
        self._plain = is_plain(decoding, tokens)

    def choose(self, rows: Sequence[Row], logits: Any) -> tuple[list[int], list[bool]]:
        """Tokens, and whether each row's logits were numbers.

        Args:
            rows: The rows.
            logits: Theirs, shape (rows, vocabulary).
        """
        import torch

        scores = logits
        if not self._plain:
            scores = processed(
                logits,
                self._decoding,
                self._tokens,
                [self._context(row) for row in rows],
                [len(row.ids) for row in rows],
            )
        best, chosen = scores.max(dim=-1)
        if not self._plain:
            # A forced token hides what the model wrote.
            best = best + logits.max(dim=-1).values.float()
        if self._decoding.do_sample:
            chosen = draw(warped(scores.float(), self._decoding), rows)
        # One transfer for both; a token id is exact in float64.
        both = torch.stack([chosen.double(), best.double()]).tolist()
        return [int(token) for token in both[0]], [abs(value) < float("inf") for value in both[1]]

    def _context(self, row: Row) -> Sequence[int]:
        return [*(row.prompt.ids if self._reads_prompt else ()), *self._start, *row.ids]
