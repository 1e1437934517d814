"""From logits to each row's next token: what forbids, what cuts, the largest or a draw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from grue.core.decoding import Decoding
from grue.engine.sampling import RowRandom, draw
from grue.engine.slots.rows import Row
from grue.engine.token_ids import TokenIds


def processed(
    logits: Any, decoding: Decoding, tokens: TokenIds, contexts: Callable[[int], Sequence[int]], new: Sequence[int]
) -> Any:
    """Scores after all that forbids or weighs tokens, in the library's order.

    Args:
        logits: Shape (rows, vocabulary); changed in place or returned as they are.
        decoding: The settings.
        tokens: The checkpoint's own ids.
        contexts: Row -> tokens that penalties look at.
        new: Tokens each row has written so far.

    Returns:
        float32 scores of the same shape.
    """
    import torch
    from transformers import NoRepeatNGramLogitsProcessor, RepetitionPenaltyLogitsProcessor

    scores = logits.float()
    per_row: list[Any] = []
    if decoding.repetition_penalty != 1:
        per_row.append(RepetitionPenaltyLogitsProcessor(decoding.repetition_penalty))
    if decoding.no_repeat_ngram_size:
        per_row.append(NoRepeatNGramLogitsProcessor(decoding.no_repeat_ngram_size))
    for processor in per_row:
        scores = torch.cat(
            [
                processor(torch.tensor([contexts(row)], device=scores.device), scores[row : row + 1])
                for row in range(scores.shape[0])
            ]
        )
    short = [row for row, count in enumerate(new) if count < decoding.min_new_tokens]
    if short and tokens.ends:
        scores = scores.clone()
        scores[torch.tensor(short, device=scores.device)[:, None], torch.tensor(tokens.ends, device=scores.device)] = (
            float("-inf")
        )
    if tokens.forced_first is not None and (first := [row for row, count in enumerate(new) if count == 0]):
        scores = scores.clone()
        scores[first] = float("-inf")
        scores[first, tokens.forced_first] = 0
    return scores


def is_plain(decoding: Decoding, tokens: TokenIds) -> bool:
    """Whether nothing forbids or weighs tokens."""
    return (
        decoding.repetition_penalty == 1
        and not decoding.no_repeat_ngram_size
        and not decoding.min_new_tokens
        and tokens.forced_first is None
    )


def warped(scores: Any, decoding: Decoding) -> Any:
    """Scores after temperature and cuts."""
    from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

    if decoding.temperature != 1:
        scores = TemperatureLogitsWarper(decoding.temperature)(None, scores)
    if decoding.top_k:
        scores = TopKLogitsWarper(decoding.top_k)(None, scores)
    if decoding.top_p < 1:
        scores = TopPLogitsWarper(decoding.top_p)(None, scores)
    return scores


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
                logits, self._decoding, self._tokens, lambda at: self._context(rows[at]), [len(row.ids) for row in rows]
            )
        best, chosen = scores.max(dim=-1)
        if not self._plain:
            # A forced token hides what the model wrote.
            best = best + logits.max(dim=-1).values.float()
        if self._decoding.do_sample:
            chosen = draw(warped(scores.float(), self._decoding), [_random(row) for row in rows])
        # One transfer for both; a token id is exact in float64.
        both = torch.stack([chosen.double(), best.double()]).tolist()
        return [int(token) for token in both[0]], [abs(value) < float("inf") for value in both[1]]

    def _context(self, row: Row) -> Sequence[int]:
        return [*(row.prompt.ids if self._reads_prompt else ()), *self._start, *row.ids]


def _random(row: Row) -> RowRandom:
    assert row.random is not None
    return row.random
