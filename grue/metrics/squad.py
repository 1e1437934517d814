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

from grue.core.metric import Floats, Texts
from grue.core.task import Setting

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


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
        """Best value over each row's references, shape (n,)."""
        normal: dict[str, str] = texts.derived("squad answers", dict)

        def normalised(text: str) -> str:
            if text not in normal:
                normal[text] = normalise(text)
            return normal[text]

        return np.array(
            [
                max(self.compare(normalised(prediction), normalised(reference)) for reference in references)
                for prediction, references in zip(texts.predictions, texts.references, strict=True)
            ],
            dtype=np.float64,
        )


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
