"""Concept coverage: which of a row's concepts its prediction mentions, in any form of the word, 0 to 1.

Lin et al. 2020 (CommonGen): the share of the concept set that is among the lemmas of the prediction, mean over rows;
``coverage_all`` is the share of predictions that mention all, as in CommonGen-Eval. Concepts are lemmas already; a
part of speech after an underscore (``catch_V``) is cut off. ``coverage.lemmatizer=builtin`` finds lemmas by rule
(``grue.metrics.text.lemmas``): the prediction is lower-cased, and a word counts for a concept that is any of its
possible lemmas; a concept of several words must stand in one piece. ``spacy`` is the official variant: the lemmas of
spaCy's small English model, one a word and compared as they come, so that ``Dog`` as a name is not ``dog``.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from grue.core.errors import MetricUnavailableError
from grue.core.metric import Explanation, Floats, Part, Texts
from grue.core.task import Setting
from grue.core.text import finite_or_none
from grue.metrics.card import Card
from grue.metrics.text import lemmas as rules

SPACY_MODEL = "en_core_web_sm"
_WORD = re.compile(r"n't\b|[^\W_]+?(?=n't\b)|[^\W_]+|'[a-z]+")
_PART_OF_SPEECH = re.compile(r"_[A-Z]+$")
_LONGEST_FOR_SPACY = 1_000_000

# Lemmas of a text, a set of them for each word.
Lemmatizer = Callable[[Sequence[str]], list[list[frozenset[str]]]]


@dataclass(frozen=True)
class Coverage:
    """Share of concepts found (``coverage``), or whether all are (``coverage_all``); NaN without concepts."""

    name: str
    lemmatizer: str
    version: str
    find: Lemmatizer = field(repr=False, compare=False)
    scale: float | None = 1.0
    higher_is_better: bool | None = True
    needs_references: bool = False
    undefined: ClassVar[str] = "no row has concepts"
    kind: ClassVar[str] = "mean"

    def signature(self) -> str:
        """Lemmatiser with its version, and case."""
        case = "lc" if self.lemmatizer == "builtin" else "mixed"
        return f"{self.name}|lemmatizer:{self.lemmatizer}-{self.version}|case:{case}|v:1"

    def per_sample(self, texts: Texts) -> Floats:
        """Shape (n,); NaN for a row without concepts."""
        values = np.full(len(texts), np.nan)
        for index, (wanted, found) in enumerate(self._rows(texts)):
            if wanted:
                share = len(found) / len(wanted)
                values[index] = share if self.name == "coverage" else float(share == 1)
        return values

    def explain(self, texts: Texts) -> list[Explanation]:
        """Concepts found and missing."""
        return [
            Explanation(
                finite_or_none(float(value)),
                f"{len(found)} of {len(wanted)} concepts" if wanted else "the row has no concepts",
                None,
                (
                    Part(
                        "concepts",
                        tuple(concept for concept in wanted if concept in found),
                        tuple(concept for concept in wanted if concept not in found),
                    ),
                ),
            )
            for value, (wanted, found) in zip(self.per_sample(texts), self._rows(texts), strict=True)
        ]

    def _rows(self, texts: Texts) -> list[tuple[tuple[str, ...], frozenset[str]]]:
        """Concepts of each row, and those found in its prediction."""
        return texts.derived(("coverage", self.lemmatizer, self.version), lambda: self._found(texts))

    def _found(self, texts: Texts) -> list[tuple[tuple[str, ...], frozenset[str]]]:
        wanted = [concepts_of(inputs) for inputs in texts.inputs]
        asked = [index for index, concepts in enumerate(wanted) if concepts]
        lemmas = dict(zip(asked, self.find([texts.predictions[index] for index in asked]), strict=True))
        # Concepts are compared in small letters where the text is.
        fold = str.lower if self.lemmatizer == "builtin" else str
        return [
            (
                concepts,
                frozenset(one for one in concepts if _mentions(lemmas[index], fold(one))) if concepts else frozenset(),
            )
            for index, concepts in enumerate(wanted)
        ]


def concepts_of(inputs: Mapping[str, Any]) -> tuple[str, ...]:
    """A row's concepts, each once, without a part of speech; none where the input is not there or no list of texts."""
    given = inputs.get("concepts")
    if isinstance(given, str):
        given = given.split()
    if not isinstance(given, Sequence):
        return ()
    plain = (_PART_OF_SPEECH.sub("", one).strip() for one in given if isinstance(one, str))
    return tuple(dict.fromkeys(concept for concept in plain if concept))


