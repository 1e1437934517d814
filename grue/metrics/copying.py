"""Mean share of a prediction's word 4-grams that occur in the row's input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from grue.core.metric import Explanation, Floats, Part, Texts
from grue.core.task import Setting
from grue.metrics.card import Card
from grue.metrics.diversity import word_signature
from grue.metrics.repetition import grams
from grue.metrics.text import words
from grue.metrics.word_runs import ORDER, runs, shares

Grams = AbstractSet[tuple[str, ...]]


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
        known: dict[str, str] = {}  # source -> its ink, where that spares the words
        chosen: dict[str, int] = {}
        source_of_row = np.full(len(rows), -1, dtype=np.int64)
        defined = np.zeros(len(rows), dtype=bool)
        for index, (row, given) in enumerate(zip(rows, texts.inputs, strict=True)):
            source = given.get("source")
            if not isinstance(source, str) or len(row) < ORDER:
                continue
            defined[index] = True
            if source not in chosen and self.tokenize == "nltk":
                if source not in known:
                    known[source] = words.ink(source)
                if not _may_copy(row, known[source]):
                    continue
            source_of_row[index] = chosen.setdefault(source, len(chosen))
        found = runs(texts, self.tokenize, punctuation=self.punctuation)
        return np.where(defined, shares(found, source_of_row, map(self._split, chosen)), np.nan)

    def explain(self, texts: Texts) -> list[Explanation]:
        """The 4-grams that stand in the input and those that do not."""
        return [_explanation(row, known) for row, known in self._rows(texts)]

    def _rows(self, texts: Texts) -> list[tuple[Sequence[str], Grams | None]]:
        """Words of each prediction and the 4-grams of its input; ``None`` where there is no share."""
        rows = words.tokens(texts, self.tokenize, punctuation=self.punctuation)
        known: dict[str, Grams] = {}
        out: list[tuple[Sequence[str], Grams | None]] = []
        for row, given in zip(rows, texts.inputs, strict=True):
            source = given.get("source")
            if not isinstance(source, str) or len(row) < ORDER:
                out.append((row, None))
                continue
            if source not in known:
                known[source] = frozenset(grams(self._split(source)))
            out.append((row, known[source]))
        return out

    def _split(self, source: str) -> Sequence[str]:
        (split,) = words.split_all([source], self.tokenize, punctuation=self.punctuation)
        return split


def _may_copy(row: Sequence[str], ink: str) -> bool:
    """False only where the source has none of the prediction's 4-grams: NLTK's words cost more than this look."""
    parts = words.ink_of_words(row)
    return any("".join(parts[start : start + ORDER]) in ink for start in range(len(parts) - ORDER + 1))


def _share(row: Sequence[str], known: Grams | None) -> float:
    if known is None:
        return float("nan")
    found = grams(row)
    return sum(map(known.__contains__, found)) / len(found)


def _explanation(row: Sequence[str], known: Grams | None) -> Explanation:
    if known is None:
        return Explanation(None, "There is no input text, or the prediction has fewer than four words.")
    found = grams(row)
    copied = tuple(dict.fromkeys(" ".join(gram) for gram in found if gram in known))
    own = tuple(dict.fromkeys(" ".join(gram) for gram in found if gram not in known))
    share = _share(row, known)
    hits = round(share * len(found))
    return Explanation(
        share, f"{hits} of {len(found)} 4-grams stand in the input.", None, (Part("4-grams", copied, (), own),)
    )


CARDS: Mapping[str, Card] = {
    "copy_rate": Card(
        measures="Mean share of a prediction's runs of four words that stand in the row's input; no direction.",
        low=0.0,
        high=1.0,
        source="Defined here; the complement of the share of novel 4-grams (See et al. 2017).",
        failings=(
            "Rows without an input text ('source') and predictions of fewer than four words are left out.",
            "Copying with one word changed in every four is not seen.",
        ),
    )
}


def make(name: str, settings: Mapping[str, Setting | None]) -> CopyRate:
    """Build from the settings of the family ``diversity``.

    Raises:
        MetricUnavailableError: where the tokeniser's data are missing.
    """
    words.require(str(settings["tokenize"]))
    return CopyRate(str(settings["tokenize"]), bool(settings["punctuation"]), name=name)
