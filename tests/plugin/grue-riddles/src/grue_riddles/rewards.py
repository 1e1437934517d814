"""Rewards for riddles: a batch function, and a class that makes one from settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grue.core.metric import Texts


def answered(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> list[float]:
    """1 where an answer occurs in the prediction, else 0."""
    return [
        float(any(answer.lower() in text.lower() for answer in answers))
        for text, answers in zip(predictions, references, strict=True)
    ]


answered.low, answered.high, answered.needs_references = 0.0, 1.0, True  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Brevity:
    """1 for a prediction of at most ``words`` words, less for longer ones."""

    words: int = 3
    name: str = "riddle_brevity"
    low: float | None = 0.0
    high: float | None = 1.0
    needs_references: bool = False

    def signature(self) -> str:
        return f"riddle_brevity|words:{self.words}|v:1"

    def rewards(self, texts: Texts) -> NDArray[np.float64]:
        return np.array([min(1.0, self.words / max(len(text.split()), 1)) for text in texts.predictions])
