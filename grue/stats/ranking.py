"""The ranking: one pure function for terminal, board, API and exports."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grue.core.metric import Floats


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


def shared_ranks(values: Floats, *, higher_is_better: bool) -> NDArray[np.int64]:
    """The ranks of ``rank`` for many values at once.

    Args:
        values: Shape (candidates,); NaN where missing.
        higher_is_better: Direction of the metric.

    Returns:
        Shape (candidates,): ranks from 1, shared by equal values; 0 where missing.
    """
    ranks = np.zeros(len(values), dtype=np.int64)
    known = np.isfinite(values)
    towards = -values[known] if higher_is_better else values[known]
    ranks[known] = 1 + np.searchsorted(np.sort(towards), towards, side="left")
    return ranks


def _value(candidate: Candidate) -> float | None:
    # A value that is not a number would sort anywhere.
    return candidate.value if candidate.value is not None and math.isfinite(candidate.value) else None
