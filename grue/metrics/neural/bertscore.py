"""BERTScore: each token of one text is matched with the most similar one of the other, by contextual embeddings.

Zhang et al. 2020 (ICLR), `bert-score` 0.3.13: F1, the best of several references. Equal to the package on the same
checkpoint and layer. With transformers 5 the package no longer puts a blank before a text for RoBERTa's and GPT-2's
tokenizers, as it did with the slow ones of transformers 4; ``prefix_space=true`` does.
"""

from __future__ import annotations

import csv
import dataclasses
import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from grue.core.errors import MetricUnavailableError
from grue.core.judging import Judging
from grue.core.metric import Digests, Floats, Texts
from grue.core.task import Setting
from grue.metrics.card import Card
from grue.metrics.neural.batching import Parts, judged
from grue.metrics.neural.embedding import Embedder
from grue.metrics.neural.encoder import choose_layer
from grue.metrics.neural.judge import open_judge
from grue.metrics.neural.settings import text_or_none, whole_or_none

CARDS: Mapping[str, Card] = {
    "bertscore": Card(
        "How well each token of the prediction is matched by one of the reference, and the other way round, by the"
        " similarity of their contextual embeddings: F1, the best reference.",
        -1,
        1,
        "Zhang et al. 2020 (ICLR); equals bert-score 0.3.13 on the same checkpoint, layer and tokenizer.",
        (
            "Raw values of roberta-large crowd between 0.8 and 1: even unrelated sentences score above 0.8.",
            "Antonyms, numbers and negation are hardly seen.",
            "Tokens beyond what the encoder reads (512) are cut.",
            "Values of different encoders, layers or baselines cannot be compared; the signature names them.",
            "An empty prediction or reference scores 0.",
        ),
    )
}


@dataclass(frozen=True)
class BertScore:
    """F1 of greedy matches.

    Attributes:
        embedder: Encoder and layer.
        idf: Weigh tokens by their inverse document frequency in the scored references.
        baseline: F1 of unrelated texts, which becomes 0; ``None`` leaves values raw.
    """

    embedder: Embedder = field(repr=False, compare=False)
    idf: bool
    baseline: float | None
    name: str = "bertscore"
    scale: float | None = 1.0
    higher_is_better: bool | None = True
    needs_references: bool = True
    kind: ClassVar[str] = "pooled"
    digest_key: ClassVar[Hashable] = ("predictions and references",)
    undefined: ClassVar[str] = "the encoder gives no finite embedding for any row"

    def signature(self) -> str:
        """Weights, layer, weights of tokens, baseline and blank."""
        judge = self.embedder.judge
        rescaled = "no" if self.baseline is None else repr(self.baseline)
        return (
            f"{self.name}|model:{judge.name}|layer:{self.embedder.layer}|idf:{'yes' if self.idf else 'no'}"
            f"|baseline:{rescaled}|prefix:{'yes' if self.embedder.prefix_space else 'no'}|refs:max"
            "|impl:bert-score-0.3.13|v:1"
        )

    def digest(self, texts: Texts) -> Sequence[Any]:
        """Prediction and references."""
        return list(zip(texts.predictions, texts.references, strict=True))

    def pooled(self, digests: Digests) -> Floats:
        """Shape (n,): F1 against the best reference; NaN where the encoder gives NaN."""
        pairs = [(prediction, reference) for prediction, row in digests.items for reference in row]
        best = np.full(len(digests), np.nan)
        values = self._matched(pairs)
        start = 0
        for index, (_, row) in enumerate(digests.items):
            own = values[start : start + len(row)]
            start += len(row)
            if len(own) and not np.isnan(own).all():
                best[index] = np.nanmax(own)
        return best if self.baseline is None else (best - self.baseline) / (1 - self.baseline)

    def _matched(self, pairs: Sequence[tuple[str, str]]) -> Floats:
        """F1 of each pair, raw."""
        if not pairs:
            return np.empty(0)
        embedder = self.embedder
        judge = embedder.judge
        weights = self._weights([reference for _, reference in pairs])
        # Document frequencies belong to this very set of references: nothing to keep for another.
        judging = dataclasses.replace(judge.judging, cache=None) if self.idf else judge.judging

        def compute(items: Sequence[Parts]) -> Floats:
            return embedder.f1([(parts[0], parts[1]) for parts in items], weights)

        settings = f"bertscore F1 layer {embedder.layer} prefix {embedder.prefix_space}"
        return judged(pairs, compute, judge=judge.key, settings=settings, judging=judging)[:, 0]

    def _weights(self, references: Sequence[str]) -> Mapping[int, float] | None:
        """Token -> inverse document frequency, with that of an unseen token under -1; ``None`` for equal weights."""
        if not self.idf:
            return None
        times = Counter(references)
        counts: Counter[int] = Counter()
        for text, ids in self.embedder.token_sets(times):
            for token in ids:
                counts[token] += times[text]
        n = len(references)
        return {-1: math.log(n + 1)} | {token: math.log((n + 1) / (count + 1)) for token, count in counts.items()}


def make(name: str, settings: Mapping[str, Setting | None], judging: Judging) -> BertScore:
    """Build from the settings of the family ``bertscore``.

    Raises:
        MetricUnavailableError: where no encoder is named, it cannot be had or is too shallow, or the baseline file
            does not fit.
    """
    judge = open_judge(text_or_none(settings["model"]), "encoder", judging, setting="bertscore.model")
    layer = choose_layer(judge, whole_or_none(settings["layer"]))
    embedder = Embedder(judge, layer, bool(settings["prefix_space"]), whole_or_none(settings["batch_tokens"]))
    baseline = read_baseline(Path(str(settings["baseline"])), layer) if settings["baseline"] else None
    return BertScore(embedder, bool(settings["idf"]), baseline, name)


def read_baseline(path: Path, layer: int) -> float:
    """F1 of unrelated texts at a layer, from a file of bert-score (``LAYER,P,R,F``).

    Raises:
        MetricUnavailableError: where the file cannot be read or lacks the layer.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            found = {int(float(row["LAYER"])): float(row["F"]) for row in csv.DictReader(file)}
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise MetricUnavailableError(
            f"the baseline file {path} cannot be read: {error}; give a file of bert-score with the columns LAYER,P,R,F"
        ) from error
    value = found.get(layer)
    if value is None or not -1 < value < 1:
        raise MetricUnavailableError(f"the baseline file {path} has no value below 1 for layer {layer}")
    return value
