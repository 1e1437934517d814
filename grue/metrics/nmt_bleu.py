"""BLEU of the TensorFlow NMT tutorial's script, which the Hugging Face metric ``bleu`` uses, 0 to 1.

Papineni et al. 2002, ``compute_bleu`` of tensorflow/nmt: all references count for matches, the *shortest* one for
the brevity penalty, and there is no smoothing unless asked for (Lin and Och 2004: one added to matches and totals).
Where the script divides by zero (no words on one side) the value here is 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from grue.core.metric import Floats, Texts
from grue.core.task import Setting

Grams = Counter[tuple[str, ...]]


@dataclass(frozen=True)
class NmtBleu:
    """A row's statistics: hypothesis length, shortest reference length, then matches and totals for each order."""

    tokenize: str
    order: int
    smooth: bool
    tokenizer: Any = field(repr=False, compare=False)
    name: str = "bleu"
    scale: float | None = 1.0
    higher_is_better: bool | None = True
    needs_references: bool = True
    kind: ClassVar[str] = "segment"

    def signature(self) -> str:
        """Tokeniser, order and smoothing."""
        smooth = "lin" if self.smooth else "none"
        return f"bleu|tok:{self.tokenize}|order:{self.order}|smooth:{smooth}|refs:shortest|impl:nmt|v:1"

    def statistics(self, texts: Texts) -> Floats:
        """Shape (n, 2 + 2 * order)."""
        prepared: dict[tuple[str, ...], tuple[int, Grams]] = {}
        out = np.zeros((len(texts), 2 + 2 * self.order))
        for row, prediction, references in zip(out, texts.predictions, texts.references, strict=True):
            key = tuple(references)
            if key not in prepared:
                prepared[key] = self._prepare(key)
            shortest, wanted = prepared[key]
            words = self._words(prediction)
            row[:2] = len(words), shortest
            for gram, count in self._grams(words).items():
                row[1 + len(gram)] += min(count, wanted[gram])
            for order in range(1, self.order + 1):
                row[1 + self.order + order] = max(len(words) - order + 1, 0)
        return out

    def corpus_value(self, total: Floats) -> Floats:
        """BLEU of summed statistics, shape (..., 2 + 2 * order) -> (...)."""
        stats = np.asarray(total, dtype=np.float64)
        length, reference = stats[..., 0], stats[..., 1]
        added = 1.0 if self.smooth else 0.0
        hits = stats[..., 2 : 2 + self.order] + added
        totals = stats[..., 2 + self.order :] + added
        precision = np.where(totals > 0, hits / np.where(totals > 0, totals, 1.0), 0.0)
        known = (length > 0) & (reference > 0)
        with np.errstate(divide="ignore"):
            mean = np.exp(np.log(precision).sum(axis=-1) / self.order)
        short = np.where(known & (length <= reference), 1 - reference / np.where(known, length, 1.0), 0.0)
        return np.where(np.isnan(stats).any(axis=-1), np.nan, np.where(known, mean * np.exp(short), 0.0))

    def sample_values(self, statistics: Floats) -> Floats:
        """The same formula on one row."""
        return self.corpus_value(statistics)

    def _prepare(self, references: tuple[str, ...]) -> tuple[int, Grams]:
        rows = [self._words(text) for text in references]
        wanted: Grams = Counter()
        for row in rows:
            wanted |= self._grams(row)
        return min(len(row) for row in rows), wanted

    def _words(self, text: str) -> list[str]:
        words: list[str] = (self.tokenizer(text) if self.tokenizer else text).split()
        return words

    def _grams(self, words: list[str]) -> Grams:
        counts: Grams = Counter()
        for order in range(1, self.order + 1):
            counts.update(zip(*(words[start:] for start in range(order)), strict=False))
        return counts


def make(name: str, settings: Mapping[str, Setting | None]) -> NmtBleu:
    """Build from the settings of the family ``bleu``; ``13a`` is SacreBLEU's tokeniser, case kept."""
    tokenizer = None
    if settings["tokenize"] == "13a":
        from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

        tokenizer = Tokenizer13a()
    return NmtBleu(
        tokenize=str(settings["tokenize"]),
        order=int(settings["max_order"] or 4),
        smooth=bool(settings["smooth"]),
        tokenizer=tokenizer,
        name=name,
    )
