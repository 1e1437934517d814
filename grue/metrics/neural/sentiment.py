"""Sentiment: the mean probability that a sequence classifier gives one class; any classifier with named classes fits.

Ramamurthy et al. 2023 (GRUE, IMDB): ``lvwerra/distilbert-imdb``, class 1, on prompt and generation joined without a
separator. Here the generation alone is read unless ``prompt=true``, the paper's way.
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
from grue.metrics.neural.classifier import ClassifierJudge
from grue.metrics.neural.settings import text_or_none, whole_or_none

CARDS: Mapping[str, Card] = {
    "sentiment": Card(
        "The mean probability that a classifier gives the class `label`; with the tasks' judge, of a positive review.",
        0,
        1,
        "Ramamurthy et al. 2023 (GRUE): softmax of lvwerra/distilbert-imdb, class 1. Any sequence classifier fits.",
        (
            "A classifier is fooled by words: a string of praise that says nothing scores near 1.",
            "A policy trained against the same classifier is judged by its own reward.",
            "With sentiment.prompt=true (the paper's way) the prompt's own sentiment weighs most.",
            "Texts longer than the classifier reads lose their beginning.",
        ),
    )
}


@dataclass(frozen=True)
class Sentiment:
    """Probability of a class.

    Attributes:
        judge: The classifier.
        with_prompt: Read the prompt, directly followed by the prediction.
    """

    judge: ClassifierJudge = field(repr=False, compare=False)
    with_prompt: bool
    name: str = "sentiment"
    scale: float | None = 1.0
    higher_is_better: bool | None = True
    needs_references: bool = False
    kind: ClassVar[str] = "pooled"
    undefined: ClassVar[str] = "no row has a text that the classifier can read (with prompt=true, rows need a prompt)"

    @property
    def digest_key(self) -> Hashable:
        """The texts that are read."""
        return ("prompts and predictions" if self.with_prompt else "predictions",)

    def signature(self) -> str:
        """Weights, class and what is read."""
        read = "prompt+prediction" if self.with_prompt else "prediction"
        return f"{self.name}|model:{self.judge.name}|label:{self.judge.label}|text:{read}|cut:left|v:1"

    def digest(self, texts: Texts) -> Sequence[Any]:
        """The text to read; ``None`` for a row without the prompt that it needs."""
        if not self.with_prompt:
            return list(texts.predictions)
        prompts = [given.get("prompt") for given in texts.inputs]
        return [p + t if isinstance(p, str) else None for p, t in zip(prompts, texts.predictions, strict=True)]

    def pooled(self, digests: Digests) -> Floats:
        """Shape (n,): probabilities; NaN for a row without its prompt and for a text without a single token."""
        key = (self.name, self.judge.judge.key, self.judge.label, self.with_prompt)
        return digests.derived(key, lambda: self._read(digests.items))

    def _read(self, items: Sequence[str | None]) -> Floats:
        out = np.full(len(items), np.nan)
        known = [index for index, text in enumerate(items) if text is not None]
        out[known] = self.judge.probabilities([text for text in items if text is not None])
        return out


def make(name: str, settings: Mapping[str, Setting | None], judging: Judging) -> Sentiment:
    """Build from the settings of the family ``sentiment``.

    Raises:
        MetricUnavailableError: where no classifier is named, or it cannot be had or lacks the class.
    """
    judge = ClassifierJudge(
        text_or_none(settings["model"]),
        text_or_none(settings["label"]),
        judging,
        truncation="left",
        batch_tokens=whole_or_none(settings["batch_tokens"]),
        setting="sentiment.model",
    )
    return Sentiment(judge, bool(settings["prompt"]), name)
