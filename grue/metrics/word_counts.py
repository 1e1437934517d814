"""Counts of word n-grams over any number of outputs, on integers: what the diversity statistics are made of.

A digest of an output is its words as bytes, so that a million of them fit in memory and mean the same in every
process. Words become numbers when a value is asked for, the n-grams of one order become arrays of packed numbers, and
sorting those counts them. No n-gram crosses outputs.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

from grue.core.metric import Digests

Ints = NDArray[np.int64]
ORDERS = 3
_SEPARATOR = "\n"  # no tokeniser leaves one inside a word
_BLOCK_ROWS = 4096
_SLICE_WORDS = 1 << 21
_MAX_PACKED = int(np.iinfo(np.int64).max)


@dataclass(frozen=True, slots=True)
class Numbered:
    """Words of all outputs as numbers, in order.

    Attributes:
        ids: A number from 0 for each word, shape (n_words,).
        left: Words of its output from each word on, itself among them, at most ``ORDERS``; shape (n_words,).
        n_types: Number of distinct words.
    """

    ids: NDArray[np.int32]
    left: NDArray[np.int8]
    n_types: int


@dataclass(frozen=True, slots=True)
class Counts:
    """The n-grams of one order.

    Attributes:
        total: How many there are.
        types: How many distinct ones.
        once: How many that occur once.
        entropy: Shannon entropy in bits; 0 where there is none.
        conditional: -sum p(n-gram) log2(p(n-gram) / p(prefix)) in bits; 0 where there is none, and for single words.
    """

    total: int
    types: int
    once: int
    entropy: float
    conditional: float


def pack(rows: Sequence[Sequence[str]]) -> list[bytes]:
    """One digest an output, from its words."""
    return [_SEPARATOR.join(row).encode("utf-8", "surrogatepass") for row in rows]


def numbered(digests: Digests) -> Numbered:
    """The words of all outputs, made once for all statistics."""
    return digests.derived("numbered words", lambda: _number(digests.items))


def counts(digests: Digests, order: int) -> Counts:
    """The n-grams of one order, 1 to ``ORDERS``, made once for all statistics."""
    return digests.derived("n-gram counts", lambda: _count(numbered(digests)))[order - 1]


def _number(items: Sequence[bytes]) -> Numbered:
    separator = _SEPARATOR.encode()
    lengths = np.fromiter((item.count(separator) + 1 if item else 0 for item in items), np.int64, len(items))
    ids = np.empty(int(lengths.sum()), np.int32)
    left = np.full(len(ids), ORDERS, np.int8)
    ends = np.cumsum(lengths[lengths > 0])
    for back in range(min(ORDERS - 1, len(ids)), 0, -1):
        # The smallest value is written last, as an output of one word ends where the one before it may still lap.
        places = ends - back
        left[places[places >= 0]] = back
    numbers: defaultdict[bytes, int] = defaultdict(count().__next__)
    filled = 0
    for start in range(0, len(items), _BLOCK_ROWS):
        block = [item for item in items[start : start + _BLOCK_ROWS] if item]
        if block:
            words = separator.join(block).split(separator)
            ids[filled : filled + len(words)] = list(map(numbers.__getitem__, words))
            filled += len(words)
    return Numbered(ids, left, len(numbers))


def _count(words: Numbered) -> list[Counts]:
    """Counts of orders 1 to ``ORDERS``, over the words that n-grams begin with in turn, so that little is held."""
    totals = [int((words.left >= order).sum()) for order in range(1, ORDERS + 1)]
    parts = [_count_from(words, starts, totals) for starts in _slices(words)]
    return [
        Counts(
            total,
            sum(part[index].types for part in parts),
            sum(part[index].once for part in parts),
            abs(math.fsum(part[index].entropy for part in parts)),
            math.fsum(part[index].conditional for part in parts) + 0.0,  # no minus zero
        )
        for index, total in enumerate(totals)
    ]


def _slices(words: Numbered) -> Iterator[Ints]:
    """Places of the words of some numbers each time, so that equal n-grams, and their prefixes, come together."""
    ends = np.cumsum(np.bincount(words.ids, minlength=words.n_types))
    low = 0
    while low < words.n_types:
        before = int(ends[low - 1]) if low else 0
        high = max(low + 1, int(np.searchsorted(ends, before + _SLICE_WORDS, side="right")))
        yield np.flatnonzero((words.ids >= low) & (words.ids < high))
        low = high


def _count_from(words: Numbered, starts: Ints, totals: Sequence[int]) -> list[Counts]:
    """The share of the n-grams that begin at the given places in the counts of all."""
    base = words.n_types
    found: list[Counts] = []
    prefixes = prefix_times = np.empty(0, np.int64)
    for order, total in enumerate(totals, 1):
        starts = starts[words.left[starts] >= order]
        fits = base**order <= _MAX_PACKED
        if fits:
            grams = _pack(words, starts, order)
        else:  # the prefix's rank stands for its digits
            grams = np.searchsorted(prefixes, _pack(words, starts, order - 1)) * base + words.ids[starts + order - 1]
        distinct, times = _distinct(grams)
        share = times / max(total, 1)
        conditional = 0.0
        if order > 1:
            places = np.searchsorted(prefixes, distinct // base) if fits else distinct // base
            ratio = share / (prefix_times[places] / totals[order - 2])
            conditional = float(-(share * np.log2(ratio)).sum())
        entropy = float(-(share * np.log2(share)).sum())
        found.append(Counts(int(times.sum()), len(times), int((times == 1).sum()), entropy, conditional))
        prefixes, prefix_times = distinct, times
    return found


def _pack(words: Numbered, starts: Ints, order: int) -> Ints:
    """N-grams that begin at the given places, each as one number whose digits are its words."""
    packed = words.ids[starts].astype(np.int64)
    for offset in range(1, order):
        packed *= words.n_types
        packed += words.ids[starts + offset]
    return packed


def _distinct(grams: Ints) -> tuple[Ints, Ints]:
    """Distinct numbers, ascending, and how often each occurs; the array is sorted in place."""
    if not len(grams):
        return grams, np.empty(0, np.int64)
    grams.sort()
    firsts = np.flatnonzero(np.concatenate(([True], grams[1:] != grams[:-1])))
    return grams[firsts], np.diff(firsts, append=len(grams))


def mean_type_ratio(words: Numbered, segment: int) -> float:
    """Mean of types by words over whole consecutive blocks of all outputs; NaN where no block is whole."""
    n_blocks = len(words.ids) // segment
    if not n_blocks:
        return float("nan")
    types = 0
    step = max(1, (1 << 22) // segment)
    for start in range(0, n_blocks, step):
        stop = min(start + step, n_blocks)
        blocks = np.sort(words.ids[start * segment : stop * segment].reshape(-1, segment), axis=1)
        types += (stop - start) + int((blocks[:, 1:] != blocks[:, :-1]).sum())
    return types / (n_blocks * segment)
