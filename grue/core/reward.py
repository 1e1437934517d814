"""What a reward is: a batch of texts in, one number a prediction out."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Protocol, runtime_checkable

from grue.core.metric import Digests, Floats, Texts


class Reward(Protocol):
    """A reward function."""

    @property
    def name(self) -> str:
        """Name in ``grue rewards list``, or the formula of a combination."""
        ...

    @property
    def low(self) -> float | None:
        """Smallest possible value; ``None`` where unbounded."""
        ...

    @property
    def high(self) -> float | None:
        """Largest possible value; ``None`` where unbounded."""
        ...

    @property
    def needs_references(self) -> bool:
        """Whether a row without references has no reward (NaN)."""
        ...

    def signature(self) -> str:
        """Every setting that can change the number, in a fixed order."""
        ...

    def rewards(self, texts: Texts) -> Floats:
        """Shape (n,), higher is better; NaN where not defined."""
        ...


@runtime_checkable
class PooledReward(Reward, Protocol):
    """A reward that a run computes when all texts are known: it needs a judge or document frequencies.

    ``rewards`` still scores any batch alone, as a trainer calls it.
    """

    @property
    def digest_key(self) -> Hashable:
        """Rewards and metrics with equal keys share their digests."""
        ...

    def digest(self, texts: Texts) -> Sequence[Any]:
        """One object a prediction, as small as will do."""
        ...

    def pooled(self, digests: Digests) -> Floats:
        """Shape (n,)."""
        ...
