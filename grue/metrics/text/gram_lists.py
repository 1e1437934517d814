"""Which n-grams of a text its references have: the lists of explanations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

MOST = 40


def compared(
    words: Sequence[str], references: Sequence[Sequence[str]], order: int
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Matched, missing and extra n-grams, at most 40 of each, in the order of the texts.

    Args:
        words: The prediction's.
        order: Words an n-gram.
        references: Words of each reference; a match is clipped to the reference that has most of an n-gram, and
            missing are those of the reference nearest in length.
    """
    mine = counts(words, order)
    most: Counter[str] = Counter()
    for reference in references:
        most |= counts(reference, order)
    nearest = min(references, key=lambda other: (abs(len(other) - len(words)), len(other)), default=())
    matched = mine & most
    return (
        tuple(matched.elements())[:MOST],
        tuple((counts(nearest, order) - mine).elements())[:MOST],
        tuple((mine - most).elements())[:MOST],
    )


def counts(words: Sequence[str], order: int) -> Counter[str]:
    """N-grams as texts, counted."""
    return Counter(" ".join(gram) for gram in zip(*(words[start:] for start in range(order)), strict=False))
