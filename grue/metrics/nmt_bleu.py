"""BLEU of the TensorFlow NMT tutorial's script, which the Hugging Face metric ``bleu`` uses, 0 to 1.

Papineni et al. 2002, ``compute_bleu`` of tensorflow/nmt: all references count for matches, the *shortest* one for
the brevity penalty, and there is no smoothing unless asked for (Lin and Och 2004: one added to matches and totals).
Where the script divides by zero (no words on one side) the value here is 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from grue.core.metric import Explanation, Floats, Texts
from grue.core.task import Setting
from grue.core.text import finite_or_none
from grue.metrics.card import Card
from grue.metrics.mt_explain import gram_parts
from grue.metrics.sacre import distinct, numbered_words
from grue.metrics.sacre_bleu import brevity, precisions
from grue.metrics.text.mt_tokens import Cut, tokenizer
from grue.metrics.text.shared_grams import Symbols, matches

CARDS: Mapping[str, Card] = {
    "bleu": Card(
        "Share of word n-grams of order 1 to 4 that references have too (geometric mean), cut where texts are short.",
        0.0,
        1.0,
        "Papineni et al. 2002, 'BLEU'; equal to compute_bleu of tensorflow/nmt, which Hugging Face's metric bleu uses",
        (
            "The shortest reference counts for the brevity penalty: short texts lose less than with sacrebleu.",
            "White space alone cuts words unless tokenize=13a: 'park.' is not 'park'.",
            "Unsmoothed: 0 where no four words in a row are right, as in most single sentences.",
        ),
    )
}


@dataclass(frozen=True)
class NmtBleu:
    """A row's statistics: hypothesis length, shortest reference length, then matches and totals for each order."""

    tokenize: str
    order: int
    smooth: bool
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
        """Shape (n, 2 + 2 * order); NaN for a row without references."""
        found = distinct(texts)
        # The words are SacreBLEU's except at the end of a text, which that strips first.
        symbols: Symbols = texts.derived(
            ("nmt words", self.tokenize), lambda: numbered_words(found.texts, self._words())
        )
        out = np.full((len(texts), 2 + 2 * self.order), np.nan)
        for indices, rows in found.alike():
            lengths = symbols.lengths[rows]
            out[indices, 0] = lengths[:, 0]
            out[indices, 1] = lengths[:, 1:].min(axis=1)
            out[indices, 2 : 2 + self.order] = matches(symbols, rows, self.order)
            out[indices, 2 + self.order :] = symbols.totals(self.order)[rows[:, 0]]
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

    def explain(self, texts: Texts) -> list[Explanation]:
        """N-grams that counted, precisions and brevity penalty."""
        cut = self._words()
        statistics = self.statistics(texts)
        return [
            Explanation(
                finite_or_none(value),
                f"BLEU of {precisions(row, self.order)}{', one added to each,' if self.smooth else ''} and "
                + brevity(row[0], row[1], "shortest"),
                0 if len(references) == 1 else None,
                gram_parts(cut(text), [cut(reference) for reference in references], self.order),
            )
            if references
            else Explanation(None, "there is no reference")
            for row, value, text, references in zip(
                statistics, self.sample_values(statistics), texts.predictions, texts.references, strict=True
            )
        ]

    def _words(self) -> Cut:
        return tokenizer("none" if self.tokenize == "whitespace" else self.tokenize)


def make(name: str, settings: Mapping[str, Setting | None]) -> NmtBleu:
    """Build from the settings of the family ``bleu``; ``13a`` is SacreBLEU's tokeniser, case kept."""
    return NmtBleu(
        tokenize=str(settings["tokenize"]),
        order=int(settings["max_order"] or 4),
        smooth=bool(settings["smooth"]),
        name=name,
    )
