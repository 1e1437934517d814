"""The ranking: one pure function for terminal, board, API and exports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is ranked.

    Attributes:
        key: Names it.
        value: Its value; ``None`` where missing.
        created_at: When it was made, RFC 3339 in UTC, which sorts as text.
    """

    key: str
    value: float | None
    created_at: str


@dataclass(frozen=True, slots=True)
class Ranked:
    """Where a candidate stands.

    Attributes:
        key: Names it.
        rank: From 1, shared by equal values (1, 1, 3); ``None`` without a value or direction.
        position: From 0, the order in which candidates are shown.
    """

    key: str
    rank: int | None
    position: int


def rank(candidates: Sequence[Candidate], *, higher_is_better: bool | None) -> list[Ranked]:
    """Rank candidates by value.

    Missing values stand last in both directions and have no rank; equal values share a rank, the earlier one shown
    first (then by key); nothing is imputed. Filter after ranking: a filter never changes a rank.

    Args:
        candidates: In any order.
        higher_is_better: ``None`` for a metric without direction: nobody is ranked, all are shown by time.

    Returns:
        In the order of position.
    """
    known = [candidate for candidate in candidates if _value(candidate) is not None and higher_is_better is not None]
    rest = [candidate for candidate in candidates if _value(candidate) is None or higher_is_better is None]
    towards = -1.0 if higher_is_better else 1.0
    known.sort(key=lambda one: (towards * (one.value or 0.0), one.created_at, one.key))
    rest.sort(key=lambda one: (one.created_at, one.key))
    out: list[Ranked] = []
    place = 0
    for position, candidate in enumerate(known):
        if position == 0 or candidate.value != known[position - 1].value:
            place = position + 1
        out.append(Ranked(candidate.key, place, position))
    out += [Ranked(candidate.key, None, position) for position, candidate in enumerate(rest, len(known))]
    return out


def _value(candidate: Candidate) -> float | None:
    # A value that is not a number would sort anywhere.
    return candidate.value if candidate.value is not None and np.isfinite(candidate.value) else None
