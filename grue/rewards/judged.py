"""Makers of the rewards that a judge gives: a classifier, an encoder, a preference model."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from grue.core.judging import Judging
from grue.core.metric import Digests, Floats, Texts
from grue.core.reward import Reward
from grue.rewards.backing import Backing
from grue.rewards.combine import growing_mean, weighted_sum
from grue.rewards.settings import METEOR_KEYS

if TYPE_CHECKING:
    from grue.metrics.neural.preference import PreferenceJudge

BERT_SCORE_MODELS = {"en": "FacebookAI/roberta-large", "de": "google-bert/bert-base-multilingual-cased"}


def learned(backing: Backing) -> Reward:
    """A classifier's probability of a label."""
    return backing.metric("sentiment", 0.0, 1.0)


def bert_score(backing: Backing) -> Reward:
    """BERTScore F1; where no model is named, the one that its authors choose for the language, if that is."""
    model, language = backing.values["model"], backing.values["language"]
    if model is None and language is not None:
        backing = replace(
            backing, values={**backing.values, "model": BERT_SCORE_MODELS[str(language)]}, user={*backing.user, "model"}
        )
    return backing.metric("bertscore", None, 1.0)


def bleurt(backing: Backing) -> Reward:
    """BLEURT."""
    return backing.metric("bleurt", None, None, printed_list=backing.flag("printed_list"))


def intent_accuracy(backing: Backing) -> Reward:
    """Sum of a x [predicted act = target act] and b x METEOR, which is left out where b is 0."""
    a, b = backing.number("a"), backing.number("b")
    terms = [(a, backing.metric("intent_accuracy", 0.0, 1.0))]
    if b:
        meteor = backing.metric("meteor", 0.0, 1.0, keys=METEOR_KEYS)
        terms.append((b, growing_mean(meteor) if backing.flag("growing_mean") else meteor))
    return weighted_sum(terms)


@dataclass(frozen=True)
class PreferenceProbability:
    """A preference model's probability that a generation is ``good`` and not ``bad``.

    Attributes:
        judge: The model.
        model: What it was asked for by; two of these are equal where it is.
    """

    judge: PreferenceJudge = field(repr=False, compare=False)
    model: str
    name: str = "preference"
    low: float | None = 0.0
    high: float | None = 1.0
    needs_references: bool = False

    @property
    def digest_key(self) -> Hashable:
        """The texts that are read."""
        return ("predictions",)

    def signature(self) -> str:
        """The hash of its weights."""
        return f"{self.name}|model:{self.judge.name}|words:good/bad|text:prediction|v:1"

    def digest(self, texts: Texts) -> Sequence[str]:
        """The generations."""
        return list(texts.predictions)

    def pooled(self, digests: Digests) -> Floats:
        """Shape (n,); NaN for a text without a single token."""
        return self.judge.probabilities(digests.items)

    def rewards(self, texts: Texts) -> Floats:
        """The same for one batch."""
        return self.judge.probabilities(texts.predictions)


def preference_probability(backing: Backing) -> Reward:
    """A preference model's probability that a generation is good.

    Raises:
        MetricUnavailableError: where no model is named or it cannot be had.
    """
    from grue.metrics.neural.preference import PreferenceJudge

    model, batch_tokens = backing.values["model"], backing.values["batch_tokens"]
    judge = PreferenceJudge(
        None if model is None else str(model),
        backing.judging or Judging(),
        batch_tokens=None if batch_tokens is None else int(batch_tokens),
        setting=f"{backing.name}.model",
    )
    return PreferenceProbability(judge, str(model))
