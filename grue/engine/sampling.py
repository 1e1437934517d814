"""Drawing a token: the same for a row whatever batch it is in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from grue.engine.null import row_seed


class Uniform(Protocol):
    """Something that has a random number for the next token."""

    def uniform(self) -> float:
        """A number in [0, 1)."""
        ...


class RowRandom:
    """The random numbers of one row's draw: a counter-based generator keyed by run seed, row id and sample."""

    def __init__(self, seed: int, row_id: str, sample: int) -> None:
        self._generator = np.random.Generator(np.random.Philox(key=row_seed(seed, row_id, sample)))

    def uniform(self) -> float:
        """The next number in [0, 1)."""
        return float(self._generator.random())


def draw(scores: Any, randoms: Sequence[Uniform]) -> Any:
    """Draw a token a row by the inverse distribution function, in float64.

    Args:
        scores: Logits after temperature and cuts, shape (n, vocabulary).
        randoms: One generator a row.

    Returns:
        Token ids, shape (n,), on the scores' device.
    """
    import torch

    # Some devices know no float64.
    where = "cpu" if scores.device.type == "mps" else scores.device
    cumulative = torch.softmax(scores.to(where, torch.float64), dim=-1).cumsum(dim=-1)
    uniforms = torch.tensor([random.uniform() for random in randoms], dtype=torch.float64, device=where)
    # Where the sum is not exactly 1, the last value stands for it; a token of no probability is never met.
    wanted = uniforms[:, None] * cumulative[:, -1:]
    return torch.searchsorted(cumulative, wanted, right=True)[:, 0].to(scores.device)
