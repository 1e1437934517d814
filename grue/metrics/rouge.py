"""ROUGE-1, 2, L and Lsum F-measure as Google's `rouge-score` computes them, 0 to 1.

Lin 2004. Words are runs of a-z and 0-9 in the lower-cased text, longer ones Porter-stemmed by the library's
stemmer. With several references the best F counts (the library's ``score_multi``), or the first reference alone.
Lsum takes lines for sentences, as the library does, or splits by rule (``lsum_split=sentence``). Values equal the
library's; words and stems are made once for all four, and subsequences come from bit vectors instead of its table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from typing import Any, ClassVar

import numpy as np

from grue.core.metric import Floats, Texts
from grue.core.task import Setting
from grue.metrics.text import lcs, sentences

Words = tuple[str, ...]
_RESAMPLES = 1000
_SEED = 0


@dataclass(frozen=True)
class Rouge:
    """F-measure of one ROUGE type.

    Attributes:
        references: ``max`` or ``first``.
        lsum_split: ``newline`` or ``sentence``; only rougeLsum depends on it.
    """

    name: str
    use_stemmer: bool
    references: str
    lsum_split: str
    scale: float | None = 1.0
    higher_is_better: bool | None = True
    needs_references: bool = True
    kind: ClassVar[str] = "mean"

    def signature(self) -> str:
        """Stemmer, references, for rougeLsum the split, and the library's version."""
        parts = [self.name, f"stem:{'yes' if self.use_stemmer else 'no'}", f"refs:{self.references}"]
        if self.name == "rougeLsum":
            parts.append("split:newline" if self.lsum_split == "newline" else f"split:sentence-v{sentences.VERSION}")
        return "|".join((*parts, f"impl:rouge-score-{version('rouge-score')}", "v:1"))

    def per_sample(self, texts: Texts) -> Floats:
        """F-measures, shape (n,)."""
        words = texts.derived(("rouge words", self.use_stemmer), lambda: _Words(self.use_stemmer))
        measure = self._measure(words)
        return np.array(
            [
                max(measure(reference, prediction) for reference in self.wanted(references))
                for prediction, references in zip(texts.predictions, texts.references, strict=True)
            ],
            dtype=np.float64,
        )

    def wanted(self, references: Sequence[str]) -> Sequence[str]:
        """The references that a prediction is held against."""
        return references[:1] if self.references == "first" else references

    def _measure(self, words: _Words) -> Callable[[str, str], float]:
        if self.name == "rougeL":
            return lambda reference, prediction: _f_lcs(words(reference), words(prediction))
        if self.name == "rougeLsum":
            split = sentences.split if self.lsum_split == "sentence" else _lines
            return lambda reference, prediction: _f_union(
                [words(line) for line in split(reference)], [words(line) for line in split(prediction)]
            )
        order = int(self.name.removeprefix("rouge"))
        return lambda reference, prediction: _f_ngrams(words.ngrams(reference, order), words.ngrams(prediction, order))


@dataclass(frozen=True)
class PaperRouge(Rouge):
    """ROUGE as the paper's code scores it (``rouge.paper=true``); ``references=first`` keeps the first reference.

    RL4LMs hands all references of a row to a metric that reads one text, so the row is scored against the printed
    list (quirk Q1: brackets and quotes fall away as punctuation, but the references become one long text), and the
    corpus value is the "mid" of `rouge-score`'s bootstrap aggregator, the median of 1,000 resampled means. The
    aggregator is unseeded there; the seed here is 0, so values lie within the spread of the reference's.
    """

    def signature(self) -> str:
        """The plain signature with the printed list, the aggregate and its seed."""
        text = super().signature().replace("refs:max", "refs:printed-list")
        return text.replace("|impl:", f"|agg:bootstrap-mid[{_RESAMPLES},seed:{_SEED}]|impl:")

    def aggregate(self, values: Floats) -> float:
        """Median of resampled means of the rows' values, which are finite; NaN for none."""
        if not len(values):
            return float("nan")
        generator = np.random.default_rng(_SEED)
        means = [values[generator.integers(0, len(values), len(values))].mean() for _ in range(_RESAMPLES)]
        return float(np.percentile(means, 50))

    def wanted(self, references: Sequence[str]) -> Sequence[str]:
        """The first reference, or the printed list as the only one."""
        return references[:1] if self.references == "first" else [str(list(references))]


class _Words:
    """Words and n-grams of texts, each made once."""

    def __init__(self, use_stemmer: bool) -> None:
        self._stem = _stem if use_stemmer else None
        self._words: dict[str, Words] = {}
        self._ngrams: dict[tuple[str, int], Counter[Words]] = {}

    def __call__(self, text: str) -> Words:
        if text not in self._words:
            self._words[text] = split_words(text, self._stem)
        return self._words[text]

    def ngrams(self, text: str, order: int) -> Counter[Words]:
        key = (text, order)
        if key not in self._ngrams:
            words = self(text)
            self._ngrams[key] = Counter(zip(*(words[start:] for start in range(order)), strict=False))
        return self._ngrams[key]


def split_words(text: str, stem: Callable[[str], str] | None) -> Words:
    """The library's words: its expressions, with stems from a cache."""
    from rouge_score import tokenize

    found = tokenize.NON_ALPHANUM_RE.sub(" ", text.lower()).split()
    if stem:
        found = [stem(word) if len(word) > 3 else word for word in found]
    return tuple(word for word in found if word)


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    from nltk.stem.porter import PorterStemmer

    return PorterStemmer()


@lru_cache(maxsize=2**17)
def _stem(word: str) -> str:
    stem: str = _stemmer().stem(word)
    return stem


def _lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line]


def _f(hits: float, predicted: int, wanted: int) -> float:
    precision, recall = hits / max(predicted, 1), hits / max(wanted, 1)
    return 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0


def _f_ngrams(reference: Counter[Words], prediction: Counter[Words]) -> float:
    hits = sum(min(count, prediction[gram]) for gram, count in reference.items() if gram in prediction)
    return _f(hits, prediction.total(), reference.total())


def _f_lcs(reference: Words, prediction: Words) -> float:
    return _f(lcs.length(reference, prediction), len(prediction), len(reference))


def _f_union(reference: list[Words], prediction: list[Words]) -> float:
    """Union of subsequences over sentences; a word counts as often as both sides have it."""
    left_reference = Counter(word for line in reference for word in line)
    left_prediction = Counter(word for line in prediction for word in line)
    wanted, predicted = left_reference.total(), left_prediction.total()
    hits = 0
    for line in reference:
        union = sorted({index for other in prediction for index in lcs.indices(line, other)})
        for index in union:
            word = line[index]
            if left_prediction[word] > 0 and left_reference[word] > 0:
                hits += 1
                left_prediction[word] -= 1
                left_reference[word] -= 1
    return _f(hits, predicted, wanted)


def make(name: str, settings: Mapping[str, Setting | None]) -> Rouge:
    """Build from the settings of the family ``rouge``."""
    kind = PaperRouge if settings["bootstrap"] else Rouge
    return kind(
        name=name,
        use_stemmer=bool(settings["use_stemmer"]),
        references=str(settings["references"]),
        lsum_split=str(settings["lsum_split"]),
    )
