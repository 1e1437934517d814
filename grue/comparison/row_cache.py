"""Rows of entries as they were drawn, kept from one ranking to the next."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from grue.core.metric import Floats

Ids = tuple[str, ...]
Key = tuple[str, str, tuple[str, ...]]  # task, metric, checksums of the runs


@dataclass(frozen=True, slots=True)
class EntryRows:
    """One metric of one entry on the rows of a task, in the order shared by all entries.

    Attributes:
        draws: Mean over seeds under resampling, shape (n_resamples,).
        parts: Each row's part in it, shape (rows,): pseudo-values of the jackknife (Efron & Stein 1981), for a mean the
            rows' own values, whose standard error is that of the value.
        seeds: The value of each seed.
    """

    draws: Floats
    parts: Floats
    seeds: Floats


@dataclass(frozen=True, slots=True)
class Kept:
    """One metric of one entry.

    Attributes:
        ids: Rows that any of its seeds has; nothing where it has none.
        shared: The rows of all entries that it was drawn on; nothing before it is.
        made: What was drawn, or why there is nothing.
    """

    ids: Ids
    shared: Ids
    made: EntryRows | str


class RowCache:
    """What was drawn for entries before, so that a new run costs its own rows and not those of all others.

    An entry's draws depend on its own runs and on which rows all entries have. For one thread at a time.
    """

    def __init__(self) -> None:
        self._kept: dict[Key, Kept] = {}
        self._copies: dict[Ids, Ids] = {}

    def get(self, key: Key) -> Kept | None:
        """What is kept of an entry."""
        return self._kept.get(key)

    def put(self, key: Key, kept: Kept) -> None:
        """Keep it."""
        self._kept[key] = kept

    def one_copy(self, ids: Ids) -> Ids:
        """Ids as the one tuple that stands for all equal ones, so that they can be compared by identity."""
        return self._copies.setdefault(ids, ids)

    def forget_all_but(self, checksums: Collection[str]) -> None:
        """Drop what belongs to other runs than those with these checksums of their results."""
        self._kept = {key: kept for key, kept in self._kept.items() if all(one in checksums for one in key[2])}
        in_use = {id(ids) for kept in self._kept.values() for ids in (kept.ids, kept.shared)}
        self._copies = {ids: ids for ids in self._copies.values() if id(ids) in in_use}
