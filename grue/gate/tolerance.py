"""How much worse a number may get: an amount in its own unit, or a share of the baseline's value."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_PERCENT = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*%\s*")


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What is let pass.

    Attributes:
        amount: In the metric's unit; a fraction of the baseline's value where relative; 0 or more.
        is_relative: Whether it is a share of the baseline's value.
    """

    amount: float = 0.0
    is_relative: bool = False

    def of(self, baseline: float) -> float:
        """The same in the metric's unit."""
        return self.amount * abs(baseline) if self.is_relative else self.amount

    def __str__(self) -> str:
        return f"{100 * self.amount:g} %" if self.is_relative else f"{self.amount:g}"


def parse_tolerance(value: object) -> Tolerance | None:
    """A number of 0 or more, or such a number with a percent sign in a string; ``None`` for anything else.

    >>> parse_tolerance("2%")
    Tolerance(amount=0.02, is_relative=True)
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return Tolerance(float(value)) if math.isfinite(value) and value >= 0 else None
    found = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    return Tolerance(float(found[1]) / 100, is_relative=True) if found else None
