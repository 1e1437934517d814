"""ROUGE-L by py-rouge's rule with RL4LMs' settings for NarrativeQA, the best reference, 0 to 1.

Lin 2004; equal to `py-rouge` 1.1 (metric ``rouge-l``, alpha 0.5, limit in words, compatibility with the Perl script).
Lines are sentences (Punkt has no part in it); words beyond the limit are cut; words are runs of a-z and 0-9, a few of
them split as NLTK splits them (``gonna``); those of more than three letters become their base form where the package's
table of irregular forms has them, else Porter's original stem. With h and r words and l of them in the union of longest
common subsequences, P = (l/h)^(1/w), R = (l/r)^(1/w), F = 2PR/(P+R): the weight factor w, meant for ROUGE-W, leaks into
ROUGE-L and inflates it; ``weight_factor=1`` is plain ROUGE-L.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from typing import ClassVar

import numpy as np

from grue.core.errors import MetricUnavailableError, UsageError
from grue.core.metric import Explanation, Floats, Part, Texts
from grue.core.task import Setting
from grue.metrics.card import Card
from grue.metrics.rouge_words import Line, surface, union_size, unions
from grue.metrics.text.stems import original_porter

_VERSION = "1.1"
_TABLES = ("rouge/wordnet_key_value.txt", "rouge/wordnet_key_value_special_cases.txt")
_SPLIT = {"gimme": 3, "gonna": 3, "gotta": 3, "lemme": 3, "wanna": 3}
_MOST_LISTED = 40

CARDS: Mapping[str, Card] = {
    "rougeL_max": Card(
        "F-measure of the longest common subsequence with the best reference, as the paper scored NarrativeQA.",
        0.0,
        1.0,
        "Lin 2004; equal to py-rouge 1.1 with RL4LMs' settings (Ramamurthy et al. 2023)",
        (
            "The weight factor 1.2 inflates it: 0.5 becomes 0.56.",
            "Words beyond the first 100 do not count.",
            "Letters outside a-z are blanks: other scripts have no words.",
        ),
    )
}


@dataclass(frozen=True)
class RougeLMax:
    """py-rouge's ROUGE-L.

    Attributes:
        weight_factor: Its inverse is the exponent of precision and recall.
        length_limit: Words of a text that count, split at white space.
        irregular: Base forms of irregular words; empty without stemming.
    """

    name: str
    weight_factor: float
    length_limit: int
    use_stemmer: bool
    irregular: Mapping[str, str]
    scale: float | None = 1.0
    higher_is_better: bool | None = True
    needs_references: bool = True
    kind: ClassVar[str] = "mean"

    def signature(self) -> str:
        """Stemming, weight factor, limit and the package that it equals."""
        stem = "yes" if self.use_stemmer else "no"
        return (
            f"{self.name}|stem:{stem}|weight:{self.weight_factor:g}|limit:{self.length_limit}-words|refs:max"
            f"|impl:py-rouge-{_VERSION}|v:1"
        )

    def per_sample(self, texts: Texts) -> Floats:
        """F-measures, shape (n,); NaN where a row has no reference.

        Raises:
            ValueError: for two texts whose longest common subsequence is beyond reach.
        """
        prepared = self._shared(texts)
        return np.array(
            [
                max((self._f(*prepared.counts(reference, text)) for reference in references), default=np.nan)
                for text, references in zip(texts.predictions, texts.references, strict=True)
            ],
            dtype=np.float64,
        )

    def explain(self, texts: Texts) -> list[Explanation]:
        """The words of the subsequence with the best reference, as they are compared."""
        prepared = self._shared(texts)
        rows = []
        for text, references in zip(texts.predictions, texts.references, strict=True):
            if not references:
                rows.append(Explanation(None, "there is no reference"))
                continue
            counts = [prepared.counts(reference, text) for reference in references]
            values = [self._f(*each) for each in counts]
            best = values.index(max(values))
            hits, predicted, wanted = counts[best]
            rows.append(
                Explanation(
                    values[best],
                    f"F of ({hits}/{predicted}) and ({hits}/{wanted}), each to the power 1/{self.weight_factor:g}",
                    best,
                    (prepared.part(references[best], text),),
                )
            )
        return rows

    def _shared(self, texts: Texts) -> _Prepared:
        key = (self.name, self.use_stemmer, self.length_limit)
        return texts.derived(key, lambda: _Prepared(self))

    def _f(self, hits: int, predicted: int, wanted: int) -> float:
        if not hits:
            return 0.0
        precision, recall = hits / predicted, hits / wanted
        if self.weight_factor != 1:
            precision, recall = precision ** (1 / self.weight_factor), recall ** (1 / self.weight_factor)
        return precision * recall / (0.5 * precision + 0.5 * recall)

    def lines(self, text: str) -> list[list[str]]:
        """The words of each line as they are compared, up to the limit."""
        found = []
        left = self.length_limit
        for line in text.split("\n"):
            pieces = line.split(None, left)[:left]
            found.append([form for word in surface(" ".join(pieces)) for form in self._forms(word)])
            left -= len(pieces)
            if left <= 0:
                break
        return found

    def _forms(self, word: str) -> list[str]:
        if (cut := _SPLIT.get(word)) is not None:
            return [word[:cut], word[cut:]]
        if not self.use_stemmer or len(word) <= 3:
            return [word]
        if "cannot" in word:
            # The package keeps NLTK from cutting "cannot" by these marks, and stems with them.
            return [original_porter(word.replace("cannot", "_cannot_")).replace("_cannot_", "cannot")]
        return [self.irregular.get(word) or original_porter(word)]


class _Prepared:
    """The lines of a portion's texts, each made once."""

    def __init__(self, metric: RougeLMax) -> None:
        self._metric = metric
        self._lines: dict[str, list[Line]] = {}
        self._numbers: dict[str, int] = {}

    def lines(self, text: str) -> list[Line]:
        if text not in self._lines:
            known = self._numbers
            self._lines[text] = [
                Line([known.setdefault(word, len(known)) for word in words]) for words in self._metric.lines(text)
            ]
        return self._lines[text]

    def counts(self, reference: str, text: str) -> tuple[int, int, int]:
        """Hits, words of the prediction, words of the reference."""
        mine, theirs = self.lines(text), self.lines(reference)
        hits = union_size(unions(theirs, mine), [number for line in mine for number in line.numbers])
        return hits, sum(len(line.numbers) for line in mine), sum(len(line.numbers) for line in theirs)

    def part(self, reference: str, text: str) -> Part:
        names = list(self._numbers)
        mine, theirs = self.lines(text), self.lines(reference)
        left = [number for line in mine for number in line.numbers]
        matched: list[str] = []
        wanted = [number for line in theirs for number in line.numbers]
        for number in (number for line in unions(theirs, mine) for number in line):
            if number in left:
                left.remove(number)
                wanted.remove(number)
                matched.append(names[number])
        missing, extra = ([names[number] for number in side] for side in (wanted, left))
        return Part(
            "subsequence words",
            tuple(matched[:_MOST_LISTED]),
            tuple(missing[:_MOST_LISTED]),
            tuple(extra[:_MOST_LISTED]),
        )


