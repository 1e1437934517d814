"""Rewards made of rewards: sums, clips, normalised, calibrated and transformed ones, closed under composition.

Whatever comes out is a reward again, with a range that follows from its parts, a signature, and a formula such as
``0.5*meteor + 0.5*clip(rouge_combined, 0, 1)``. A combination that needs all rows at once, or has a part that does,
is a pooled reward.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np

from grue.core.errors import UsageError
from grue.core.metric import Digests, Floats, Texts
from grue.core.reward import PooledReward, Reward
from grue.rewards.calibration import calibrate_rule
from grue.rewards.named import Named
from grue.rewards.rules import Clip, LogSigmoid, Range, Rule, Standardise, WeightedSum
from grue.rewards.running import GrowingMean, Running

Term = tuple[float, Reward]


@dataclass(frozen=True)
class Combined:
    """A rule and the rewards it combines."""

    rule: Rule
    parts: tuple[Reward, ...]

    @property
    def name(self) -> str:
        """The name where there is one, else the formula."""
        return self.rule.name if isinstance(self.rule, Named) else self.formula()

    @property
    def low(self) -> float | None:
        """Smallest possible value."""
        return self._range().low

    @property
    def high(self) -> float | None:
        """Largest possible value."""
        return self._range().high

    @property
    def needs_references(self) -> bool:
        """Whether any part does."""
        return any(part.needs_references for part in self.parts)

    def formula(self) -> str:
        """Text that ``grue.rewards.parse.parse`` reads back to an equal reward."""
        return self.rule.formula([formula(part) for part in self.parts])

    def signature(self) -> str:
        """The formula with the parts' signatures in brackets."""
        return self.rule.signature([f"[{part.signature()}]" for part in self.parts])

    def rewards(self, texts: Texts) -> Floats:
        """Shape (n,); NaN where a part is."""
        return self.rule.apply([checked(part, texts) for part in self.parts])

    def _range(self) -> Range:
        return self.rule.range([Range(part.low, part.high) for part in self.parts])


class PooledCombined(Combined):
    """A combination that is made when all texts are known; one part alone keeps its own digests."""

    @property
    def digest_key(self) -> Hashable:
        """The only part's own, else the parts' signatures."""
        only = self._only_pooled()
        return only.digest_key if only else ("combined", *(part.signature() for part in self.parts))

    def digest(self, texts: Texts) -> Sequence[Any]:
        """A pooled part's digests, any other part's numbers; a tuple of them where there are several parts."""
        only = self._only_pooled()
        if only:
            return only.digest(texts)
        columns = [part.digest(texts) if is_pooled(part) else checked(part, texts).tolist() for part in self.parts]
        return list(zip(*columns, strict=True))

    def pooled(self, digests: Digests) -> Floats:
        """Shape (n,)."""
        only = self._only_pooled()
        if only:
            return self.rule.apply([_float_array(only.pooled(digests), only, len(digests))])
        return self.rule.apply([self._column(part, index, digests) for index, part in enumerate(self.parts)])

    def rewards(self, texts: Texts) -> Floats:
        """The batch as if it were all there is."""
        return self.pooled(Digests(self.digest(texts)))

    def _only_pooled(self) -> PooledReward | None:
        part = self.parts[0]
        return part if len(self.parts) == 1 and is_pooled(part) else None

    @staticmethod
    def _column(part: Reward, index: int, digests: Digests) -> Floats:
        if not is_pooled(part):
            return np.array([item[index] for item in digests.items], dtype=np.float64)
        own = digests.derived(("part", index), lambda: Digests([item[index] for item in digests.items]))
        return _float_array(part.pooled(own), part, len(digests))


def is_pooled(reward: Reward) -> TypeGuard[PooledReward]:
    """Whether a reward needs all texts of a run at hand."""
    return isinstance(reward, PooledReward)


def formula(reward: Reward) -> str:
    """The text that names a reward: its formula, or its name where it is no combination."""
    own = getattr(reward, "formula", None)
    return str(own()) if callable(own) else reward.name


def checked(reward: Reward, texts: Texts) -> Floats:
    """A reward's values, their shape checked.

    Raises:
        ValueError: where a reward does not give one number a prediction.
    """
    return _float_array(reward.rewards(texts), reward, len(texts))


def _float_array(values: Any, reward: Reward, n: int) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (n,):
        raise ValueError(f"reward {reward.name!r} gave an array of shape {array.shape} for {n} predictions")
    return array


def combined(rule: Rule, *parts: Reward) -> Combined:
    """Rewards under a rule, pooled where the rule or a part asks for all texts."""
    kind = PooledCombined if rule.whole or any(is_pooled(part) for part in parts) else Combined
    return kind(rule, parts)


