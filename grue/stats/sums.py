"""Sums of statistics over drawn rows as one product, in single precision where that is exact."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from grue.core.metric import Floats

Weights = npt.NDArray[np.floating[Any]]
_WHOLE_NUMBERS = 2**24  # single precision holds every whole number up to here


def weight_type(statistics: Iterable[Floats]) -> type[np.float32] | type[np.float64]:
    """The type of weights for sums over at most as many draws as there are rows.

    Counts of n-grams are small whole numbers: their sums are the same in single precision, at half the cost.
    """
    return np.float32 if all(map(_is_exact_in_single, statistics)) else np.float64


def weighted_sums(weights: Weights, statistics: Weights) -> Floats:
    """Sums for each row of weights, shape (m, rows) and (rows, k) -> (m, k)."""
    return np.asarray(weights @ statistics.astype(weights.dtype, copy=False), dtype=np.float64)


def _is_exact_in_single(statistics: Floats) -> bool:
    if not statistics.size:
        return True
    largest = float(np.abs(statistics).max()) * len(statistics)
    return largest < _WHOLE_NUMBERS and bool((statistics == np.rint(statistics)).all())
