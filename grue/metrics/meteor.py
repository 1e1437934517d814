"""METEOR as NLTK computes it: a harmonic mean of matched words with a penalty for their order, 0 to 1.

Banerjee and Lavie 2005; Lavie and Agarwal 2007. Words are matched by form, by Porter stem and, where
``wordnet=true``, by WordNet synonym; of several references the best counts; the corpus value is the mean of rows.
Values equal ``nltk.translate.meteor_score`` of NLTK 3.10.4 on the same words, its quirks included: later words match
first, chunks are counted on that alignment and not on the one with fewest crossings, and the synonym stage reads
stems. The paper's code scores against the printed list of references (``printed_list``, quirk Q1), on words that
NLTK cut by older rules (see ``meteor_words``).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np

from grue.core.metric import Explanation, Floats, Part, Texts
from grue.core.settings import load_settings
from grue.core.task import Setting
from grue.metrics import meteor_words
from grue.metrics.card import Card
from grue.metrics.meteor_align import Alignment, Side, Synonyms, align, chunks
from grue.metrics.text import words
from grue.metrics.text.wordnet import WordNet, open_wordnet

IMPLEMENTATION = "nltk-3.10.4"


@dataclass(frozen=True)
class Meteor:
    """METEOR of one set of parameters.

    Attributes:
        alpha: Weight of precision's share in the harmonic mean, 0 to 1: near 1 recall counts most.
        beta: Exponent of the fragmentation.
        gamma: Weight of the penalty.
        tokenize: ``unicode``, ``nltk`` or ``whitespace``.
        wordnet: Synonyms; ``None`` leaves that stage out.
        printed_list: Score against the printed list of references.
    """

    alpha: float
    beta: float
    gamma: float
    tokenize: str
    wordnet: WordNet | None = field(repr=False)
    printed_list: bool
    name: str = "meteor"
    scale: float | None = 1.0
    higher_is_better: bool | None = True
    needs_references: bool = True
    kind: ClassVar[str] = "mean"

    def signature(self) -> str:
        """Stages, parameters, tokeniser, references and the implementation it equals."""
        synonyms = f"wordnet:{self.wordnet.signature()}" if self.wordnet else "wordnet:no"
        numbers = f"alpha:{self.alpha!r}|beta:{self.beta!r}|gamma:{self.gamma!r}"
        references = "printed-list" if self.printed_list else "max"
        tokenizer = meteor_words.signature() if self._is_papers else words.signature(self.tokenize)
        words_are = f"tok:{tokenizer}|case:lc"
        return f"{self.name}|stem:porter|{synonyms}|{numbers}|{words_are}|refs:{references}|impl:{IMPLEMENTATION}|v:1"

    def per_sample(self, texts: Texts) -> Floats:
        """Shape (n,), 0 to 1; 0 where prediction or reference has no words."""
        predictions, references, synonyms = *self._sides(texts), self._synonyms
        values = [
            max(self._score(side, other, align(side, other, synonyms)) for other in others)
            for side, others in zip(predictions, references, strict=True)
        ]
        return np.array(values, dtype=np.float64)

    def explain(self, texts: Texts) -> list[Explanation]:
        """The words that matched at each stage and those that did not, for the reference that counted."""
        predictions, references = self._sides(texts)
        return [self._explain(side, others) for side, others in zip(predictions, references, strict=True)]

    @property
    def _is_papers(self) -> bool:
        return self.printed_list and self.tokenize == "nltk"

    @property
    def _synonyms(self) -> Synonyms | None:
        return self.wordnet.synonyms if self.wordnet else None

    def _sides(self, texts: Texts) -> tuple[list[Side], list[list[Side]]]:
        return texts.derived(("meteor sides", self.tokenize, self.printed_list), lambda: self._make_sides(texts))

    def _make_sides(self, texts: Texts) -> tuple[list[Side], list[list[Side]]]:
        rows = [[str(list(row))] if self.printed_list else row for row in texts.references]
        distinct = list(dict.fromkeys(reference for row in rows for reference in row))
        if self._is_papers:
            split, predictions = meteor_words.of_printed(distinct), meteor_words.of_predictions(texts)
        else:
            split = words.split_all(distinct, self.tokenize, punctuation=True)
            predictions = words.tokens(texts, self.tokenize, punctuation=True)
        sides = {text: Side(found) for text, found in zip(distinct, split, strict=True)}
        return list(map(Side, predictions)), [[sides[reference] for reference in row] for row in rows]

    def _score(self, hypothesis: Side, reference: Side, alignment: Alignment) -> float:
        matches = len(alignment) - alignment.count(None)
        if not matches:
            return 0.0
        precision, recall = matches / len(hypothesis.words), matches / len(reference.words)
        weighted = self.alpha * precision + (1 - self.alpha) * recall
        if not weighted:
            return 0.0
        penalty: float = self.gamma * (chunks(alignment) / matches) ** self.beta
        return (1 - penalty) * (precision * recall / weighted)

    def _explain(self, hypothesis: Side, references: Sequence[Side]) -> Explanation:
        if not references:
            return Explanation(None, "There is no reference.")
        aligned = [align(hypothesis, reference, self._synonyms) for reference in references]
        scores = [self._score(hypothesis, *pair) for pair in zip(references, aligned, strict=True)]
        best = max(range(len(scores)), key=scores.__getitem__)
        reference, alignment = references[best], aligned[best]
        same: list[str] = []
        stems: list[str] = []
        synonyms: list[str] = []
        for index, place in enumerate(alignment):
            if place is None:
                continue
            word, other = hypothesis.words[index], reference.words[place]
            if word == other:
                same.append(word)
            elif hypothesis.stems[index] == reference.stems[place]:
                stems.append(f"{word} = {other}")
            else:
                synonyms.append(f"{word} = {other}")
        taken = set(alignment)
        missing = tuple(word for place, word in enumerate(reference.words) if place not in taken)
        extra = tuple(word for word, place in zip(hypothesis.words, alignment, strict=True) if place is None)
        parts = [Part("words", tuple(same), missing, extra), Part("words of one stem", tuple(stems))]
        if self.wordnet:
            parts.append(Part("synonyms", tuple(synonyms)))
        matches = len(same) + len(stems) + len(synonyms)
        summary = (
            f"{matches} of {len(hypothesis.words)} words match {matches} of the reference's {len(reference.words)}, "
            f"in {chunks(alignment)} runs."
        )
        return Explanation(scores[best], summary, None if self.printed_list else best, tuple(parts))


CARDS: Mapping[str, Card] = {
    "meteor": Card(
        measures=(
            "How many words of prediction and reference can be paired by form, stem or synonym, recall weighing nine "
            "times precision, less a penalty for words that stand in another order."
        ),
        low=0.0,
        high=1.0,
        source=(
            "Banerjee and Lavie 2005, Lavie and Agarwal 2007; equal to nltk.translate.meteor_score of NLTK 3.10.4. "
            "WordNet (Miller 1995) where meteor.wordnet=true: NLTK's, the fetched one, or files by path."
        ),
        failings=(
            "Not METEOR 1.5: no paraphrases, no function-word weights, other parameters; use meteor_java for that.",
            "A copy of the reference scores slightly below 1, as one chunk still costs a penalty.",
            "Without WordNet (the default) synonyms count as errors; stems and synonyms are English.",
            "NLTK pairs repeated words from the end, which can count more chunks than needed.",
            "With meteor.printed_list=true (the paper's code) brackets and quotes of the printed list count as words.",
        ),
    )
}


def make(name: str, settings: Mapping[str, Setting | None]) -> Meteor:
    """Build from the settings of the family ``meteor``.

    Raises:
        MetricUnavailableError: where WordNet or the tokeniser's data are asked for and missing.
    """
    words.require(str(settings["tokenize"]))
    wordnet = None
    if settings["wordnet"]:
        wordnet = open_wordnet(str(settings["wordnet_data"]), load_settings(os.environ, Path.cwd()).home)
    return Meteor(
        alpha=float(settings["alpha"] or 0),
        beta=float(settings["beta"] or 0),
        gamma=float(settings["gamma"] or 0),
        tokenize=str(settings["tokenize"]),
        wordnet=wordnet,
        printed_list=bool(settings["printed_list"]),
        name=name,
    )
