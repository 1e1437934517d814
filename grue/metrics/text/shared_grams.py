"""Common n-grams of texts and their references, for many rows at once.

All n-grams of a row's texts, whatever their order, are prefixes of those of the highest order. Symbols are numbered and
packed, so that one sort of whole numbers brings equal n-grams of every order together; their counts are then
differences of positions. Symbols are characters or words: the same counting serves chrF and BLEU.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grue.core.metric import Floats

Ints = NDArray[np.int64]

_BITS = 63
# Positions that are packed and sorted at once: some 100 MB of working memory.
_MOST_POSITIONS = 1 << 21
_SMALL = 1 << 14


@dataclass(frozen=True, slots=True)
class Symbols:
    """Texts as numbers, one after another.

    Attributes:
        values: Numbers of all symbols, not negative.
        lengths: Symbols of each text.
        starts: Where each text begins in ``values``.
    """

    values: NDArray[np.integer]
    lengths: Ints
    starts: Ints

    @classmethod
    def of_characters(cls, texts: Sequence[str]) -> Symbols:
        """Code points; lone surrogates count as any other."""
        encoded = "".join(texts).encode("utf-32-le", "surrogatepass")
        return cls._of(np.frombuffer(encoded, dtype=np.uint32), [len(text) for text in texts])

    @classmethod
    def of_numbers(cls, texts: Iterable[Sequence[int]]) -> Symbols:
        """Numbered words."""
        flat: list[int] = []
        lengths = []
        for numbers in texts:
            flat += numbers
            lengths.append(len(numbers))
        return cls._of(np.array(flat, dtype=np.int64), lengths)

    @classmethod
    def _of(cls, values: NDArray[np.integer], lengths: Sequence[int]) -> Symbols:
        sizes = np.array(lengths, dtype=np.int64)
        return cls(values, sizes, np.cumsum(sizes) - sizes)

    def totals(self, order: int) -> Ints:
        """Number of n-grams of each text, shape (n_texts, order)."""
        counts: Ints = np.maximum(self.lengths[:, None] - np.arange(order), 0)
        return counts


def matches(symbols: Symbols, rows: Ints, order: int) -> Floats:
    """N-grams that a text shares with its references, each as often as the reference that has it most.

    Args:
        symbols: All texts.
        rows: Indices of texts, shape (n, 1 + references): the text, then its references.
        order: Highest order.

    Returns:
        Counts, shape (n, order).
    """
    n_rows, n_sides = rows.shape
    flat = rows.ravel()
    lengths = symbols.lengths[flat]
    total = int(lengths.sum())
    if not n_rows or not total:
        return np.zeros((n_rows, order))
    if total > _MOST_POSITIONS and n_rows > 1:
        return _halves(symbols, rows, order)
    ends = np.cumsum(lengths)
    here = np.arange(total)
    values, n_values = _numbered(symbols.values[here + np.repeat(symbols.starts[flat] - ends + lengths, lengths)])
    bits, side_bits, row_bits = n_values.bit_length(), (n_sides - 1).bit_length(), (n_rows - 1).bit_length()
    sides = np.repeat(np.tile(np.arange(n_sides), n_rows), lengths)
    left = np.repeat(ends, lengths) - here
    if order * bits + side_bits + row_bits > _BITS:
        return _halves(symbols, rows, order) if n_rows > 1 else _ranked(values, left, sides, n_sides, order)
    keys = np.repeat(np.repeat(np.arange(n_rows), n_sides), lengths)
    padded = np.concatenate((values, np.zeros(order, dtype=np.int64)))
    for step in range(order):
        keys <<= bits
        keys |= padded[step : step + total] * (left > step)
    keys <<= side_bits
    keys |= sides
    keys.sort()
    return _counted(keys, n_rows, n_sides, order, bits)


def _halves(symbols: Symbols, rows: Ints, order: int) -> Floats:
    """Fewer rows have fewer distinct symbols, which pack into fewer bits."""
    middle = len(rows) // 2
    return np.concatenate((matches(symbols, rows[:middle], order), matches(symbols, rows[middle:], order)))


def _numbered(values: NDArray[np.integer]) -> tuple[Ints, int]:
    """Distinct values as 1, 2, 3 …, and how many they are."""
    highest = int(values.max())
    if len(values) < _SMALL < highest:
        distinct, numbers = np.unique(values, return_inverse=True)
        return numbers.astype(np.int64) + 1, len(distinct)
    present = np.zeros(highest + 1, dtype=np.int64)
    present[values] = 1
    table = np.cumsum(present)
    return table[values], int(table[-1])


def _counted(keys: Ints, n_rows: int, n_sides: int, order: int, bits: int) -> Floats:
    side_bits = (n_sides - 1).bit_length()
    out = np.zeros((n_rows, order))
    for n in range(1, order + 1):
        shift = side_bits + bits * (order - n)
        grams = keys >> shift
        whole = (grams & ((1 << bits) - 1)) != 0  # a text's last n - 1 positions start no n-gram
        keys, grams = keys[whole], grams[whole]
        if not len(keys):
            break
        starts = np.concatenate(([0], np.flatnonzero(grams[1:] != grams[:-1]) + 1))
        sizes = np.diff(starts, append=len(keys))
        # One text alone cannot match itself.
        several = np.flatnonzero(sizes > 1)
        if not len(several):
            break
        shared = _least(keys, starts, sizes, n_sides)[several]
        out[:, n - 1] = np.bincount(grams[starts[several]] >> (bits * n), weights=shared, minlength=n_rows)
    return out


def _least(keys: Ints, starts: Ints, sizes: Ints, n_sides: int) -> Ints:
    """For each distinct n-gram the smaller of the text's count and the most that a reference has."""
    least: Ints
    if n_sides == 2:
        asked = np.add.reduceat(keys & 1, starts)
        least = np.minimum(sizes - asked, asked)
        return least
    sides = keys & ((1 << (n_sides - 1).bit_length()) - 1)
    asked = np.zeros(len(starts), dtype=np.int64)
    for side in range(1, n_sides):
        np.maximum(asked, np.add.reduceat(sides == side, starts, dtype=np.int64), out=asked)
    least = np.minimum(np.add.reduceat(sides == 0, starts, dtype=np.int64), asked)
    return least


def _ranked(values: Ints, left: Ints, sides: Ints, n_sides: int, order: int) -> Floats:
    """One row whose n-grams do not fit into a number: each order is numbered from the one before."""
    out = np.zeros((1, order))
    places = np.arange(len(values))
    ranks = np.zeros(len(values), dtype=np.int64)
    width = int(values.max()).bit_length()
    for n in range(1, order + 1):
        whole = left[places] >= n
        places, ranks = places[whole], ranks[whole]
        if not len(places):
            break
        _, ranks = np.unique((ranks << width) | values[places + n - 1], return_inverse=True)
        here, size = sides[places], int(ranks.max()) + 1
        asked = np.zeros(size, dtype=np.int64)
        for side in range(1, n_sides):
            np.maximum(asked, np.bincount(ranks[here == side], minlength=size), out=asked)
        out[0, n - 1] = np.minimum(np.bincount(ranks[here == 0], minlength=size), asked).sum()
    return out
