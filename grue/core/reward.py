"""What a reward is: a batch of texts in, one number a prediction out."""

from __future__ import annotations

from typing import Protocol

from grue.core.metric import Floats, Texts


class Reward(Protocol):
    """A reward function.

    Attributes:
        name: Name in ``grue rewards list``.
        low: Smallest possible value; ``None`` where unbounded.
        high: Largest possible value; ``None`` where unbounded.
    """

    name: str
    low: float | None
    high: float | None

    def signature(self) -> str:
        """Every setting that can change the number, in a fixed order."""
        ...

    def rewards(self, texts: Texts) -> Floats:
        """Shape (n,), higher is better."""
        ...
