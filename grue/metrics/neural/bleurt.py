"""BLEURT: a model that was trained to predict human ratings of a candidate beside its reference.

Sellam et al. 2020 (ACL), checkpoints in the form that transformers loads by itself: a sequence classifier with one
output, which reads the reference first and the candidate second. Several references: their mean, as ToTTo's board
does, or the best. Checkpoints with a model type of their own (BLEURT-20 as published for PyTorch) need code that
transformers does not have, and are refused.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from grue.core.judging import Judging
from grue.core.metric import Digests, Floats, Texts
from grue.core.task import Setting
from grue.metrics.card import Card
from grue.metrics.neural.batching import Parts, judged
from grue.metrics.neural.classifier import classifier_logits
from grue.metrics.neural.encoding import encode_pairs
from grue.metrics.neural.judge import Judge, open_judge
from grue.metrics.neural.settings import text_or_none, whole_or_none

CARDS: Mapping[str, Card] = {
    "bleurt": Card(
        "A learned rating of the prediction beside its reference; about 0 to 1, neither bound holds.",
        None,
        None,
        "Sellam et al. 2020 (ACL), through transformers (BertForSequenceClassification with one output); equality with"
        " the TensorFlow original is that of the converted checkpoint.",
        (
            "Values of different checkpoints cannot be compared; the signature holds the weights' hash.",
            "Pairs longer than 512 tokens are cut at their longer side.",
            "Trained on news translation: other domains and lengths are outside its training data.",
        ),
    )
}


@dataclass(frozen=True)
class Bleurt:
    """The regression output for each pair.

    Attributes:
        judge: The checkpoint.
        references: ``mean`` or ``max`` over a row's references.
        batch_tokens: Padded tokens a batch; ``None`` chooses by device.
    """

    judge: Judge = field(repr=False, compare=False)
    references: str
    batch_tokens: int | None = field(default=None, compare=False)
    name: str = "bleurt"
    scale: float | None = None
    higher_is_better: bool | None = True
    needs_references: bool = True
    kind: ClassVar[str] = "pooled"
    digest_key: ClassVar[Hashable] = ("predictions and references",)

    def signature(self) -> str:
        """Weights and references."""
        return f"{self.name}|model:{self.judge.name}|refs:{self.references}|order:reference-first|v:1"

    def digest(self, texts: Texts) -> Sequence[Any]:
        """Prediction and references."""
        return list(zip(texts.predictions, texts.references, strict=True))

    def pooled(self, digests: Digests) -> Floats:
        """Shape (n,): the model's rating; NaN where the model gives NaN."""
        pairs = [(reference, prediction) for prediction, row in digests.items for reference in row]
        judge = self.judge
        values = judged(pairs, self._compute, judge=judge.key, settings="rating", judging=judge.judging)
        out = np.full(len(digests), np.nan)
        start = 0
        for index, (_, row) in enumerate(digests.items):
            own = values[start : start + len(row), 0]
            start += len(row)
            if len(own):
                out[index] = own.max() if self.references == "max" else own.mean()
        return out

    def _compute(self, items: Sequence[Parts]) -> Floats:
        judge = self.judge
        pairs = [(parts[0], parts[1]) for parts in items]
        rows = encode_pairs(judge.tokenizer(), pairs, judge.limit_tokens(), cut="longest_first")
        return classifier_logits(judge, rows, 1, self.batch_tokens)


def make(name: str, settings: Mapping[str, Setting | None], judging: Judging) -> Bleurt:
    """Build from the settings of the family ``bleurt``.

    Raises:
        MetricUnavailableError: where no checkpoint is named, it cannot be had, or it has not one output.
    """
    judge = open_judge(text_or_none(settings["model"]), "classifier", judging, setting="bleurt.model")
    if int(judge.config.num_labels) != 1:
        raise judge.refuse(f"BLEURT has one output, this classifier has {judge.config.num_labels}.")
    return Bleurt(judge, str(settings["references"]), whole_or_none(settings["batch_tokens"]), name)
