"""What a reward is: a batch of texts in, one number a prediction out."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Protocol, runtime_checkable

from grue.core.metric import Digests, Floats, Texts


class Reward(Protocol):
    """A reward function.

    Attributes:
        name: Name in ``grue rewards list``.
        low: Smallest possible value; ``None`` where unbounded.
        high: Largest possible value; ``None`` where unbounded.
        needs_references: Whether a row without references has no reward (NaN).
    """

    name: str
    low: float | None
    high: float | None
    needs_references: bool

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

    Attributes:
        digest_key: Rewards and metrics with equal keys share their digests.
    """

    digest_key: Hashable

    def digest(self, texts: Texts) -> Sequence[Any]:
        """One object a prediction, as small as will do."""
        ...

    def pooled(self, digests: Digests) -> Floats:
        """Shape (n,)."""
        ...
