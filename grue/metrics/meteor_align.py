"""METEOR's word alignment as NLTK makes it: exact words, then stems, then synonyms, each from the last word back.

In a stage each prediction word, from the last to the first, takes the last free reference word that fits. For equal
words that pairs the k-th occurrence from the end on both sides, so the exact stage is one look-up a word; stems and
synonyms are looked at only for words that the reference side can answer. After the stem stage NLTK goes on with the
stems, not the words: synonyms are those of stems, held against stems.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import cached_property

from grue.metrics.text.stems import porter

Synonyms = Callable[[str], frozenset[str]]
Alignment = list[int | None]


class Side:
    """One tokenised text, prepared for any number of alignments."""

    def __init__(self, words: Sequence[str]) -> None:
        """Note the words' places.

        Args:
            words: Lower-cased words.
        """
        self.words = words
        self.keys: list[Hashable] = list(words)
        if len(set(words)) < len(words):
            seen: dict[str, int] = {}
            for place in range(len(words) - 1, -1, -1):
                word = words[place]
                rank = seen.get(word, 0)
                seen[word] = rank + 1
                if rank:
                    self.keys[place] = (word, rank)
        self.places = {key: place for place, key in enumerate(self.keys)}

    @cached_property
    def stems(self) -> list[str]:
        """Porter stems of the words."""
        return list(map(porter, self.words))

    @cached_property
    def stem_places(self) -> dict[str, list[int]]:
        """Stem -> its places, ascending."""
        places: dict[str, list[int]] = {}
        for place, stem in enumerate(self.stems):
            places.setdefault(stem, []).append(place)
        return places


def align(hypothesis: Side, reference: Side, synonyms: Synonyms | None) -> Alignment:
    """The reference word that each prediction word is matched with.

    Args:
        hypothesis: The prediction.
        reference: One reference.
        synonyms: Gives the synonyms of a stem; ``None`` leaves that stage out.

    Returns:
        An index into the reference or ``None`` for each word of the prediction, in order.
    """
    places: Alignment = list(map(reference.places.get, hypothesis.keys))
    left = [index for index, place in enumerate(places) if place is None]
    if not left or len(places) - len(left) == len(reference.words):
        return places
    stems, known = hypothesis.stems, reference.stem_places
    used = set(places)
    free: dict[str, list[int]] = {}
    for index in reversed(left):
        if (stem := stems[index]) in known:
            _take(places, index, _free(stem, free, known, used))
    if synonyms is None:
        return places
    for index in reversed(left):
        if places[index] is None and not known.keys().isdisjoint(similar := synonyms(stems[index])):
            candidates = [_free(stem, free, known, used) for stem in known.keys() & similar]
            _take(places, index, max(candidates, key=_last))
    return places


def chunks(alignment: Alignment) -> int:
    """Runs of matched words that are neighbours in both texts, in the same order."""
    count, due = 0, -1
    for place in alignment:
        if place is None:
            due = -1
        else:
            count += place != due
            due = place + 1
    return count


def _free(stem: str, free: dict[str, list[int]], known: dict[str, list[int]], used: set[int | None]) -> list[int]:
    """Places of a stem that the exact stage left over, ascending; taken ones are popped from the end."""
    if stem not in free:
        free[stem] = [place for place in known[stem] if place not in used]
    return free[stem]


def _take(places: Alignment, index: int, candidates: list[int]) -> None:
    if candidates:
        places[index] = candidates.pop()


def _last(candidates: list[int]) -> int:
    return candidates[-1] if candidates else -1
