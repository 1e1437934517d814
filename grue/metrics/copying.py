"""Mean share of a prediction's word 4-grams that occur in the row's input."""

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
class CopyRate:
    """The input is the row's ``source``: its text without the instruction.

    A prediction of fewer than four words has no 4-gram and no share (NaN), and neither has a row without an input
    text; both are left out of the mean.
    """

    tokenize: str
    punctuation: bool
    name: str = "copy_rate"
    scale: float | None = 1.0
    higher_is_better: bool | None = None
    needs_references: bool = False
    undefined: str = "no row has both an input text ('source') and a prediction of four words"
    kind: ClassVar[str] = "mean"

    def signature(self) -> str:
        """Order, tokeniser and punctuation."""
        return f"{self.name}|order:{ORDER}|{word_signature(self.tokenize, self.punctuation)}|v:1"

    def per_sample(self, texts: Texts) -> Floats:
        """Shape (n,), 0 to 1, NaN where not defined."""
        rows = words.tokens(texts, self.tokenize, punctuation=self.punctuation)
        known: dict[str, set[tuple[str, ...]]] = {}
        out = np.full(len(texts), np.nan)
        for index, (row, given) in enumerate(zip(rows, texts.inputs, strict=True)):
            source = given.get("source")
            if not isinstance(source, str) or len(row) < ORDER:
                continue
            if source not in known:
                split = words.split_all([source], self.tokenize, punctuation=self.punctuation)
                known[source] = set(ngrams(split, ORDER))
            counts = ngrams([row], ORDER)
            out[index] = sum(n for gram, n in counts.items() if gram in known[source]) / counts.total()
        return out


def make(name: str, settings: Mapping[str, Setting | None]) -> CopyRate:
    """Build from the settings of the family ``diversity``.

    Raises:
        MetricUnavailableError: where the tokeniser's data are missing.
    """
    words.require(str(settings["tokenize"]))
    return CopyRate(str(settings["tokenize"]), bool(settings["punctuation"]), name=name)
