"""chrF and chrF++ as SacreBLEU computes them: F-score over character (and word) n-grams, 0 to 100.

Popović 2015 and 2017. Statistics and values equal those of the `sacrebleu` package, version 2.6.0: of several
references the one with the best score counts. N-grams of a portion are counted together (``text.shared_grams``), those
of characters once for both metrics.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from grue.core.metric import Explanation, Floats, Texts
from grue.core.task import Setting
from grue.core.text import finite_or_none
from grue.metrics.card import Card
from grue.metrics.mt_explain import gram_parts
from grue.metrics.sacre import distinct, library_signature, numbered_words
from grue.metrics.text.mt_tokens import Pieces
from grue.metrics.text.shared_grams import Ints, Symbols, matches

_EPSILON = 1e-16  # the library's
_SIGNS = frozenset(string.punctuation)

_FAILINGS = (
    "Recall weighs twice as much as precision (beta 2), so that long texts lose little.",
    "Unrelated texts of one language share many short n-grams: values near 20 say nothing.",
    "Synonyms count as errors; spelling and inflection count in part.",
)
_EQUAL = "equal to sacrebleu 2.6.0"
CARDS: Mapping[str, Card] = {
    "chrf": Card(
        "F-score of character n-grams of order 1 to 6, blanks left out; needs no tokeniser.",
        0.0,
        100.0,
        f"Popović 2015, 'chrF: character n-gram F-score for automatic MT evaluation'; {_EQUAL}",
        ("Word order beyond six letters does not count.", *_FAILINGS),
    ),
    "chrf++": Card(
        "F-score of character n-grams of order 1 to 6 and word n-grams of order 1 and 2.",
        0.0,
        100.0,
        f"Popović 2017, 'chrF++: words helping character n-grams'; {_EQUAL}",
        ("Words are cut at blanks, which Chinese, Japanese and Thai lack.", *_FAILINGS),
    ),
}


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
        """Shape (n, 3 * orders); NaN for a row without references."""
        chosen = self.library
        rows = distinct(texts).rows
        counts = texts.derived(
            ("chrf characters", chosen.char_order, chosen.lowercase, chosen.whitespace), lambda: self._characters(texts)
        )
        if chosen.word_order:
            words = texts.derived(("chrf words", chosen.word_order, chosen.lowercase), lambda: self._words(texts))
            counts = np.concatenate((counts, words), axis=1)
        sizes = np.array([len(row) - 1 for row in rows], dtype=np.int64)
        ends = np.cumsum(sizes)
        best = ends - sizes
        several = np.flatnonzero(sizes > 1)
        if len(several):
            values = self.corpus_value(counts.reshape(len(counts), -1))
            for index in several:
                start = best[index]
                best[index] += int(np.argmax(values[start : ends[index]]))  # the first of equals
        out = np.full((len(rows), 3 * chosen.order), np.nan)
        known = sizes > 0
        out[known] = counts.reshape(len(counts), 3 * chosen.order)[best[known]]
        return out

    def corpus_value(self, total: Floats) -> Floats:
        """The score of summed statistics, shape (..., 3 * orders) -> (...)."""
        stats = np.asarray(total, dtype=np.float64)
        counts = stats.reshape(*stats.shape[:-1], self.library.order, 3)
        factor = float(self.library.beta) ** 2
        smoothed, precisions, recalls, orders = (np.zeros(stats.shape[:-1]) for _ in range(4))
        # One order after the other, as the library adds: which reference is best must not hang on rounding.
        for order in range(self.library.order):
            hypothesis, reference, shared = (counts[..., order, column] for column in range(3))
            precision = np.where(hypothesis > 0, shared / np.where(hypothesis > 0, hypothesis, 1.0), _EPSILON)
            recall = np.where(reference > 0, shared / np.where(reference > 0, reference, 1.0), _EPSILON)
            smoothed = smoothed + _f_score(precision, recall, factor, _EPSILON)
            both = (hypothesis > 0) & (reference > 0)
            precisions = precisions + np.where(both, precision, 0.0)
            recalls = recalls + np.where(both, recall, 0.0)
            orders = orders + both
        if self.library.eps_smoothing:
            score = 100 * smoothed / self.library.order
        else:
            orders = np.maximum(orders, 1)
            score = 100 * _f_score(precisions / orders, recalls / orders, factor, 0.0)
        return np.where(np.isnan(stats).any(axis=-1), np.nan, score)

    def sample_values(self, statistics: Floats) -> Floats:
        """Sentence chrF: the same formula on one row."""
        return self.corpus_value(statistics)

    def explain(self, texts: Texts) -> list[Explanation]:
        """Words of the reference that counted, and the share of n-grams for each order."""
        return [
            self._explained(text, references)
            for text, references in zip(texts.predictions, texts.references, strict=True)
        ]

    def _explained(self, text: str, references: Sequence[str]) -> Explanation:
        if not references:
            return Explanation(None, "there is no reference")
        count = len(references)
        rows = self.statistics(Texts([text] * count, [[reference] for reference in references], [{}] * count))
        values = self.sample_values(rows)
        best = int(np.argmax(values))
        shares = [
            f"{order + 1 if order < self.library.char_order else f'word {order + 1 - self.library.char_order}'}: "
            f"{shared:.0f} of {mine:.0f} and of {theirs:.0f}"
            for order, (mine, theirs, shared) in enumerate(rows[best].reshape(self.library.order, 3))
        ]
        words = [
            [word for piece in line.split() for word in punctuation_apart(piece)]
            for line in (text, references[best])
            for line in ((line.lower() if self.library.lowercase else line),)
        ]
        return Explanation(
            finite_or_none(values[best]),
            "n-grams shared, of the text's and of the reference's, by order: " + "; ".join(shares),
            best,
            gram_parts(words[0], words[1:], 1),
        )

    def _characters(self, texts: Texts) -> Floats:
        """Counts of character n-grams for each text and reference, shape (pairs, char_order, 3)."""
        lines = self._lines(texts)
        if not self.library.whitespace:
            lines = ["".join(line.split()) for line in lines]
        return _counts(Symbols.of_characters(lines), _pairs(texts), self.library.char_order)

    def _words(self, texts: Texts) -> Floats:
        """Counts of word n-grams, shape (pairs, word_order, 3)."""
        pieces = Pieces(punctuation_apart)
        symbols = numbered_words(self._lines(texts), lambda line: pieces.of(line.split()))
        return _counts(symbols, _pairs(texts), self.library.word_order)

    def _lines(self, texts: Texts) -> list[str]:
        lines = distinct(texts).texts
        return [line.lower() for line in lines] if self.library.lowercase else lines


def punctuation_apart(piece: str) -> tuple[str, ...]:
    """A piece between blanks as chrF++'s words: one sign of ASCII punctuation cut off behind, or else in front."""
    if len(piece) == 1:
        return (piece,)
    if piece[-1] in _SIGNS:
        return piece[:-1], piece[-1]
    return (piece[0], piece[1:]) if piece[0] in _SIGNS else (piece,)


def _pairs(texts: Texts) -> Ints:
    """Each text with each of its references, by their numbers, shape (pairs, 2)."""
    found = distinct(texts)
    pairs = [(row[0], reference) for row in found.rows for reference in row[1:]]
    return np.array(pairs, dtype=np.int64).reshape(len(pairs), 2)


def _counts(symbols: Symbols, pairs: Ints, order: int) -> Floats:
    totals = symbols.totals(order)
    hypothesis, reference = totals[pairs[:, 0]], totals[pairs[:, 1]]
    # The library does not count what no reference has n-grams to hold against.
    hypothesis = np.where(reference > 0, hypothesis, 0)
    return np.stack((hypothesis, reference, matches(symbols, pairs, order)), axis=-1)


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
