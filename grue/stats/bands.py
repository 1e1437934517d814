"""Bands: entries between which the data do not tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from grue.stats.holm import holm

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
    out: dict[str, int] = {}
    start, band = 0, 1
    while start < len(order):
        leader, below = order[start], order[start + 1 :]
        adjusted = holm([is_beaten(leader, entry) for entry in below])
        beaten = (place for place, p in enumerate(adjusted, start + 1) if p is not None and p <= level)
        stop = next(beaten, len(order))
        out.update(dict.fromkeys(order[start:stop], band))
        start, band = stop, band + 1
    return out
