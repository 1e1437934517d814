"""Which prompts are generated together: batches under a token budget over prompts sorted by length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grue.engine.protocol import Request
from grue.engine.tokenization import EncodedPrompt


@dataclass(frozen=True, slots=True)
class Item:
    """A prompt with the requests that its one decoding answers (several where decoding is deterministic)."""

    prompt: EncodedPrompt
    requests: tuple[Request, ...]

    @property
    def n_tokens(self) -> int:
        """Tokens the model reads."""
        return len(self.prompt.ids)


@dataclass(frozen=True, slots=True)
class Budget:
    """Bounds of a batch: rows, and padded tokens (read and written) over all its rows and beams."""

    rows: int
    tokens: int


def batches(
    items: Sequence[Item], budget: Budget, *, new_tokens: int, beams: int = 1, equal_lengths: bool = False
) -> list[list[Item]]:
    """Group items, longest prompts first, so that the largest batch shows at once whether memory is enough.

    Args:
        items: What to generate.
        budget: Bounds; a single row is a batch even where it is above them.
        new_tokens: Tokens each row may write.
        beams: Copies of a row that are decoded together.
        equal_lengths: Whether only prompts of one length go together (no padding).
    """
    ordered = sorted(items, key=lambda item: (-item.n_tokens, item.requests[0].row.id, item.requests[0].sample))
    groups: list[list[Item]] = []
    for item in ordered:
        if groups:
            group = groups[-1]
            widest = group[0].n_tokens
            fits = len(group) < budget.rows and (len(group) + 1) * beams * (widest + new_tokens) <= budget.tokens
            if fits and (not equal_lengths or widest == item.n_tokens):
                group.append(item)
                continue
        groups.append([item])
    return groups
