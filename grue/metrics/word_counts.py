"""Counts of word n-grams over any number of outputs, on integers: what the diversity statistics are made of.

A digest of an output is its words as bytes, so that a million of them fit in memory and mean the same in every
process. Words become numbers when a value is asked for, n-grams of one order become one array of packed numbers, and
sorting it counts them. No n-gram crosses outputs.
"""

from __future__ import annotations

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
    return digests.derived("n-gram counts", lambda: list(_count(numbered(digests))))[order - 1]


def _number(items: Sequence[bytes]) -> Numbered:
    separator = _SEPARATOR.encode()
    numbers: defaultdict[bytes, int] = defaultdict(count().__next__)
    ids: list[NDArray[np.int32]] = []
    left: list[NDArray[np.int8]] = []
    for start in range(0, len(items), _BLOCK_ROWS):
        block = [item for item in items[start : start + _BLOCK_ROWS] if item]
        if not block:
            continue
        words = separator.join(block).split(separator)
        ids.append(np.fromiter(map(numbers.__getitem__, words), dtype=np.int32, count=len(words)))
        ends = np.cumsum([item.count(separator) + 1 for item in block])
        rest = np.full(len(words), ORDERS, dtype=np.int8)
        for back in range(min(ORDERS - 1, len(words)), 0, -1):
            # The smallest value is written last, as an output of one word ends where the one before it may still lap.
            places = ends - back
            rest[places[places >= 0]] = back
        left.append(rest)
    if not ids:
        return Numbered(np.empty(0, np.int32), np.empty(0, np.int8), 0)
    return Numbered(np.concatenate(ids), np.concatenate(left), len(numbers))


def _count(words: Numbered) -> Iterator[Counts]:
    base = max(words.n_types, 1)
    prefixes = np.empty(0, np.int64)
    prefix_counts = np.empty(0, np.int64)
    for order in range(1, ORDERS + 1):
        grams = _grams(words, order, prefixes if base**order > _MAX_PACKED else None)
        distinct, times = _distinct(grams)
        prefix_share: NDArray[np.float64] | None = None
        if order > 1 and len(distinct):
            places = distinct // base
            if base**order <= _MAX_PACKED:
                places = np.searchsorted(prefixes, places)
            prefix_share = prefix_counts[places] / prefix_counts.sum()
        yield _summary(times, prefix_share)
        prefixes, prefix_counts = distinct, times


def _grams(words: Numbered, order: int, prefixes: Ints | None) -> Ints:
    """The n-grams of one order, each packed into one number: the prefix's digits, then the last word's.

    Args:
        words: All words.
        order: Length of the n-grams.
        prefixes: Distinct (order - 1)-grams, ascending, whose ranks stand for them where digits would not fit;
            ``None`` where they fit.
    """
    base, n = max(words.n_types, 1), len(words.ids) - order + 1
    if n <= 0:
        return np.empty(0, np.int64)
    whole = words.left[:n] >= order
    if prefixes is None:
        packed = words.ids[:n].astype(np.int64)
        for offset in range(1, order):
            packed *= base
            packed += words.ids[offset : offset + n]
        return packed[whole]
    shorter = _grams(words, order - 1, None)
    goes_on = words.left[words.left >= order - 1] >= order
    packed = np.searchsorted(prefixes, shorter[goes_on]).astype(np.int64)
    packed *= base
    packed += words.ids[order - 1 :][whole]
    return packed


def _distinct(grams: Ints) -> tuple[Ints, Ints]:
    """Distinct numbers, ascending, and how often each occurs; the array is sorted in place."""
    if not len(grams):
        return grams, np.empty(0, np.int64)
    grams.sort()
    firsts = np.flatnonzero(np.concatenate(([True], grams[1:] != grams[:-1])))
    return grams[firsts], np.diff(firsts, append=len(grams))


def _summary(times: Ints, prefix_share: NDArray[np.float64] | None) -> Counts:
    total = int(times.sum())
    if not total:
        return Counts(0, 0, 0, 0.0, 0.0)
    share = times / total
    entropy = abs(float(-(share * np.log2(share)).sum()))
    conditional = 0.0 if prefix_share is None else float(-(share * np.log2(share / prefix_share)).sum())
    return Counts(total, len(times), int((times == 1).sum()), entropy, conditional)


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
