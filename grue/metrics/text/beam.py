"""The table of word edit distances that TER fills within a beam, a row of it as bits of whole numbers.

Along a row the value changes by at most one from cell to cell. A row is kept as two numbers: bit j - 1 of the first is
set where cell j is one above cell j - 1, of the second where it is one below (Myers 1999, Hyyrö 2003). SacreBLEU's
table has values only in a beam round the diagonal. Where no path as cheap as the cheapest can leave it this is the
plain table; otherwise bits at the beam's edges are set so that what lies outside is never the cheaper way in.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

_BEAM = 25  # words to either side of the diagonal; the library's
_UNBOUNDED = 1 << 60

Row = tuple[int, int]  # where the values of a row rise, and where they fall


@dataclass(frozen=True, slots=True)
class Alignment:
    """How a text and a reference lie beside each other.

    Attributes:
        align: For each word of the reference the text's last word up to it, -1 for none.
        wrong: 1 for each word of the text that is deleted or replaced.
        unmet: 1 for each word of the reference that is inserted or replaces another.
        replaced: Replaced words, as (text, reference) positions.
    """

    align: list[int]
    wrong: list[int]
    unmet: list[int]
    replaced: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class _Traced:
    """What a row's operations are read from: changes along the row above, and from it to this row."""

    rise: int
    fall: int
    more: int
    less: int
    equal: int
    low: int = 0  # the first cell
    is_cut: bool = False  # nothing lies before or diagonally above the first cell
    top: int = _UNBOUNDED  # the row above ends before this cell


class Table:
    """Distances of texts of one length, given as bits of each word's positions in the reference."""

    def __init__(self, n_words: int, n_reference: int) -> None:
        self._n = n_words
        self._m = n_reference
        self._full = (1 << n_reference) - 1
        self._leaving = _leaving(n_words, n_reference)

    def is_plain(self, distance: int) -> bool:
        """Whether a plain distance is the beam's too: no path as cheap leaves the beam."""
        return distance < self._leaving

    def rows(self, masks: Sequence[int]) -> list[Row]:
        """Rows of the plain table, the one before any word first."""
        return [(self._full, 0), *((row.rise, row.fall) for row in self._plain(masks, after=True))]

    def distance(self, masks: Sequence[int], row: Row) -> int:
        """Plain distance where a row is known and the words below it are given."""
        full = self._full
        rise, fall = row
        for equal in masks:
            crossed = equal | fall
            same = (((equal & rise) + rise) ^ rise) | equal
            more = (fall | ~(same | rise)) << 1 | 1
            rise, fall = ((rise & same) << 1 | ~(crossed | more)) & full, more & crossed
        return self._n + rise.bit_count() - fall.bit_count()

    def beam_distance(self, masks: Sequence[int]) -> int:
        """Distance within the beam."""
        return self._beam(masks)[1]

    def alignment(self, masks: Sequence[int], *, plain: bool) -> Alignment:
        """The library's choice among equal ways: from the end, a kept or replaced word, else a deletion, else not."""
        rows = list(self._plain(masks)) if plain else self._beam(masks)[0]
        align, unmet, wrong = [-1] * self._m, [1] * self._m, [1] * self._n
        replaced = []
        i, j = self._n, self._m
        while i and j:
            row, bit = rows[i - 1], j - 1
            if row.equal >> bit & 1:
                align[bit] = i - 1
                unmet[bit] = wrong[i - 1] = 0
                i, j = i - 1, bit
                continue
            change = (row.more >> bit & 1) - (row.less >> bit & 1)
            across = change + (row.rise >> bit & 1) - (row.fall >> bit & 1)
            is_first = row.is_cut and j == row.low
            if across == 1 and j <= row.top and not is_first:
                align[bit] = i - 1
                replaced.append((i - 1, bit))
                i, j = i - 1, bit
            elif is_first or (change == 1 and j < row.top):
                i -= 1
            else:
                align[bit] = i - 1
                j = bit
        return Alignment(align, wrong, unmet, replaced[::-1])

    def _plain(self, masks: Sequence[int], *, after: bool = False) -> Iterator[_Traced]:
        """For each word the row above it, or with ``after`` its own."""
        full, rise, fall = self._full, self._full, 0
        for equal in masks:
            above = rise, fall
            rise, fall, more, less = _step(equal, rise, fall, full, 1)
            yield _Traced(*((rise, fall) if after else above), more, less, equal)

    def _beam(self, masks: Sequence[int]) -> tuple[list[_Traced], int]:
        rows = []
        rise, fall, first = self._full, 0, 0
        low, top = 0, self._m + 1
        for (next_low, next_top), equal in zip(_windows(self._n, self._m), masks, strict=True):
            if next_top > top:
                entering = _below(next_top - 1) & ~_below(top - 1)
                rise, fall = rise | entering, fall & ~entering
                # Cells after the first that enters have nothing diagonally above them either.
                equal &= ~(entering & ~(1 << (top - 1)))
            # The value above this row's first cell, which may itself have entered.
            passed = _below(next_low) ^ _below(low)
            first += (rise & passed).bit_count() - (fall & passed).bit_count()
            is_cut = 0 < low == next_low
            carry = 1
            if next_low:
                carry = 1 << (next_low - 1)
                keep = -carry
                rise, fall, equal = rise & keep, fall & keep, equal & keep
                if is_cut:
                    rise, fall, equal = rise & ~carry, fall | carry, equal & ~carry
            above = rise, fall
            rise, fall, more, less = _step(equal, rise, fall, _below(next_top - 1), carry)
            rows.append(_Traced(*above, more, less, equal, next_low, is_cut, top))
            first += 1 if not next_low else (more >> (next_low - 1) & 1) - (less >> (next_low - 1) & 1)
            low, top = next_low, next_top
        rest = ~_below(low)
        return rows, first + (rise & rest).bit_count() - (fall & rest).bit_count()


def _step(equal: int, rise: int, fall: int, full: int, carry: int) -> tuple[int, int, int, int]:
    """The next row's rises and falls, and where its cells are more or less than those above."""
    crossed = equal | fall
    same = (((equal & rise) + rise) ^ rise) | equal
    more = (fall | ~(same | rise)) & full
    less = rise & same & full
    shifted = more << 1 | carry
    return (less << 1 | (full & ~(crossed | shifted))) & full, shifted & crossed & full, more, less


def _below(cell: int) -> int:
    """Bits of the cells 1 to ``cell``."""
    return (1 << cell) - 1 if cell > 0 else 0


def _windows(n: int, m: int) -> Iterator[tuple[int, int]]:
    """For each row after the first its first cell and the one after its last."""
    ratio = m / n
    width = math.ceil(ratio / 2 + _BEAM) if ratio / 2 > _BEAM else _BEAM
    for i in range(1, n + 1):
        diagonal = math.floor(i * ratio)
        yield max(0, diagonal - width), m + 1 if i == n else min(m + 1, diagonal + width)


@lru_cache(maxsize=4096)
def _leaving(n: int, m: int) -> int:
    """Least cost of a path through a cell outside the beam."""
    if m < _BEAM:
        return _UNBOUNDED
    least = _UNBOUNDED
    for i, (low, top) in enumerate(_windows(n, m), start=1):
        # Cells of a row that cost no more than the difference in length lie between these.
        left, right = i + min(0, m - n), i + max(0, m - n)
        if low:
            least = min(least, _through(i, min(low - 1, left), n, m))
        if top <= m:
            least = min(least, _through(i, max(top, right), n, m))
    return least


def _through(i: int, j: int, n: int, m: int) -> int:
    return abs(i - j) + abs((n - i) - (m - j))
