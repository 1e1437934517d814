"""Runs of four words as numbers, over a whole portion at once: what the rates of repetition and copying count.

Words become numbers in one pass over the predictions; a run is one number whose digits are its words. Words of inputs
that no prediction has stay without a number, and so do runs with such a word: none of them can be copied.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count, repeat

import numpy as np
from numpy.typing import NDArray

from grue.core.metric import Floats, Texts
from grue.metrics.text import words

ORDER = 4
Ints = NDArray[np.int64]
_MAX_PACKED = int(np.iinfo(np.int64).max)
_UNKNOWN = -1
_HASH_BITS = 20
_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2**64 by the golden ratio, which spreads neighbours


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of a portion's predictions.

    Attributes:
        numbers: Word -> its number, from 0.
        pairs: Distinct word pairs, ascending, where four words do not fit into one number; else ``None``.
        keys: A number for each run, equal for equal runs, in order; shape (n_runs,).
        owners: Index of each run's prediction, shape (n_runs,).
        per_row: Runs of each prediction, shape (n,).
    """

    numbers: Mapping[str, int]
    pairs: Ints | None
    keys: Ints
    owners: Ints
    per_row: Ints


def runs(texts: Texts, tokenize: str, *, punctuation: bool) -> Runs:
    """The runs of the predictions, made once for all metrics that share the settings."""
    return texts.derived(
        ("runs", tokenize, punctuation), lambda: _runs(words.tokens(texts, tokenize, punctuation=punctuation))
    )


def repeated(found: Runs) -> Floats:
    """1 for each prediction in which a run occurs twice, else 0; shape (n,)."""
    flags = np.zeros(len(found.per_row))
    ordered = np.sort(found.keys)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    places = np.flatnonzero(_within(found.keys, twice))
    # Stable: equal runs of one prediction come together.
    places = places[np.argsort(found.keys[places], kind="stable")]
    keys, owners = found.keys[places], found.owners[places]
    flags[owners[1:][(keys[1:] == keys[:-1]) & (owners[1:] == owners[:-1])]] = 1.0
    return flags


def shares(found: Runs, source_of_row: Ints, sources: Iterable[Sequence[str]]) -> Floats:
    """Share of each prediction's runs that its source has.

    Args:
        found: Runs of the predictions.
        source_of_row: Index of each prediction's source, -1 where it copies nothing; shape (n,).
        sources: Words of each source.

    Returns:
        Shape (n,); NaN for a prediction without a run.
    """
    lengths: list[int] = []
    ids: list[int] = []
    for row in sources:
        lengths.append(len(row))
        ids.extend(map(found.numbers.get, row, repeat(_UNKNOWN)))
    given = np.array(ids, dtype=np.int64)
    places, owners = _starts(np.array(lengths, dtype=np.int64))
    known = np.logical_and.reduce([given[places + offset] >= 0 for offset in range(ORDER)])
    places, owners = places[known], owners[known]
    keys = _keys(given, places, len(found.numbers), found.pairs)
    kept = _within(keys, np.sort(found.keys))
    shared = np.unique(keys[kept])
    in_sources = owners[kept] * len(shared) + np.searchsorted(shared, keys[kept])
    owner_sources = source_of_row[found.owners]
    candidates = np.flatnonzero((owner_sources >= 0) & _within(found.keys, shared))
    in_rows = owner_sources[candidates] * len(shared) + np.searchsorted(shared, found.keys[candidates])
    hits = found.owners[candidates[_within(in_rows, np.sort(in_sources))]]
    copied = np.bincount(hits, minlength=len(found.per_row))
    return np.where(found.per_row > 0, copied / np.maximum(found.per_row, 1), np.nan)


def _runs(rows: Sequence[Sequence[str]]) -> Runs:
    numbers: defaultdict[str, int] = defaultdict(count().__next__)
    ids = np.array(list(map(numbers.__getitem__, chain.from_iterable(rows))), dtype=np.int64)
    lengths = np.array(list(map(len, rows)), dtype=np.int64)
    places, owners = _starts(lengths)
    base = len(numbers)
    pairs = np.unique(ids[:-1] * base + ids[1:]) if base**ORDER > _MAX_PACKED else None
    return Runs(numbers, pairs, _keys(ids, places, base, pairs), owners, np.maximum(lengths - ORDER + 1, 0))


def _starts(lengths: Ints) -> tuple[Ints, Ints]:
    """Where the runs of consecutive texts begin, and the text of each."""
    owners = np.repeat(np.arange(len(lengths)), lengths)
    left = np.repeat(np.cumsum(lengths), lengths) - np.arange(len(owners))
    places = np.flatnonzero(left >= ORDER)
    return places, owners[places]


def _keys(ids: Ints, places: Ints, base: int, pairs: Ints | None) -> Ints:
    """The number of each run of known words; ``_UNKNOWN`` for one with a pair that the predictions do not have."""
    first, second = (ids[places + offset] * base + ids[places + offset + 1] for offset in (0, 2))
    if pairs is None:
        return first * base**2 + second
    known = _within(first, pairs) & _within(second, pairs)
    return np.where(known, np.searchsorted(pairs, first) * len(pairs) + np.searchsorted(pairs, second), _UNKNOWN)


def _within(values: Ints, ascending: Ints) -> NDArray[np.bool_]:
    """Which values are among sorted ones."""
    found = np.zeros(len(values), dtype=bool)
    if not len(ascending):
        return found
    # Few are as a rule: a table of hashes leaves out most of the others before the search, which is slow.
    table = np.zeros(1 << _HASH_BITS, dtype=bool)
    table[_hashes(ascending)] = True
    maybe = np.flatnonzero(table[_hashes(values)])
    nearest = np.minimum(np.searchsorted(ascending, values[maybe]), len(ascending) - 1)
    found[maybe] = ascending[nearest] == values[maybe]
    return found


def _hashes(values: Ints) -> Ints:
    mixed = values.astype(np.uint64) * _MIX >> np.uint64(64 - _HASH_BITS)
    return mixed.astype(np.int64)
