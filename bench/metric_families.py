"""One comparison a family of metrics: ours, the reference package, the texts, and the factor that is asked for."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import metric_references as references
from metric_texts import load

from grue.core.metric import Texts
from grue.metrics.several import compute, scorers

Values = Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Contest:
    """Two sides of one comparison.

    Attributes:
        name: What is compared, with its settings.
        factor: How many times as fast ours should be.
        texts: What both score.
        metrics: Our names.
        settings: Family -> settings of ours.
        theirs: The reference package.
    """

    name: str
    factor: float
    texts: Texts
    metrics: tuple[str, ...]
    settings: Mapping[str, Mapping[str, Any]]
    theirs: Callable[[Texts], Values]

    def ours(self) -> Values:
        """Our values, on texts that nothing was kept on."""
        texts = Texts(self.texts.predictions, self.texts.references, self.texts.inputs)
        outcome = compute(scorers(self.metrics, self.settings), [texts])
        return {name: outcome.scores[name].value for name in self.metrics}

    def reference(self) -> Values:
        """The package's values."""
        return self.theirs(self.texts)


def contests(material: Path, limit: int | None) -> Iterator[Contest]:
    """All families, in the order of the table."""
    from nltk import word_tokenize

    rouge = {"rouge": {"use_stemmer": True, "references": "max", "lsum_split": "newline"}}
    for task, at_least in (("cnn_dailymail", 0), ("narrativeqa", 0), ("commongen", 0)):
        texts = load(material, task, limit, at_least).texts
        yield Contest(f"rouge 1/2/L/Lsum, stemmer ({task})", 8, texts, references.ROUGE, rouge, references.rouge)
    for task in ("commongen", "daily_dialog"):
        texts = load(material, task, limit).texts
        by_nltk = partial(references.meteor, split=word_tokenize)
        by_blank = partial(references.meteor, split=str.split)
        names = ("meteor",)
        yield Contest(f"meteor, NLTK words ({task})", 5, texts, names, {"meteor": {"tokenize": "nltk"}}, by_nltk)
        white = {"meteor": {"tokenize": "whitespace"}}
        yield Contest(f"meteor, white space ({task})", 5, texts, names, white, by_blank)
    yield from _coco(load(material, "commongen", limit).texts)
    texts = load(material, "totto", limit, 400).texts
    names = ("parent", "parent_precision", "parent_recall")
    yield Contest("parent (totto)", 5, texts, names, {}, references.parent_script)
    yield Contest("bleu_totto (totto)", 1, texts, ("bleu_totto",), {}, references.bleu_totto)
    for task in ("iwslt2017", "wmt16"):
        texts = load(material, task, limit).texts
        for name in ("sacrebleu", "chrf", "chrf++", "ter"):
            theirs = partial(references.sacre, name=name)
            yield Contest(f"{name} ({task})", 1, texts, (name,), {}, theirs)
    texts = load(material, "cnn_dailymail", limit).texts
    names = tuple(references.diversity(Texts(["a b c d"] * 30, [[]] * 30, [{}] * 30), str.split))
    by_nltk = partial(references.diversity, split=lambda text: [word.lower() for word in word_tokenize(text)])
    yield Contest(
        "diversity, NLTK words (cnn_dailymail)", 1, texts, names, {"diversity": {"tokenize": "nltk"}}, by_nltk
    )
    texts = load(material, "narrativeqa", limit).texts
    yield Contest("exact_match, f1 (narrativeqa)", 1, texts, ("exact_match", "f1"), {}, references.squad)


def _coco(texts: Texts) -> Iterator[Contest]:
    bleu = tuple(f"bleu_{order}" for order in range(1, 5))
    white = {"coco": {"tokenize": "whitespace"}}
    split = references.own_tokens(texts)
    for names in (bleu, ("cider_d",)):
        theirs = partial(references.coco, wanted=names)
        label = "bleu_1 to bleu_4" if len(names) > 1 else names[0]
        yield Contest(f"{label}, tokenised before (commongen)", 3, split, names, white, theirs)
    if shutil.which("java"):
        both: Sequence[str] = (*bleu, "cider_d")

        def with_java(given: Texts) -> Values:
            return references.coco(references.java_tokens(given), both)

        yield Contest("bleu_1 to bleu_4, cider_d with tokenising (commongen)", 3, texts, tuple(both), {}, with_java)
