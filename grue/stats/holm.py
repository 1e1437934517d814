"""Holm's correction for several tests (Holm 1979): the chance of any false finding stays at the level."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjusted p-values: a test is significant at a level where its adjusted value is at most that level.

    Args:
        p_values: One for each test of the family; ``None`` for a test that could not be made, which does not count.

    Returns:
        In the order given, at most 1, never smaller than the p-value itself; ``None`` stays ``None``.
    """
    known = sorted((value, index) for index, value in enumerate(p_values) if value is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    reached = 0.0
    for place, (value, index) in enumerate(known):
        reached = max(reached, min(1.0, (len(known) - place) * value))
        adjusted[index] = reached
    return adjusted