def weighted_sum(terms: Sequence[Term], constant: float = 0.0) -> Combined:
    """Rewards times weights, plus a constant; a sum inside a sum becomes part of it.

    Raises:
        UsageError: where there is no term, or a number is not finite.
    """
    if not terms:
        raise UsageError("A sum of rewards needs at least one reward.", "For example: 0.5*meteor + 0.5*rouge")
    flat: list[Term] = []
    total = _finite(constant, "constant")
    for weight, part in terms:
        factor = _finite(weight, "weight")
        if isinstance(part, Combined) and isinstance(part.rule, WeightedSum):
            inner = zip(part.rule.weights, part.parts, strict=True)
            flat += [(_finite(factor * own, "weight"), reward) for own, reward in inner]
            total = _finite(total + factor * part.rule.constant, "constant")
        else:
            flat.append((factor, part))
    rule = WeightedSum(tuple(weight for weight, _ in flat), total)
    return combined(rule, *(part for _, part in flat))


def clip(reward: Reward, low: float | None = None, high: float | None = None) -> Combined:
    """Keep a reward within bounds, ``None`` for none on that side.

    Raises:
        UsageError: where a bound is not finite or ``low`` is above ``high``.
    """
    below = None if low is None else _finite(low, "bound")
    above = None if high is None else _finite(high, "bound")
    if below is not None and above is not None and below > above:
        raise UsageError(f"clip: the lower bound {below:g} is above the upper one {above:g}.", "Exchange them.")
    return combined(Clip(below, above), reward)


def standardise(reward: Reward, mean: float, std: float) -> Combined:
    """Take off a fixed mean and divide by a fixed standard deviation.

    Raises:
        UsageError: where a number is not finite, or ``std`` not above 0.
    """
    if not _finite(std, "standard deviation") > 0:
        raise UsageError(f"standardise: the standard deviation is {std:g}.", "Give one above 0.")
    return combined(Standardise(_finite(mean, "mean"), float(std)), reward)


def running(reward: Reward, n: int = 0, mean: float = 0.0, m2: float = 0.0) -> Combined:
    """Standard scores by all values seen so far, from a given state on; each batch changes the state.

    ``frozen`` gives a copy that no longer changes.

    Raises:
        UsageError: where the state is none.
    """
    if n < 0 or _finite(m2, "m2") < 0:
        raise UsageError(f"running: n={n}, m2={m2:g} is no state.", "Neither can be negative; leave them out to begin.")
    state = Running(int(n), _finite(mean, "mean"), float(m2)) if n else Running()
    return combined(state, reward)


def calibrate(reward: Reward, values: Sequence[float], path: str = "") -> Combined:
    """The share of reference values that a reward reaches: its quantile among a reference model's outputs.

    Args:
        reward: What is calibrated.
        values: The same reward of the reference model's outputs.
        path: File that the values came from, for the formula.

    Raises:
        UsageError: where there are no values, or one is not finite.
    """
    return combined(calibrate_rule(values, path), reward)


def log_sigmoid(reward: Reward, reference: float = 0.0) -> Combined:
    """Logarithm of the sigmoid of a reward less a reference value (Wang et al. 2024).

    Raises:
        UsageError: where the reference is not finite.
    """
    return combined(LogSigmoid(_finite(reference, "reference")), reward)


def sum_transformed(pairs: Sequence[tuple[Reward, float]]) -> Combined:
    """Sum of log-sigmoids, each of a reward less its own reference value (Wang et al. 2024).

    Raises:
        UsageError: where there is no reward, or a reference is not finite.
    """
    return weighted_sum([(1.0, log_sigmoid(reward, reference)) for reward, reference in pairs])


def growing_mean(reward: Reward) -> Combined:
    """Row i gets the mean of rows 1 to i: a fault of the paper's code, kept under a name."""
    return combined(GrowingMean(), reward)


def frozen(reward: Reward) -> Reward:
    """A copy in which each running normalisation is replaced by its present mean and standard deviation.

    Raises:
        UsageError: where one has seen no values.
    """
    if not isinstance(reward, Combined):
        return reward
    parts = [frozen(part) for part in reward.parts]
    if not isinstance(reward.rule, Running):
        return combined(reward.rule, *parts)
    if not reward.rule.n:
        raise UsageError("A running normalisation that has seen nothing cannot be frozen.", "Score a batch first.")
    return standardise(parts[0], reward.rule.mean, reward.rule.std)


def _finite(value: float, what: str) -> float:
    if not math.isfinite(value):
        raise UsageError(f"A {what} of a reward must be a finite number, found {value}.", "Give a plain number.")
    return float(value) + 0.0  # -0.0 becomes 0.0, which prints and reads alike
