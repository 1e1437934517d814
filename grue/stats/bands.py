"""Bands: entries between which the data do not tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from grue.core.metric import Floats
from grue.stats.holm import holm_all

LEVEL = 0.05


def bands(
    order: Sequence[str], is_beaten: Callable[[str, str], float | None], *, level: float = LEVEL
) -> dict[str, int]:
    """The band of each entry, from 1.

    The best entry leads the first band. A new band opens at the first entry that the leader of the band above
    significantly beats, and that entry leads it. The tests of one leader against all entries below it are one family
    for Holm's correction, made whole before any of them is read.

    Args:
        order: Keys, best first.
        is_beaten: (leader, entry) -> p of "the leader is better than the entry" (``paired(leader, entry).p_worse``);
            ``None`` where it cannot be tested, which opens no band.
        level: Adjusted p at most this opens a band.

    Returns:
        Key -> band, in the order given.
    """

    def p_after(start: int) -> Floats:
        found = (is_beaten(order[start], entry) for entry in order[start + 1 :])
        return np.array([np.nan if p is None else p for p in found], dtype=np.float64)

    return bands_by(order, p_after, level=level)


def bands_by(order: Sequence[str], p_after: Callable[[int], Floats], *, level: float = LEVEL) -> dict[str, int]:
    """``bands`` with the tests of a leader made together.

    Args:
        order: Keys, best first.
        p_after: Place of a leader, from 0 -> a p for each entry after it, NaN where it cannot be tested.
        level: As for ``bands``.
    """
    out: dict[str, int] = {}
    start, band = 0, 1
    while start < len(order):
        beaten = np.flatnonzero(holm_all(p_after(start)) <= level)
        stop = start + 1 + int(beaten[0]) if len(beaten) else len(order)
        out.update(dict.fromkeys(order[start:stop], band))
        start, band = stop, band + 1
    return out
