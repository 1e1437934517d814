"""Intent accuracy: whether a classifier of dialogue acts sees in a reply the act of the human one.

Ramamurthy et al. 2023 (GRUE, DailyDialog): four classes (inform, question, directive, commissive), target = ``act``
- 1. The paper's code joins the prompt's last utterance and the reply without the mark that the classifier was trained
with (quirk Q8); here the mark stands between them unless ``separator`` is empty.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from grue.core.judging import Judging
from grue.core.metric import Digests, Floats, Texts
from grue.core.task import Setting
from grue.core.text import Json
from grue.metrics.card import Card
from grue.metrics.neural.classifier import ClassifierJudge
from grue.metrics.neural.settings import text_or_none, whole_or_none

ACTS = 4
MARK = "<EOU>"

CARDS: Mapping[str, Card] = {
    "intent_accuracy": Card(
        "Share of replies in which a classifier of dialogue acts sees the act of the human reply.",
        0,
        1,
        "Ramamurthy et al. 2023 (GRUE, DailyDialog): argmax of a four-class classifier equals the row's act - 1; the"
        " paper's way is intent_accuracy.paper=true.",
        (
            "The published classifier agrees with the annotated act on 61.5 % of the human replies only.",
            "It says nothing of whether the reply makes sense.",
            "With an empty separator (the paper's code) the classifier reads texts unlike those it was trained on.",
        ),
    )
}


@dataclass(frozen=True)
class IntentAccuracy:
    """1 where the predicted act is the row's, else 0.

    Attributes:
        judge: A classifier with four classes.
        separator: What stands between the last utterance and the prediction.
    """

    judge: ClassifierJudge = field(repr=False, compare=False)
    separator: str
    name: str = "intent_accuracy"
    scale: float | None = 1.0
    higher_is_better: bool | None = True
    needs_references: bool = False
    kind: ClassVar[str] = "pooled"
    undefined: ClassVar[str] = "no row has an act from 1 to 4 and a last utterance"

    @property
    def digest_key(self) -> Hashable:
        """What is read."""
        return ("dialogue turns", self.separator)

    def signature(self) -> str:
        """Weights and separator."""
        return f"{self.name}|model:{self.judge.name}|separator:{self.separator or 'none'}|cut:left|v:1"

    def digest(self, texts: Texts) -> Sequence[Any]:
        """The text to read and the index of the act; ``None`` for a row without act or last utterance."""
        rows = zip(texts.inputs, texts.predictions, strict=True)
        return [_read_row(given, prediction, self.separator) for given, prediction in rows]

    def pooled(self, digests: Digests) -> Floats:
        """Shape (n,): 0 or 1; NaN for a row without act or last utterance, and for a text without a single token."""
        known = [index for index, item in enumerate(digests.items) if item is not None]
        out = np.full(len(digests), np.nan)
        if known:
            probabilities = self.judge.label_probabilities([digests.items[index][0] for index in known])
            targets = np.array([digests.items[index][1] for index in known])
            hits = (probabilities.argmax(axis=1) == targets).astype(np.float64)
            out[known] = np.where(np.isnan(probabilities).any(axis=1), np.nan, hits)
        return out


def _read_row(given: Mapping[str, Json], prediction: str, separator: str) -> tuple[str, int] | None:
    act = given.get("act")
    if isinstance(act, bool) or not isinstance(act, (int, float)) or act not in range(1, ACTS + 1):
        return None
    before = _last_turn(given, separator)
    return None if before is None else (before + separator + prediction, int(act) - 1)


def _last_turn(given: Mapping[str, Json], separator: str) -> str | None:
    """The utterance before the reply.

    The paper's code takes the last piece of the prompt that is not blank, with all its blanks: where there is no
    separator, the one before the prompt's last mark is what parts the two texts.
    """
    prompt, last = given.get("prompt"), given.get("last_utterance")
    if isinstance(prompt, str) and (not separator or not isinstance(last, str)):
        pieces = [piece for piece in prompt.split(MARK) if piece.strip()]
        if pieces:
            return pieces[-1] if not separator else pieces[-1].removesuffix(" ")
    return last if isinstance(last, str) else None


def make(name: str, settings: Mapping[str, Setting | None], judging: Judging) -> IntentAccuracy:
    """Build from the settings of the family ``intent_accuracy``.

    Raises:
        MetricUnavailableError: where no classifier is named, it cannot be had, or it has not four classes.
    """
    judge = ClassifierJudge(
        text_or_none(settings["model"]),
        0,
        judging,
        truncation="left",
        batch_tokens=whole_or_none(settings["batch_tokens"]),
        n_labels=ACTS,
        setting="intent_accuracy.model",
    )
    return IntentAccuracy(judge, str(settings["separator"] or ""), name)
