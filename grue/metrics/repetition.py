"""Share of predictions in which a word 4-gram occurs twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from grue.core.metric import Floats, Texts
from grue.core.task import Setting
from grue.metrics.diversity import ngrams, word_signature
from grue.metrics.text import words

ORDER = 4


@dataclass(frozen=True)
class RepetitionRate:
    """1 for a prediction that repeats a 4-gram (overlapping ones count), else 0; short ones have 0."""

    tokenize: str
    punctuation: bool
    name: str = "repetition_rate"
    scale: float | None = 1.0
    higher_is_better: bool | None = None
    needs_references: bool = False
    kind: ClassVar[str] = "mean"

    def signature(self) -> str:
        """Order, tokeniser and punctuation."""
        return f"{self.name}|order:{ORDER}|{word_signature(self.tokenize, self.punctuation)}|v:1"

    def per_sample(self, texts: Texts) -> Floats:
        """Shape (n,), 0 or 1."""
        rows = words.tokens(texts, self.tokenize, punctuation=self.punctuation)
        return np.array([max(ngrams([row], ORDER).values(), default=0) > 1 for row in rows], dtype=np.float64)


def make(name: str, settings: Mapping[str, Setting | None]) -> RepetitionRate:
    """Build from the settings of the family ``diversity``.

    Raises:
        MetricUnavailableError: where the tokeniser's data are missing.
    """
    words.require(str(settings["tokenize"]))
    return RepetitionRate(str(settings["tokenize"]), bool(settings["punctuation"]), name=name)
