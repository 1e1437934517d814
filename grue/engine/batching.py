"""Which prompts are decoded together: batches under a token budget over prompts sorted by length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grue.engine.tokenization import EncodedPrompt


@dataclass(frozen=True, slots=True)
class Item:
    """A prompt with its number among the caller's, and the draws that are wanted of it."""

    prompt: EncodedPrompt
    index: int
    draws: tuple[int, ...] = (0,)

    @property
    def n_tokens(self) -> int:
        """Tokens the model reads."""
        return len(self.prompt.ids)


@dataclass(frozen=True, slots=True)
class Budget:
    """Bounds of what is held at once: prompts, and tokens (read and written) over all rows and beams."""

    rows: int
    tokens: int


def longest_first(items: Sequence[Item]) -> list[Item]:
    """Items by length, so that the largest shows at once whether memory is enough; the caller's order breaks ties."""
    return sorted(items, key=lambda item: (-item.n_tokens, item.index, item.draws))


def batches(
    items: Sequence[Item], budget: Budget, *, new_tokens: int, beams: int = 1, equal_lengths: bool = False
) -> list[list[Item]]:
    """Group items, longest prompts first.

    Args:
        items: What to generate.
        budget: Bounds; a single row is a batch even where it is above them.
        new_tokens: Tokens each row may write.
        beams: Copies of a row that are decoded together.
        equal_lengths: Whether only prompts of one length go together (no padding).
    """
    groups: list[list[Item]] = []
    for item in longest_first(items):
        if groups:
            group = groups[-1]
            widest = group[0].n_tokens
            fits = len(group) < budget.rows and (len(group) + 1) * beams * (widest + new_tokens) <= budget.tokens
            if fits and (not equal_lengths or widest == item.n_tokens):
                group.append(item)
                continue
        groups.append([item])
    return groups


def common_prefix(prompts: Sequence[tuple[int, ...]]) -> int:
    """Tokens that all prompts begin with; at least one token of each is left over."""
    if not prompts:
        return 0
    first, last = min(prompts), max(prompts)
    most = min(min(map(len, prompts)) - 1, len(first))
    return next((place for place in range(most) if first[place] != last[place]), max(most, 0))