def _mentions(words: Sequence[frozenset[str]], concept: str) -> bool:
    parts = [concept] if not re.search(r"[\s-]", concept) else re.split(r"[\s-]+", concept)
    if any(concept in forms for forms in words):
        return True
    if len(parts) == 1:
        return False
    return any(
        all(part in forms for part, forms in zip(parts, words[start:], strict=False))
        for start in range(len(words) - len(parts) + 1)
    )


def builtin(texts: Sequence[str]) -> list[list[frozenset[str]]]:
    """Possible lemmas of each word by rule."""
    return [
        [rules.lemmas(word) for word in dict.fromkeys(_WORD.findall(text.lower().replace("\u2019", "'")))]
        for text in texts
    ]


@lru_cache(maxsize=1)
def _pipeline() -> Any:
    """SpaCy's pipeline.

    Raises:
        MetricUnavailableError: where spaCy or its model is not installed.
    """
    try:
        spacy: Any = importlib.import_module("spacy")
    except ImportError as error:
        raise MetricUnavailableError(
            "coverage.lemmatizer=spacy needs spaCy, which is not installed: pip install spacy, then "
            f"python -m spacy download {SPACY_MODEL}"
        ) from error
    try:
        return spacy.load(SPACY_MODEL)
    except OSError as error:
        raise MetricUnavailableError(
            f"coverage.lemmatizer=spacy needs spaCy's model: python -m spacy download {SPACY_MODEL}"
        ) from error


def from_pipeline(pipeline: Any) -> Lemmatizer:
    """Lemmas as a spaCy pipeline gives them, one a word.

    Args:
        pipeline: Anything with ``pipe(texts)`` that gives words with ``lemma_``.
    """

    def find(texts: Sequence[str]) -> list[list[frozenset[str]]]:
        for text in texts:
            if len(text) > _LONGEST_FOR_SPACY:
                raise ValueError(
                    f"coverage: a prediction has {len(text)} letters; spaCy's pipeline takes at most "
                    f"{_LONGEST_FOR_SPACY}"
                )
        readable = (text.encode("utf-8", "replace").decode("utf-8") for text in texts)
        return [[frozenset((word.lemma_,)) for word in document] for document in pipeline.pipe(readable)]

    return find


def make(name: str, settings: Mapping[str, Setting | None]) -> Coverage:
    """Build from the settings of the family ``coverage``.

    Raises:
        MetricUnavailableError: where spaCy or its model is not installed.
    """
    if settings["lemmatizer"] == "spacy":
        pipeline = _pipeline()
        return Coverage(name, "spacy", f"{SPACY_MODEL}-{pipeline.meta['version']}", from_pipeline(pipeline))
    return Coverage(name, "builtin", f"v{rules.VERSION}", builtin)


_FAILINGS = (
    "A mention counts whatever the sentence says of it: a bare list of the concepts gets the full value.",
    "The builtin lemmatiser knows no part of speech, so that a noun may count for a verb of the same form.",
    "With spaCy the values depend on its version and model.",
)
CARDS: Mapping[str, Card] = {
    "coverage": Card(
        "Share of a row's concepts that the prediction mentions in any form of the word; mean over rows.",
        0.0,
        1.0,
        "Lin et al. 2020, CommonGen's coverage_score; lemmas by rule, or spaCy's en_core_web_sm",
        _FAILINGS,
    ),
    "coverage_all": Card(
        "Share of predictions that mention all concepts of their row.",
        0.0,
        1.0,
        "CommonGen-Eval (Lin 2023), analyze_words; lemmas by rule, or spaCy's en_core_web_sm",
        _FAILINGS,
    ),
}
