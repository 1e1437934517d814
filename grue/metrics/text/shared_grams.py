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
# Positions that are packed and sorted at once where rows can be taken apart, and counted at once in any case.
_MOST_POSITIONS = 1 << 20
_FEW_TEXTS = 16
_SMALL = 1 << 14


@dataclass(frozen=True, slots=True)
class Symbols:
    """Texts as numbers, one after another.

    Attributes:
        values: Numbers of all symbols, 1 or more.
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
        return cls._of(np.frombuffer(encoded, dtype=np.uint32) + np.uint32(1), [len(text) for text in texts])

    @classmethod
    def of_numbers(cls, texts: Iterable[Sequence[int]]) -> Symbols:
        """Words by their numbers from 0."""
        flat: list[int] = []
        lengths = []
        for numbers in texts:
            flat += numbers
            lengths.append(len(numbers))
        return cls._of(np.array(flat, dtype=np.uint32) + np.uint32(1), lengths)

    @classmethod
    def _of(cls, values: NDArray[np.integer], lengths: Sequence[int]) -> Symbols:
        sizes = np.array(lengths, dtype=np.int64)
        return cls(values, sizes, np.cumsum(sizes) - sizes)

    def totals(self, order: int) -> Ints:
        """Number of n-grams of each text, shape (n_texts, order)."""
        counts: Ints = np.maximum(self.lengths[:, None] - np.arange(order), 0)
        return counts

    def laid_out(self, texts: Ints, gap: int) -> NDArray[np.integer]:
        """Texts one after another, zeros after each."""
        lengths = self.lengths[texts]
        ends = np.cumsum(lengths + gap)
        out = np.zeros(int(ends[-1]), dtype=self.values.dtype)
        if len(texts) <= _FEW_TEXTS:
            for text, length, end in zip(texts, lengths, ends - gap, strict=True):
                out[end - length : end] = self.values[self.starts[text] : self.starts[text] + length]
            return out
        before = np.repeat(np.cumsum(lengths) - lengths, lengths)
        inside = np.arange(len(before)) - before
        out[inside + np.repeat(ends - gap - lengths, lengths)] = self.values[
            inside + np.repeat(self.starts[texts], lengths)
        ]
        return out


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
    # Where a text ends, zeros fill up the n-grams that would reach beyond it.
    gap = order
    values, n_values = _numbered(symbols.laid_out(flat, gap))
    bits, side_bits, row_bits = n_values.bit_length(), (n_sides - 1).bit_length(), (n_rows - 1).bit_length()
    sides = np.repeat(np.tile(np.arange(n_sides, dtype=np.uint32), n_rows), lengths + gap)
    if order * bits + side_bits + row_bits > _BITS:
        return _halves(symbols, rows, order) if n_rows > 1 else _ranked(values, sides, n_sides, order)
    keys = np.repeat(np.repeat(np.arange(n_rows), n_sides), lengths + gap)
    for step in range(order):
        keys <<= bits
        keys[: len(values) - step] |= values[step:]
    keys <<= side_bits
    keys |= sides
    del values, sides
    keys.sort()
    return _counted(keys, n_rows, n_sides, order, bits)


def _halves(symbols: Symbols, rows: Ints, order: int) -> Floats:
    """Fewer rows have fewer distinct symbols, which pack into fewer bits."""
    middle = len(rows) // 2
    return np.concatenate((matches(symbols, rows[:middle], order), matches(symbols, rows[middle:], order)))


def _numbered(values: NDArray[np.integer]) -> tuple[NDArray[np.integer], int]:
    """Distinct values as 1, 2, 3 …, zero kept, and how many they are."""
    highest = int(values.max())
    if len(values) < _SMALL < highest:
        found, numbers = np.unique(values, return_inverse=True)  # zero is among them
        return numbers.astype(np.uint32), len(found) - 1
    present = np.zeros(highest + 1, dtype=np.uint32)
    present[values] = 1
    present[0] = 0
    table = np.cumsum(present, dtype=np.uint32)
    return table[values], int(table[-1])


def _counted(keys: Ints, n_rows: int, n_sides: int, order: int, bits: int) -> Floats:
    side_bits, digit = (n_sides - 1).bit_length(), (1 << bits) - 1
    out = np.zeros((n_rows, order))
    for n in range(1, order + 1):
        shift = side_bits + bits * (order - n)
        start = 0
        while start < len(keys):
            part = keys[start : _until(keys, start, shift)]
            start += len(part)
            grams = part >> shift
            starts = np.concatenate(([0], np.flatnonzero(grams[1:] != grams[:-1]) + 1))
            sizes = np.diff(starts, append=len(part))
            found = grams[starts]
            # What begins or ends with the zeros behind a text is no n-gram.
            whole = ((found & digit) != 0) & ((found >> (bits * (n - 1)) & digit) != 0)
            shared = np.where(whole, _least(part, starts, sizes, n_sides), 0)
            out[:, n - 1] += np.bincount(found >> (bits * n), weights=shared, minlength=n_rows)
    return out


def _until(keys: Ints, start: int, shift: int) -> int:
    """The end of a part of sorted keys that takes no n-gram apart."""
    end = start + _MOST_POSITIONS
    if end >= len(keys):
        return len(keys)
    gram = int(keys[end]) >> shift
    end = int(np.searchsorted(keys, gram << shift))
    return end if end > start else int(np.searchsorted(keys, (gram + 1) << shift))


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


def _ranked(values: NDArray[np.integer], sides: NDArray[np.integer], n_sides: int, order: int) -> Floats:
    """One row whose n-grams do not fit into a number: each order is numbered from the one before."""
    out = np.zeros((1, order))
    places = np.arange(len(values) - order)
    ranks = np.zeros(len(places), dtype=np.int64)
    width = int(values.max()).bit_length()
    for n in range(1, order + 1):
        added = values[places + n - 1]
        whole = added != 0
        places, ranks, added = places[whole], ranks[whole], added[whole]
        if not len(places):
            break
        _, ranks = np.unique((ranks << width) | added, return_inverse=True)
        here, size = sides[places], int(ranks.max()) + 1
        asked = np.zeros(size, dtype=np.int64)
        for side in range(1, n_sides):
            np.maximum(asked, np.bincount(ranks[here == side], minlength=size), out=asked)
        out[0, n - 1] = np.minimum(np.bincount(ranks[here == 0], minlength=size), asked).sum()
    return out
