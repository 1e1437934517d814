"""Edits and shifts that turn a text into a reference, as Tercom and SacreBLEU search for them.

Snover et al. 2006; equal to `sacrebleu` 2.6.0, `lib_ter`, in every choice: which cells of the table its beam of 25
words round the diagonal reaches, which of several equal alignments it takes, which shifts it tries in what order and
where it stops. What differs is the work: rows of the table are bits of whole numbers (``beam``), those of the unshifted
text are kept for the shifts of it, and a shift that cannot be the best is not computed, as moving a run of k words
changes the distance by 2k at most.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import TypeVar

from grue.metrics.text.beam import Alignment, Table

Item = TypeVar("Item")
# Words that move, from which word on and before which they are put: (length, start, target).
Shift = tuple[int, int, int]

# The library's.
_LONGEST_SHIFT = 10
_FARTHEST_SHIFT = 50
_MOST_TRIED = 1000

# Words of either side beyond which the search of shifts takes longer than some seconds.
MOST_WORDS = 4000


@dataclass(slots=True)
class Edited:
    """What became of a text.

    Attributes:
        edits: Shifts and single edits together.
        words: The text after all shifts.
        moved: The runs that were shifted, in order.
    """

    edits: int
    words: list[str]
    moved: list[list[str]] = field(default_factory=list)


class Reference:
    """A reference, prepared once for all texts that are held against it."""

    def __init__(self, words: list[str]) -> None:
        self.words = words
        self._counts = Counter(words)

    @cached_property
    def _places(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for index, word in enumerate(self.words):
            found.setdefault(word, []).append(index)
        return found

    @cached_property
    def _bits(self) -> dict[str, int]:
        """Each word's positions as bits; not for long references, as their numbers are as long."""
        return {word: sum(1 << place for place in places) for word, places in self._places.items()}

    def edited(self, words: list[str]) -> Edited:
        """Fewest edits that the search finds.

        Raises:
            ValueError: where a side is too long to search.
        """
        if not self.words or not words:
            return Edited(len(words) or len(self.words), words)
        if words == self.words:
            return Edited(0, words)
        common = sum(min(count, self._counts[word]) for word, count in Counter(words).items())
        # No order of the words needs fewer edits.
        least = max(len(words), len(self.words)) - common
        if not common:
            return Edited(least, words)
        if max(len(words), len(self.words)) > MOST_WORDS:
            raise ValueError(
                f"texts of {len(words)} and {len(self.words)} words are too long for TER's search of shifts: "
                f"either may have {MOST_WORDS}"
            )
        return self._searched(words, least)

    def alignment(self, words: list[str]) -> Alignment:
        """How a text and the reference lie beside each other; neither longer than ``MOST_WORDS``."""
        if not words or not self.words:
            return Alignment([-1] * len(self.words), [1] * len(words), [1] * len(self.words), [])
        return _Search(self._masks(words), len(self.words)).alignment()

    def _masks(self, words: list[str]) -> list[int]:
        return [self._bits.get(word, 0) for word in words]

    def _searched(self, words: list[str], least: int) -> Edited:
        moved: list[list[str]] = []
        tried = 0
        while True:
            search = _Search(self._masks(words), len(self.words))
            best = None
            if search.distance > least:
                candidates, tried = self._candidates(words, search.alignment(), tried)
                if tried < _MOST_TRIED:
                    best = search.best(candidates, search.distance - least)
            if best is None:
                return Edited(search.distance + len(moved), words, moved)
            length, start, _ = best
            moved.append(words[start : start + length])
            words = _shifted(words, best)

    def _candidates(self, words: list[str], alignment: Alignment, tried: int) -> tuple[set[Shift], int]:
        """Shifts that are tried, and how many were so far, where equal ones count each."""
        align = alignment.align
        wrong = [0, *accumulate(alignment.wrong)]
        unmet = [0, *accumulate(alignment.unmet)]
        found: set[Shift] = set()
        for start, word in enumerate(words):
            places = self._places.get(word, ())
            for place in places[bisect_left(places, start - _FARTHEST_SHIFT) :]:
                if place - start > _FARTHEST_SHIFT:
                    break
                aligned = align[place]
                for length in range(1, self._run(words, start, place) + 1):
                    if (
                        wrong[start + length] == wrong[start]
                        or unmet[place + length] == unmet[place]
                        or start <= aligned < start + length
                    ):
                        continue
                    last = -1
                    for spot in range(place - 1, place + length):
                        target = align[spot] + 1 if spot >= 0 else 0
                        if target != last:
                            last = target
                            tried += 1
                            found.add((length, start, target))
                    if tried >= _MOST_TRIED:
                        return found, tried
        return found, tried

    def _run(self, words: list[str], start: int, place: int) -> int:
        """Equal words from two positions on, at most ten."""
        longest = min(_LONGEST_SHIFT, len(words) - start, len(self.words) - place)
        length = 1
        while length < longest and words[start + length] == self.words[place + length]:
            length += 1
        return length


class _Search:
    """The distance of one text, and the best of its shifts."""

    def __init__(self, masks: list[int], n_reference: int) -> None:
        self._masks = masks
        self._table = Table(len(masks), n_reference)
        self._rows = self._table.rows(masks)
        plain = self._table.distance((), self._rows[-1])
        self._is_plain = self._table.is_plain(plain)
        self.distance = plain if self._is_plain else self._table.beam_distance(masks)

    def alignment(self) -> Alignment:
        return self._table.alignment(self._masks, plain=self._is_plain)

    def best(self, candidates: set[Shift], most: int) -> Shift | None:
        """The shift that saves most edits, of equals the longest, then the earliest, then that to the earliest place.

        Args:
            candidates: Shifts.
            most: Edits that any could save.
        """
        ranked = sorted((-self._bound(one, most), -one[0], one[1], one[2]) for one in candidates)
        best = (0, 0, 0, 0)
        for bound, length, start, target in ranked:
            if bound >= 0 or (bound, length, start, target) > best:
                break
            saved = self.distance - self._after((-length, start, target), -best[0])
            if saved > 0:
                best = min(best, (-saved, length, start, target))
        return (-best[1], best[2], best[3]) if best[0] else None

    def _bound(self, shift: Shift, most: int) -> int:
        """Edits that a shift saves at most: each word that moves, or is passed, is an insertion and a deletion."""
        length, start, target = shift
        passed = start - target if target < start else target - (start + length if target > start + length else start)
        if not passed:
            return 0
        return min(most, 2 * min(length, passed)) if self._is_plain else most

    def _after(self, shift: Shift, wanted: int) -> int:
        """Distance after a shift; where it saves fewer edits than wanted, some number that says so."""
        _, start, target = shift
        first = min(start, target)
        masks = _shifted(self._masks, shift)
        plain = self._table.distance(masks[first:], self._rows[first])
        if self._table.is_plain(plain) or self.distance - plain < wanted:
            return plain
        return self._table.beam_distance(masks)


def _shifted(items: list[Item], shift: Shift) -> list[Item]:
    length, start, target = shift
    stop = start + length
    run = items[start:stop]
    if target < start:
        return items[:target] + run + items[target:start] + items[stop:]
    if target > stop:
        return items[:start] + items[stop:target] + run + items[target:]
    # Within the run itself a target counts from where the run began.
    return items[:start] + items[stop : target + length] + run + items[target + length :]
