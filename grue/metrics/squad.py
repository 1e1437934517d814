"""Exact match and word F1 as the SQuAD v1.1 script scores them, 0 to 1.

Rajpurkar et al. 2016, ``evaluate-v1.1.py``: answers are lower-cased, stripped of ASCII punctuation and of the
articles a, an, the, and split on white space; the best reference counts. Two answers without words have F1 0.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from grue.core.metric import Explanation, Floats, Part, Texts
from grue.core.task import Setting
from grue.metrics.card import Card

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_MOST_LISTED = 40

_SOURCE = (
    "Rajpurkar et al. 2016, 'SQuAD: 100,000+ Questions for Machine Comprehension of Text'; equal to evaluate-v1.1.py"
)
CARDS: Mapping[str, Card] = {
    "exact_match": Card(
        "Share of answers that equal a reference after dropping case, punctuation and English articles.",
        0.0,
        1.0,
        _SOURCE,
        ("A right answer in other words counts 0.", "Articles are English; other punctuation than ASCII stays."),
    ),
    "f1": Card(
        "F1 of the words of an answer and of the nearest reference, best over references.",
        0.0,
        1.0,
        _SOURCE,
        (
            "Word order does not count.",
            "Two answers without words have 0 (SQuAD v2.0 gives 1).",
            "Articles are English; text without blanks between words is one word.",
        ),
    ),
}


@dataclass(frozen=True)
class Squad:
    """One of the two measures, by name."""

    name: str
    compare: Callable[[str, str], float]
    scale: float | None = 1.0
    higher_is_better: bool | None = True
    needs_references: bool = True
    kind: ClassVar[str] = "mean"

    def signature(self) -> str:
        """No settings: the rule is the script's."""
        return f"{self.name}|refs:max|impl:squad-v1.1|v:1"

    def per_sample(self, texts: Texts) -> Floats:
        """Best value over each row's references, shape (n,); NaN where a row has none."""
        normal: dict[str, str] = texts.derived("squad answers", dict)
        return np.array(
            [
                max((self._value(normal, prediction, reference) for reference in references), default=np.nan)
                for prediction, references in zip(texts.predictions, texts.references, strict=True)
            ],
            dtype=np.float64,
        )

    def explain(self, texts: Texts) -> list[Explanation]:
        """The words that an answer shares with its best reference, after normalising."""
        normal: dict[str, str] = texts.derived("squad answers", dict)
        rows = []
        for prediction, references in zip(texts.predictions, texts.references, strict=True):
            if not references:
                rows.append(Explanation(None, "there is no reference"))
                continue
            # An answer that equals no reference is shown against the one with most common words.
            ranked = [
                (self._value(normal, prediction, reference), word_f1(normal[prediction], normal[reference]))
                for reference in references
            ]
            best = ranked.index(max(ranked))
            words, wanted = Counter(normal[prediction].split()), Counter(normal[references[best]].split())
            shared = words & wanted
            lists = (tuple(side.elements())[:_MOST_LISTED] for side in (shared, wanted - shared, words - shared))
            summary = f"{shared.total()} of {words.total()} words, {wanted.total()} in the reference"
            if self.name == "exact_match":
                summary = "equal to the reference" if ranked[best][0] else "no reference is equal"
            rows.append(Explanation(ranked[best][0], summary, best, (Part("words", *lists),)))
        return rows

    def _value(self, normal: dict[str, str], prediction: str, reference: str) -> float:
        for text in (prediction, reference):
            if text not in normal:
                normal[text] = normalise(text)
        return self.compare(normal[prediction], normal[reference])


def normalise(answer: str) -> str:
    """Lower case, no ASCII punctuation, no articles, single spaces."""
    return " ".join(_ARTICLES.sub(" ", answer.lower().translate(_PUNCTUATION)).split())


def word_f1(prediction: str, reference: str) -> float:
    """F1 over the words of two normalised answers."""
    words, wanted = prediction.split(), reference.split()
    shared = sum((Counter(words) & Counter(wanted)).values())
    if not shared:
        return 0.0
    precision, recall = shared / len(words), shared / len(wanted)
    return 2 * precision * recall / (precision + recall)


def same(prediction: str, reference: str) -> float:
    """1 where two normalised answers are equal, else 0."""
    return float(prediction == reference)


def make(name: str, settings: Mapping[str, Setting | None]) -> Squad:  # noqa: ARG001
    """Build ``exact_match`` or ``f1``."""
    return Squad(name=name, compare=same if name == "exact_match" else word_f1)
