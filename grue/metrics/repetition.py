"""Share of predictions in which a word 4-gram occurs twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from grue.core.metric import Explanation, Floats, Part, Texts
from grue.core.task import Setting
from grue.metrics.card import Card
from grue.metrics.diversity import word_signature
from grue.metrics.text import words
from grue.metrics.word_runs import ORDER, repeated, runs


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
        return repeated(runs(texts, self.tokenize, punctuation=self.punctuation))

    def explain(self, texts: Texts) -> list[Explanation]:
        """The 4-grams that occur more than once, with how often."""
        rows = words.tokens(texts, self.tokenize, punctuation=self.punctuation)
        return [_explanation(row) for row in rows]


def grams(row: Sequence[str]) -> list[tuple[str, ...]]:
    """The 4-grams of a text's words, in order."""
    return list(zip(*(row[start:] for start in range(ORDER)), strict=False))


def _explanation(row: Sequence[str]) -> Explanation:
    found = Counter(grams(row))
    repeated = tuple(f"{' '.join(gram)} ({times} times)" for gram, times in found.items() if times > 1)
    summary = f"{len(repeated)} of {len(found)} distinct 4-grams occur more than once."
    return Explanation(float(bool(repeated)), summary, None, (Part("repeated 4-grams", repeated),))


CARDS: Mapping[str, Card] = {
    "repetition_rate": Card(
        measures="Share of predictions in which some run of four words occurs at least twice; no direction.",
        low=0.0,
        high=1.0,
        source="Defined here: 1 for a prediction with a repeated word 4-gram (overlapping ones count), else 0.",
        failings=(
            "Long texts repeat 4-grams by nature; names and fixed phrases count.",
            "Repeats of fewer than four words are not seen.",
        ),
    )
}


def make(name: str, settings: Mapping[str, Setting | None]) -> RepetitionRate:
    """Build from the settings of the family ``diversity``.

    Raises:
        MetricUnavailableError: where the tokeniser's data are missing.
    """
    words.require(str(settings["tokenize"]))
    return RepetitionRate(str(settings["tokenize"]), bool(settings["punctuation"]), name=name)