@lru_cache(maxsize=1)
def _irregular() -> Mapping[str, str]:
    """The package's table of irregular forms, read from its files without importing it.

    Raises:
        MetricUnavailableError: where the package is not installed or is another version.
    """
    fix = "its table of irregular words decides the value: run 'pip install py-rouge==1.1'"
    try:
        package = distribution("py-rouge")
        if package.version != _VERSION:
            raise MetricUnavailableError(f"py-rouge {package.version} is installed, not {_VERSION}; {fix}")
        texts: Sequence[str] = [package.locate_file(name).read_text(encoding="utf-8") for name in _TABLES]  # type: ignore[call-arg]
    except (PackageNotFoundError, OSError) as error:
        raise MetricUnavailableError(
            f"py-rouge is not installed; {fix}, or use --set rougeL_max.use_stemmer=false"
        ) from error
    table: dict[str, str] = {}
    for line in (line for text in texts for line in text.splitlines()):
        word, _, base = line.strip().partition("|")
        table[word] = base
    return table


def make(name: str, settings: Mapping[str, Setting | None]) -> RougeLMax:
    """Build from the settings of the family ``rougeL_max``.

    Raises:
        UsageError: for a weight factor of 0.
        MetricUnavailableError: where stemming is asked for and the package with its table is missing.
    """
    weight, limit = settings["weight_factor"], settings["length_limit"]
    if not isinstance(weight, (int, float)) or weight <= 0 or not isinstance(limit, int):
        raise UsageError(f"rougeL_max.weight_factor={weight!r} must be above 0.", "1 gives plain ROUGE-L.")
    use_stemmer = bool(settings["use_stemmer"])
    return RougeLMax(name, float(weight), limit, use_stemmer, _irregular() if use_stemmer else {})
