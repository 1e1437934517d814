"""A number that rows bring with them, such as a reference model's reward for the same prompt."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from grue.core.metric import Floats, Texts
from grue.core.text import Json


@dataclass(frozen=True)
class Given:
    """The row's number under a key; NaN where there is none.

    Attributes:
        key: Name among the row's inputs.
    """

    key: str
    low: float | None = None
    high: float | None = None
    needs_references: bool = False

    @property
    def name(self) -> str:
        """The formula."""
        return self.formula()

    def formula(self) -> str:
        """``row('key')``."""
        return f"row({self.key!r})"

    def signature(self) -> str:
        """The formula."""
        return self.formula()

    def rewards(self, texts: Texts) -> Floats:
        """Shape (n,)."""
        return np.array([_number(row.get(self.key)) for row in texts.inputs], dtype=np.float64)


def _number(value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return math.nan
    try:
        number = float(value)
    except OverflowError:
        return math.nan
    return number if math.isfinite(number) else math.nan
