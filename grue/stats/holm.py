"""Holm's correction for several tests (Holm 1979): the chance of any false finding stays at the level."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from grue.core.metric import Floats


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


def holm_all(p_values: Floats) -> Floats:
    """``holm`` of an array, NaN for a test that could not be made."""
    order = np.argsort(p_values, kind="stable")  # NaN last
    n_known = int((~np.isnan(p_values)).sum())
    known = order[:n_known]
    adjusted = np.full(len(p_values), np.nan)
    factors = np.arange(n_known, 0, -1)
    adjusted[known] = np.maximum.accumulate(np.minimum(1.0, factors * p_values[known]))
    return adjusted
