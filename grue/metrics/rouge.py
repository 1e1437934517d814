"""ROUGE-1, 2, L and Lsum F-measure as Google's `rouge-score` computes them, 0 to 1.

Lin 2004. Words are runs of a-z and 0-9 in the lower-cased text, longer ones Porter-stemmed. With several references the
best F counts (the library's ``score_multi``), or the first reference alone. Lsum takes lines for sentences, as the
library does, or splits by rule (``lsum_split=sentence``). Values equal those of version 0.1.2; words and stems are made
once for all four, n-grams are counted as sets of numbers, and subsequences come from bit vectors instead of a table.

Two quirks of the paper's code have switches. ``printed_list``: RL4LMs hands all references of a row to a metric that
reads one text, so that the row is scored against the printed list (brackets and quotes fall away as punctuation, but
the references become one long text); with ``references=first`` it hands over one text and nothing is printed.
``bootstrap``: the corpus value is the "mid" of the library's aggregator, the median of 1,000 resampled means. That is
unseeded there; the seed here is 0, so values lie within the spread of the reference's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from grue.core.metric import Explanation, Floats, Part, Texts
from grue.core.task import Setting
from grue.metrics.card import Card
from grue.metrics.rouge_explain import gram_part, subsequence_part
from grue.metrics.rouge_words import Compared, compared
from grue.metrics.text import sentences

_RESAMPLES = 1000
_SEED = 0
_IMPLEMENTATION = "impl:rouge-score-0.1.2|v:1"

_SOURCE = "Lin 2004, 'ROUGE: A Package for Automatic Evaluation of Summaries'; equal to rouge-score 0.1.2"
_FAILINGS = (
    "Letters outside a-z are blanks: German umlauts cut words apart, and Chinese or Greek texts have no words.",
    "Synonyms and paraphrases count as errors; a text with right words and wrong facts scores high.",
    "The first reference's F and the best of several are different scales.",
)
CARDS: Mapping[str, Card] = {
    "rouge1": Card("F-measure of common words.", 0.0, 1.0, _SOURCE, ("Word order does not count.", *_FAILINGS)),
    "rouge2": Card("F-measure of common word pairs.", 0.0, 1.0, _SOURCE, ("One word has no pair: 0.", *_FAILINGS)),
    "rougeL": Card("F-measure of the longest common subsequence of words.", 0.0, 1.0, _SOURCE, _FAILINGS),
    "rougeLsum": Card(
        "F-measure of the union of longest common subsequences over lines, for texts of several sentences.",
        0.0,
        1.0,
        _SOURCE,
        ("Without line breaks it is rougeL; lsum_split=sentence splits by rule instead.", *_FAILINGS),
    ),
}


@dataclass(frozen=True)
class Rouge:
    """F-measure of one ROUGE type.

    Attributes:
        references: ``max`` or ``first``.
        lsum_split: ``newline`` or ``sentence``; only rougeLsum depends on it.
        printed_list: Score against the printed list of all references, unless only the first counts.
    """

    name: str
    use_stemmer: bool
    references: str
    lsum_split: str
    printed_list: bool = False
    scale: float | None = 1.0
    higher_is_better: bool | None = True
    needs_references: bool = True
    kind: ClassVar[str] = "mean"
    aggregation: ClassVar[str] = ""

    def signature(self) -> str:
        """Stemmer, references, for rougeLsum the split, the aggregate if not the mean, and the library's version."""
        references = "printed-list" if self.printed_list and self.references == "max" else self.references
        parts = [self.name, f"stem:{'yes' if self.use_stemmer else 'no'}", f"refs:{references}"]
        if self.name == "rougeLsum":
            parts.append("split:newline" if self.lsum_split == "newline" else f"split:sentence-v{sentences.VERSION}")
        if self.aggregation:
            parts.append(self.aggregation)
        return "|".join((*parts, _IMPLEMENTATION))

    def per_sample(self, texts: Texts) -> Floats:
        """F-measures, shape (n,); NaN where a row has no reference.

        Raises:
            ValueError: for two texts whose longest common subsequence is beyond reach.
        """
        pairs = compared(texts, use_stemmer=self.use_stemmer)
        return np.array(
            [
                max((self._f(pairs, reference, prediction) for reference in self.wanted(references)), default=np.nan)
                for prediction, references in zip(texts.predictions, texts.references, strict=True)
            ],
            dtype=np.float64,
        )

    def wanted(self, references: Sequence[str]) -> Sequence[str]:
        """The references that a prediction is held against."""
        if self.references == "first":
            return references[:1]
        return [str(list(references))] if self.printed_list and references else references

    def explain(self, texts: Texts) -> list[Explanation]:
        """Words, word pairs or subsequence of the reference that counted."""
        pairs = compared(texts, use_stemmer=self.use_stemmer)
        return [
            self._explained(pairs, self.wanted(references), prediction)
            for prediction, references in zip(texts.predictions, texts.references, strict=True)
        ]

    def _explained(self, pairs: Compared, references: Sequence[str], prediction: str) -> Explanation:
        if not references:
            return Explanation(None, "there is no reference")
        values = [self._f(pairs, reference, prediction) for reference in references]
        best = values.index(max(values))
        reference = references[best]
        hits, predicted, wanted = self._counts(pairs, reference, prediction)
        printed = self.printed_list and self.references == "max"
        return Explanation(
            values[best],
            f"F of precision {hits}/{predicted} and recall {hits}/{wanted}"
            + (" against the printed list of references" if printed else ""),
            None if printed else best,
            (self._part(reference, prediction),),
        )

    def _part(self, reference: str, prediction: str) -> Part:
        if self.name in ("rougeL", "rougeLsum"):
            rule = self.lsum_split if self.name == "rougeLsum" else ""
            return subsequence_part(reference, prediction, rule, use_stemmer=self.use_stemmer)
        return gram_part(reference, prediction, self._order, use_stemmer=self.use_stemmer)

    @property
    def _order(self) -> int:
        return int(self.name.removeprefix("rouge"))

    def _f(self, pairs: Compared, reference: str, prediction: str) -> float:
        hits, predicted, wanted = self._counts(pairs, reference, prediction)
        if not hits:
            return 0.0
        precision, recall = hits / predicted, hits / wanted
        return 2 * precision * recall / (precision + recall)

    def _counts(self, pairs: Compared, reference: str, prediction: str) -> tuple[int, int, int]:
        """Hits, and the prediction's and the reference's number of what is compared."""
        left, right = pairs.words(reference), pairs.words(prediction)
        if self.name == "rougeL":
            hits = pairs.subsequence(reference, prediction)
            return hits, len(right.numbers), len(left.numbers)
        if self.name == "rougeLsum":
            hits = pairs.union(reference, prediction, self.lsum_split)
            return hits, len(right.numbers), len(left.numbers)
        mine, theirs = left.grams(self._order), right.grams(self._order)
        return len(mine & theirs), len(theirs), len(mine)


@dataclass(frozen=True)
class BootstrapRouge(Rouge):
    """The same with the median of resampled means as corpus value."""

    aggregation: ClassVar[str] = f"agg:bootstrap-mid[{_RESAMPLES},seed:{_SEED}]"

    def aggregate(self, values: Floats) -> float:
        """Median of resampled means of the rows' values, which are finite; NaN for none."""
        if not len(values):
            return float("nan")
        generator = np.random.default_rng(_SEED)
        means = [values[generator.integers(0, len(values), len(values))].mean() for _ in range(_RESAMPLES)]
        return float(np.percentile(means, 50))


def make(name: str, settings: Mapping[str, Setting | None]) -> Rouge:
    """Build from the settings of the family ``rouge``."""
    kind = BootstrapRouge if settings["bootstrap"] else Rouge
    return kind(
        name=name,
        use_stemmer=bool(settings["use_stemmer"]),
        references=str(settings["references"]),
        lsum_split=str(settings["lsum_split"]),
        printed_list=bool(settings["printed_list"]),
    )
