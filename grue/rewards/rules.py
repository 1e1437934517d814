"""How numbers of several rewards become one: weighted sum, clip, fixed standardisation, log-sigmoid.

A rule is a value: it turns arrays into an array, ranges into a range, and formulas into a formula that
``grue.rewards.parse`` reads back. The log-sigmoid of a reward less a reference value, and sums of rewards so
transformed, are those of Wang et al. 2024, "Transforming and Combining Rewards for Aligning Large Language Models".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from grue.core.metric import Floats


@dataclass(frozen=True, slots=True)
class Range:
    """Smallest and largest possible value; ``None`` where unbounded."""

    low: float | None
    high: float | None


class Rule(Protocol):
    """A way to combine.

    Attributes:
        whole: Whether a value depends on the other rows, so that all must be known first.
    """

    whole: ClassVar[bool]

    def apply(self, values: Sequence[Floats]) -> Floats:
        """Values of the parts, each of shape (n,) -> values, shape (n,); NaN where a part is NaN."""
        ...

    def range(self, parts: Sequence[Range]) -> Range:
        """The range that follows from those of the parts."""
        ...

    def formula(self, parts: Sequence[str]) -> str:
        """Text with the parts' texts in it."""
        ...

    def signature(self, parts: Sequence[str]) -> str:
        """The formula with signatures in it, and whatever the formula leaves to a file."""
        ...


def number(value: float | None) -> str:
    """A number so that reading it gives the same number: ``2`` for 2.0, ``None`` for none."""
    return "None" if value is None else repr(float(value)).removesuffix(".0")


@dataclass(frozen=True, slots=True)
class WeightedSum:
    """Parts times their weights, plus a constant."""

    weights: tuple[float, ...]
    constant: float = 0.0
    whole: ClassVar[bool] = False

    def apply(self, values: Sequence[Floats]) -> Floats:
        """The sum, term by term."""
        total = np.zeros_like(values[0])
        for weight, value in zip(self.weights, values, strict=True):
            total = total + weight * value
        return total + self.constant

    def range(self, parts: Sequence[Range]) -> Range:
        """Bounds added up in the order of ``apply``, so that rounding cannot push a value out."""
        low: float | None = 0.0
        high: float | None = 0.0
        for weight, part in zip(self.weights, parts, strict=True):
            below, above = (part.low, part.high) if weight >= 0 else (part.high, part.low)
            low, high = _added(low, weight, below), _added(high, weight, above)
        return Range(
            None if low is None else low + self.constant,
            None if high is None else high + self.constant,
        )

    def formula(self, parts: Sequence[str]) -> str:
        """``0.5*a - b + 1``; a constant comes first where the first weight is negative."""
        lone = len(parts) == 1 and self.constant == 0
        terms = [_term(weight, part, keep_one=lone) for weight, part in zip(self.weights, parts, strict=True)]
        if self.constant:
            constant = (self.constant < 0, number(abs(self.constant)))
            terms = [constant, *terms] if terms[0][0] and not constant[0] else [*terms, constant]
        first, *rest = terms
        text = f"-{first[1]}" if first[0] else first[1]
        return text + "".join(f" {'-' if negative else '+'} {term}" for negative, term in rest)

    def signature(self, parts: Sequence[str]) -> str:
        """The formula."""
        return self.formula(parts)


def _added(total: float | None, weight: float, bound: float | None) -> float | None:
    if weight == 0:
        return total
    return None if total is None or bound is None else total + weight * bound


def _term(weight: float, part: str, *, keep_one: bool) -> tuple[bool, str]:
    size = abs(weight)
    plain = size == 1 and not (keep_one and weight > 0)
    return weight < 0, part if plain else f"{number(size)}*{part}"


@dataclass(frozen=True, slots=True)
class Clip:
    """Values below ``low`` become ``low``, those above ``high`` become ``high``; ``None`` leaves a side open."""

    low: float | None
    high: float | None
    whole: ClassVar[bool] = False

    def apply(self, values: Sequence[Floats]) -> Floats:
        """Clipped values."""
        clipped = values[0]
        if self.low is not None:
            clipped = np.maximum(clipped, self.low)
        if self.high is not None:
            clipped = np.minimum(clipped, self.high)
        return clipped

    def range(self, parts: Sequence[Range]) -> Range:
        """The part's range within the bounds."""
        return Range(self._inside(parts[0].low, self.low), self._inside(parts[0].high, self.high))

    def _inside(self, bound: float | None, otherwise: float | None) -> float | None:
        if bound is None:
            return otherwise
        bound = bound if self.low is None else max(bound, self.low)
        return bound if self.high is None else min(bound, self.high)

    def formula(self, parts: Sequence[str]) -> str:
        """``clip(a, 0, 1)``."""
        return f"clip({parts[0]}, {number(self.low)}, {number(self.high)})"

    def signature(self, parts: Sequence[str]) -> str:
        """The formula."""
        return self.formula(parts)


@dataclass(frozen=True, slots=True)
class Standardise:
    """A fixed mean is taken off and the rest divided by a fixed standard deviation."""

    mean: float
    std: float
    whole: ClassVar[bool] = False

    def apply(self, values: Sequence[Floats]) -> Floats:
        """Standard scores."""
        return (values[0] - self.mean) / self.std

    def range(self, parts: Sequence[Range]) -> Range:
        """The part's bounds, treated alike."""
        part = parts[0]
        return Range(
            None if part.low is None else (part.low - self.mean) / self.std,
            None if part.high is None else (part.high - self.mean) / self.std,
        )

    def formula(self, parts: Sequence[str]) -> str:
        """``standardise(a, 0.3, 0.1)``."""
        return f"standardise({parts[0]}, {number(self.mean)}, {number(self.std)})"

    def signature(self, parts: Sequence[str]) -> str:
        """The formula."""
        return self.formula(parts)


@dataclass(frozen=True, slots=True)
class LogSigmoid:
    """Logarithm of the sigmoid of a value less a reference value, at most 0.

    Below the reference it falls almost linearly, above it gains flatten out, so that a sum of such terms asks for
    all of them to be good at once.
    """

    reference: float = 0.0
    whole: ClassVar[bool] = False

    def apply(self, values: Sequence[Floats]) -> Floats:
        """Transformed values, none above 0."""
        return _log_sigmoid(values[0] - self.reference)

    def range(self, parts: Sequence[Range]) -> Range:
        """The transformed bounds; 0 where the part has no upper one."""
        return Range(
            None if parts[0].low is None else self._at(parts[0].low),
            0.0 if parts[0].high is None else self._at(parts[0].high),
        )

    def _at(self, value: float) -> float:
        return float(_log_sigmoid(np.array([value - self.reference]))[0])

    def formula(self, parts: Sequence[str]) -> str:
        """``log_sigmoid(a, 0.4)``."""
        return f"log_sigmoid({parts[0]}, {number(self.reference)})"

    def signature(self, parts: Sequence[str]) -> str:
        """The formula."""
        return self.formula(parts)


def _log_sigmoid(values: Floats) -> Floats:
    with np.errstate(invalid="ignore"):  # NaN stays NaN
        result: Floats = -np.logaddexp(0.0, -values)
    return result
