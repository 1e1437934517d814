"""SummaC zero-shot: whether each sentence of a summary follows from some sentence of its source.

Laban et al. 2022 (TACL), `summac` with granularity ``sentence``, entailment alone: for each summary sentence the
largest entailment probability over the source's sentences, then the mean. Sentences of ten letters or fewer are
dropped, at most 100 source sentences are read, pairs are cut to 500 tokens. Ours splits sentences by its own rules,
which need no data, where the authors' code uses NLTK's Punkt; pairs are computed in single precision.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from grue.core.judging import Judging
from grue.core.metric import Digests, Explanation, Floats, Part, Texts
from grue.core.task import Setting
from grue.metrics.card import Card
from grue.metrics.neural.classifier import ClassifierJudge
from grue.metrics.neural.judge import open_judge
from grue.metrics.neural.settings import text_or_none, whole_or_none
from grue.metrics.text import sentences

SHORT_LETTERS = 10
SOURCE_SENTENCES = 100
SUMMARY_SENTENCES = 2_000
PAIR_TOKENS = 500
BLOCK_PAIRS = 4_096
SUPPORTED = 0.5  # from which entailment on an explanation calls a sentence supported
_ENTAILMENT = ("entailment", "supports", "entail")

CARDS: Mapping[str, Card] = {
    "summac_zs": Card(
        "Whether each sentence of the prediction follows from some sentence of the source, by an entailment model.",
        0,
        1,
        "Laban et al. 2022 (TACL), SummaC zero-shot with sentences and entailment alone; sentences by our own rules"
        " instead of NLTK's Punkt.",
        (
            "A sentence that joins facts of two source sentences is not recognised.",
            "Copied sentences score near 1: read it beside copy_rate.",
            "A text without a sentence of more than ten letters scores 0, as in the authors' code.",
            "With summac_zs.premise=prompt (the paper's way) the instruction counts as source text.",
        ),
    )
}


@dataclass(frozen=True)
class SummaCZS:
    """Mean over summary sentences of the best entailment.

    Attributes:
        judge: The entailment model; its label is entailment.
        premise: Name of the input that is the source.
    """

    judge: ClassifierJudge = field(repr=False, compare=False)
    premise: str
    name: str = "summac_zs"
    scale: float | None = 1.0
    higher_is_better: bool | None = True
    needs_references: bool = False
    kind: ClassVar[str] = "pooled"
    undefined: ClassVar[str] = "no row has a source text"

    @property
    def digest_key(self) -> Hashable:
        """The texts that are read."""
        return ("premise and prediction", self.premise)

    def signature(self) -> str:
        """Weights, label, premise and sentences."""
        return (
            f"{self.name}|model:{self.judge.name}|label:{self.judge.label}|premise:{self.premise}|granularity:sentence"
            f"|sentences:grue-{sentences.VERSION}|use_con:no|impl:summac|v:1"
        )

    def digest(self, texts: Texts) -> Sequence[Any]:
        """Source and prediction; ``None`` for a row without source."""
        sources = [given.get(self.premise) for given in texts.inputs]
        return [(s, t) if isinstance(s, str) else None for s, t in zip(sources, texts.predictions, strict=True)]

    def pooled(self, digests: Digests) -> Floats:
        """Shape (n,): from 0 to 1; NaN for a row without source."""
        out = np.full(len(digests), np.nan)
        known = [index for index, item in enumerate(digests.items) if item is not None]
        known.sort(key=lambda index: (len(digests.items[index][0]) + len(digests.items[index][1]), index))
        waiting: list[tuple[int, tuple[str, ...], tuple[str, ...]]] = []
        n_pairs = 0
        for index in known:
            source, prediction = digests.items[index]
            own = tuple(_sentences(prediction))
            if len(own) > SUMMARY_SENTENCES:
                raise ValueError(
                    f"summac_zs: a prediction has {len(own)} sentences, at most {SUMMARY_SENTENCES} are read"
                )
            row = (index, _source_sentences(source), own)
            waiting.append(row)
            n_pairs += len(row[1]) * len(row[2])
            if n_pairs >= BLOCK_PAIRS:
                self._score(waiting, out)
                waiting, n_pairs = [], 0
        self._score(waiting, out)
        return out

    def explain(self, texts: Texts) -> list[Explanation]:
        """Which sentences of the prediction some sentence of the source entails."""
        found = []
        for item in self.digest(texts):
            if item is None:
                found.append(Explanation(None, "The row has no source text."))
                continue
            own = _sentences(item[1])[:SUMMARY_SENTENCES]
            best = self._best(_source_sentences(item[0]), tuple(own))
            value = float(best.mean()) if len(best) else 0.0
            supported = tuple(s for s, v in zip(own, best, strict=True) if v >= SUPPORTED) if len(best) else ()
            rest = tuple(s for s in own if s not in supported)
            numbers = ", ".join(f"{v:.3f}" for v in best) or "no sentence"
            summary = f"Mean of the best entailment of {len(own)} sentences: {numbers}."
            found.append(Explanation(value, summary, None, (Part("sentences", supported, (), rest),)))
        return found

    def _score(self, rows: Sequence[tuple[int, tuple[str, ...], tuple[str, ...]]], out: Floats) -> None:
        pairs = [(premise, own) for _, source, summary in rows for own in summary for premise in source]
        values = self.judge.pair_probabilities(pairs)[:, self.judge.label] if pairs else np.empty(0)
        start = 0
        for index, source, summary in rows:
            end = start + len(source) * len(summary)
            # The authors' code gives 0 where either side has no sentence.
            own = values[start:end].reshape(len(summary), len(source))
            out[index] = own.max(axis=1).mean() if own.size else 0.0
            start = end

    def _best(self, source: tuple[str, ...], summary: tuple[str, ...]) -> Floats:
        if not source or not summary:
            return np.empty(0)
        pairs = [(premise, own) for own in summary for premise in source]
        values = self.judge.pair_probabilities(pairs)[:, self.judge.label].reshape(len(summary), len(source))
        best: Floats = values.max(axis=1)
        return best


def _sentences(text: str) -> list[str]:
    return [sentence for sentence in sentences.split(text) if len(sentence) > SHORT_LETTERS]


@lru_cache(maxsize=64)
def _source_sentences(text: str) -> tuple[str, ...]:
    return tuple(_sentences(text)[:SOURCE_SENTENCES])


def make(name: str, settings: Mapping[str, Setting | None], judging: Judging) -> SummaCZS:
    """Build from the settings of the family ``summac_zs``.

    Raises:
        MetricUnavailableError: where no entailment model is named, it cannot be had, or does not say which of its
            classes is entailment.
    """
    model, label = text_or_none(settings["model"]), text_or_none(settings["label"])
    if label is None:
        judge = open_judge(model, "classifier", judging, setting="summac_zs.model")
        names = {int(index): str(word).lower() for index, word in (judge.config.id2label or {}).items()}
        found = [index for index, word in names.items() if word in _ENTAILMENT]
        if len(found) != 1:
            raise judge.refuse("none of its classes is called entailment.", "Name one: --set summac_zs.label=INDEX.")
        label = str(found[0])
    classifier = ClassifierJudge(
        model,
        label,
        judging,
        batch_tokens=whole_or_none(settings["batch_tokens"]),
        max_tokens=PAIR_TOKENS,
        setting="summac_zs.model",
    )
    return SummaCZS(classifier, str(settings["premise"]), name)
