"""Mean number of words a prediction, by the tokeniser of the diversity statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from grue.core.metric import Floats, Texts
from grue.core.task import Setting
from grue.metrics.card import Card
from grue.metrics.diversity import word_signature
from grue.metrics.text import words


@dataclass(frozen=True)
class MeanLength:
    """Words a prediction; an empty prediction has 0."""

    tokenize: str
    punctuation: bool
    name: str = "mean_length"
    scale: float | None = None
    higher_is_better: bool | None = None
    needs_references: bool = False
    kind: ClassVar[str] = "mean"

    def signature(self) -> str:
        """Tokeniser and punctuation."""
        return f"{self.name}|{word_signature(self.tokenize, self.punctuation)}|v:1"

    def per_sample(self, texts: Texts) -> Floats:
        """Shape (n,), in words."""
        rows = words.tokens(texts, self.tokenize, punctuation=self.punctuation)
        return np.array([len(row) for row in rows], dtype=np.float64)


CARDS: Mapping[str, Card] = {
    "mean_length": Card(
        measures="Mean number of words a prediction; no direction.",
        low=0.0,
        high=None,
        source="Gehrmann et al. 2021; equal to mean_pred_length of GEM-metrics on the same words.",
        failings=("Counts punctuation marks as words unless diversity.punctuation=false.",),
    )
}


def make(name: str, settings: Mapping[str, Setting | None]) -> MeanLength:
    """Build from the settings of the family ``diversity``.

    Raises:
        MetricUnavailableError: where the tokeniser's data are missing.
    """
    words.require(str(settings["tokenize"]))
    return MeanLength(str(settings["tokenize"]), bool(settings["punctuation"]), name=name)
