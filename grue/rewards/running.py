"""Rules that look at other rows: running normalisation, and the growing mean of the paper's intent reward."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from grue.core.metric import Floats
from grue.rewards.rules import Range, number

# A batch of equal values has no spread; they become 0 instead of a division by it.
SMALLEST_STD = 1e-8


@dataclass(slots=True)
class Running:
    """Standard scores by the mean and standard deviation of all values seen so far: the one rule with a state.

    A batch is first added to the state, then scored by it. Values that are not finite are passed over.

    Attributes:
        n: Values seen.
        mean: Their mean.
        m2: Sum of their squared differences from the mean (Welford 1962; batches joined as in Chan et al. 1979).
    """

    n: int = 0
    mean: float = 0.0
    m2: float = 0.0
    _start: str = field(init=False, compare=False, repr=False)
    whole: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self._start = self._state()

    @property
    def std(self) -> float:
        """Population standard deviation, never below ``SMALLEST_STD``; 1 before the first value."""
        return max(math.sqrt(self.m2 / self.n), SMALLEST_STD) if self.n else 1.0

    def see(self, values: Floats) -> None:
        """Add a batch to the state."""
        known = values[np.isfinite(values)]
        if not len(known):
            return
        n, mean = len(known), float(known.mean())
        difference, total = mean - self.mean, self.n + n
        self.m2 += float(((known - mean) ** 2).sum()) + difference**2 * self.n * n / total
        self.mean += difference * n / total
        self.n = total

    def apply(self, values: Sequence[Floats]) -> Floats:
        """Standard scores of a batch; changes the state."""
        self.see(values[0])
        return (values[0] - self.mean) / self.std

    def range(self, parts: Sequence[Range]) -> Range:  # noqa: ARG002
        """Unbounded, since the state may become anything."""
        return Range(None, None)

    def formula(self, parts: Sequence[str]) -> str:
        """``running(a)``, with the state once there is one."""
        return f"running({parts[0]}{self._state()})"

    def signature(self, parts: Sequence[str]) -> str:
        """The formula with the state it began with, so that scoring does not change it."""
        return f"running({parts[0]}{self._start})"

    def _state(self) -> str:
        return f", {self.n}, {number(self.mean)}, {number(self.m2)}" if self.n else ""


@dataclass(frozen=True, slots=True)
class GrowingMean:
    """Row i gets the mean of rows 1 to i, in their order; rows without a value stay without and count for none."""

    whole: ClassVar[bool] = True

    def apply(self, values: Sequence[Floats]) -> Floats:
        """Means of ever more rows."""
        known = ~np.isnan(values[0])
        sums = np.cumsum(np.where(known, values[0], 0.0))
        out: Floats = np.where(known, sums / np.maximum(np.cumsum(known), 1), np.nan)
        return out

    def range(self, parts: Sequence[Range]) -> Range:
        """The part's."""
        return parts[0]

    def formula(self, parts: Sequence[str]) -> str:
        """``growing_mean(a)``."""
        return f"growing_mean({parts[0]})"

    def signature(self, parts: Sequence[str]) -> str:
        """The formula."""
        return self.formula(parts)
