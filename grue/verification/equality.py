"""Where two JSON values differ by more than rounding."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from grue.core.metric import Floats
from grue.core.text import Json


@dataclass(frozen=True, slots=True)
class Difference:
    """Keys from the top, joined by dots, and the two values there."""

    key: str
    stored: Json
    again: Json


def close(stored: float, again: float, tolerance: float) -> bool:
    """Whether two numbers are equal but for rounding, relative to the larger one or, near 0, absolutely."""
    return math.isclose(stored, again, rel_tol=tolerance, abs_tol=tolerance)


def differences(stored: Json, again: Json, tolerance: float, key: str = "") -> Iterator[Difference]:
    """Every place where two values differ; a key that only one side has is a difference."""
    if _is_number(stored) and _is_number(again):
        if not close(float(stored), float(again), tolerance):  # type: ignore[arg-type]
            yield Difference(key, stored, again)
    elif isinstance(stored, Mapping) and isinstance(again, Mapping):
        for name in [*stored, *(name for name in again if name not in stored)]:
            yield from differences(stored.get(name), again.get(name), tolerance, f"{key}.{name}" if key else str(name))
    elif _is_list(stored) and _is_list(again):
        if len(stored) != len(again):  # type: ignore[arg-type]
            yield Difference(key, stored, again)
            return
        for place, (one, other) in enumerate(zip(stored, again, strict=True)):  # type: ignore[arg-type]
            yield from differences(one, other, tolerance, f"{key}[{place}]")
    elif stored != again or type(stored) is not type(again):
        yield Difference(key, stored, again)


def differing_rows(stored: Floats, again: Floats, tolerance: float) -> list[int]:
    """Rows in which two arrays of one shape differ; NaN equals NaN.

    Args:
        stored: Shape (n,) or (n, k).
        again: The same shape.
        tolerance: As in ``close``.
    """
    equal = np.isclose(stored, again, rtol=tolerance, atol=tolerance, equal_nan=True)
    rows = equal if equal.ndim == 1 else equal.all(axis=1)
    return [int(row) for row in np.flatnonzero(~rows)]


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_list(value: Json) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def shown(value: Any) -> str:
    """A value for a message, cut where it is long."""
    text = repr(value.tolist() if isinstance(value, np.ndarray | np.generic) else value)
    return text if len(text) <= 100 else f"{text[:99]}…"
