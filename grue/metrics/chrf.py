"""chrF and chrF++ as SacreBLEU computes them: F-score over character (and word) n-grams, 0 to 100.

Popović 2015 and 2017 (`sacrebleu` package). Statistics a row come from the library, which takes the reference
with the best score; the formula over their sums is written here for whole arrays and equals the library's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from grue.core.metric import Floats, Texts
from grue.core.task import Setting
from grue.metrics.sacre import library_signature, row_statistics

_EPSILON = 1e-16  # the library's


@dataclass(frozen=True)
class Chrf:
    """A row's statistics: n-grams of the hypothesis, of the reference, and shared ones, for each order."""

    library: Any = field(repr=False)
    name: str = "chrf"
    scale: float | None = 100.0
    higher_is_better: bool | None = True
    needs_references: bool = True
    kind: ClassVar[str] = "segment"

    def signature(self) -> str:
        """SacreBLEU's signature; beta is added where it is not 2."""
        text = library_signature(self.library)
        return text if self.library.beta == 2 else f"{text}|beta:{self.library.beta:g}"

    def statistics(self, texts: Texts) -> Floats:
        """Shape (n, 3 * orders)."""
        chosen = self.library
        key = f"chrf {chosen.char_order} {chosen.word_order} {chosen.lowercase} {chosen.whitespace}"
        return row_statistics(chosen, texts, key, 3 * chosen.order)

    def corpus_value(self, total: Floats) -> Floats:
        """The score of summed statistics, shape (..., 3 * orders) -> (...)."""
        stats = np.asarray(total, dtype=np.float64)
        counts = stats.reshape(*stats.shape[:-1], self.library.order, 3)
        hypothesis, reference, shared = counts[..., 0], counts[..., 1], counts[..., 2]
        factor = float(self.library.beta) ** 2
        missing = _EPSILON if self.library.eps_smoothing else 0.0
        precision = np.where(hypothesis > 0, shared / np.where(hypothesis > 0, hypothesis, 1.0), missing)
        recall = np.where(reference > 0, shared / np.where(reference > 0, reference, 1.0), missing)
        if self.library.eps_smoothing:
            score = _f_score(precision, recall, factor, _EPSILON).mean(axis=-1)
        else:
            both = (hypothesis > 0) & (reference > 0)
            orders = np.maximum(both.sum(axis=-1), 1)
            score = _f_score(
                np.where(both, precision, 0.0).sum(axis=-1) / orders,
                np.where(both, recall, 0.0).sum(axis=-1) / orders,
                factor,
                0.0,
            )
        return np.where(np.isnan(stats).any(axis=-1), np.nan, 100 * score)

    def sample_values(self, statistics: Floats) -> Floats:
        """Sentence chrF: the same formula on one row."""
        return self.corpus_value(statistics)


def _f_score(precision: Floats, recall: Floats, factor: float, otherwise: float) -> Floats:
    below = factor * precision + recall
    score: Floats = np.where(below > 0, (1 + factor) * precision * recall / np.where(below > 0, below, 1.0), otherwise)
    return score


def make(name: str, settings: Mapping[str, Setting | None]) -> Chrf:
    """Build from the settings of the family ``chrf``, named as the library's; ``chrf++`` has word order 2 always."""
    from sacrebleu.metrics import CHRF

    chosen: dict[str, Any] = dict(settings)
    if name == "chrf++":
        chosen["word_order"] = 2
    return Chrf(library=CHRF(**chosen), name=name)
