"""Which words, n-grams and edits lie behind BLEU, chrF and TER, in the words that they compare.

Lists are cut at 40 entries and read a text's first 2,000 words; the numbers in the summaries are those of whole texts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from grue.core.metric import Part
from grue.metrics.text.edits import MOST_WORDS, Edited, Reference

MOST = 40
MOST_READ = 2000
_HIGHEST_ORDER = 4

Grams = list[tuple[str, ...]]


def gram_parts(words: Sequence[str], references: Sequence[Sequence[str]], order: int) -> tuple[Part, ...]:
    """N-grams up to order 4 that the references have, each as often as one of them has it, and those they have not.

    Missing ones are those of the reference that shares most words with the text.
    """
    mine = words[:MOST_READ]
    theirs = [reference[:MOST_READ] for reference in references]
    counts: Counter[str] = Counter(mine)
    nearest: Sequence[str] = max(theirs, key=lambda one: (counts & Counter(one)).total(), default=())
    parts = []
    for n in range(1, min(order, _HIGHEST_ORDER) + 1):
        asked: Counter[tuple[str, ...]] = Counter()
        for reference in theirs:
            asked |= Counter(_grams(reference, n))
        matched, extra = _sorted_out(_grams(mine, n), asked)
        _, missing = _sorted_out(_grams(nearest, n), Counter(_grams(mine, n)))
        parts.append(Part("words" if n == 1 else f"{n}-grams", matched, missing, extra))
    return tuple(parts)


def edit_parts(reference: Reference, edited: Edited) -> tuple[Part, ...]:
    """Words kept, and each kind of edit; nothing for texts too long to align.

    Insertions are words of the reference that the text lacks, deletions words of the text that go.
    """
    if max(len(edited.words), len(reference.words)) > MOST_WORDS:
        return ()
    aligned = reference.alignment(edited.words)
    mine = {place for place, _ in aligned.replaced}
    theirs = {place for _, place in aligned.replaced}
    kept = [word for word, wrong in zip(edited.words, aligned.wrong, strict=True) if not wrong]
    pairs = [f"{edited.words[place]} → {reference.words[other]}" for place, other in aligned.replaced]
    inserted = [reference.words[i] for i, unmet in enumerate(aligned.unmet) if unmet and i not in theirs]
    deleted = [edited.words[i] for i, wrong in enumerate(aligned.wrong) if wrong and i not in mine]
    return (
        Part("words kept", matched=_cut(kept)),
        Part("insertions", missing=_cut(inserted)),
        Part("deletions", extra=_cut(deleted)),
        Part("substitutions", extra=_cut(pairs)),
        Part("shifts", extra=_cut([" ".join(run) for run in edited.moved])),
    )


def _cut(items: Sequence[str]) -> tuple[str, ...]:
    return tuple(items[:MOST])


def _grams(words: Sequence[str], n: int) -> Grams:
    return list(zip(*(words[start:] for start in range(n)), strict=False))


def _sorted_out(grams: Grams, asked: Counter[tuple[str, ...]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """N-grams that are asked for, each as often as that, and those that are not."""
    left = Counter(asked)
    found: list[str] = []
    lacking: list[str] = []
    for gram in grams:
        left[gram] -= 1
        (found if left[gram] >= 0 else lacking).append(" ".join(gram))
    return _cut(found), _cut(lacking)
