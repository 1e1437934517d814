"""Scores of the next token after what forbids, weighs or cuts tokens, in the library's order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grue.core.decoding import Decoding
from grue.engine.token_ids import TokenIds

NOT_NUMBERS = "the model wrote logits that are no numbers"


def processed(
    logits: Any, decoding: Decoding, tokens: TokenIds, contexts: Sequence[Sequence[int]], new: Sequence[int]
) -> Any:
    """Scores after all that forbids or weighs tokens, in the library's order.

    Args:
        logits: Shape (rows, vocabulary); changed in place or returned as they are.
        decoding: The settings.
        tokens: The checkpoint's own ids.
        contexts: Of each row, the tokens that penalties look at; not read where there are none.
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
                processor(torch.tensor([list(contexts[row])], device=scores.device), scores[row : row + 1])
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
