"""Makers of the rewards that a judge gives: a classifier, an encoder, a preference model."""

from __future__ import annotations

from grue.core.errors import MetricUnavailableError
from grue.core.reward import Reward
from grue.rewards import ABSENT_REASON
from grue.rewards.backing import Backing
from grue.rewards.combine import growing_mean, weighted_sum
from grue.rewards.settings import METEOR_KEYS


def learned(backing: Backing) -> Reward:
    """A classifier's probability of a label."""
    return backing.metric("sentiment", 0.0, 1.0)


def bert_score(backing: Backing) -> Reward:
    """BERTScore F1."""
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


def preference_probability(backing: Backing) -> Reward:
    """A preference model's probability that a sentence is good.

    Raises:
        MetricUnavailableError: where no model is named or it cannot be had.
    """
    raise MetricUnavailableError(f"{backing.name}: {ABSENT_REASON}")
