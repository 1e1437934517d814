"""Makers of the rewards that compare strings; the arithmetic is the metrics' own."""

from __future__ import annotations

from grue.core.reward import Reward
from grue.rewards.backing import Backing
from grue.rewards.combine import weighted_sum

_PERCENT = 100.0


def meteor(backing: Backing) -> Reward:
    """METEOR, with shaping where asked for."""
    return backing.shaped(backing.metric("meteor", 0.0, 1.0))


def rouge(backing: Backing) -> Reward:
    """F-measure of one ROUGE type, with shaping where asked for."""
    return backing.shaped(backing.metric(str(backing.values["type"]), 0.0, 1.0))


def rouge_combined(backing: Backing) -> Reward:
    """Mean of ROUGE-1, 2 and L, with shaping where asked for."""
    share = 1 / 3
    parts = [(share, backing.metric(name, 0.0, 1.0)) for name in ("rouge1", "rouge2", "rougeL")]
    return backing.shaped(weighted_sum(parts))


def bleu(backing: Backing) -> Reward:
    """BLEU of the single generation."""
    return backing.metric("bleu", 0.0, 1.0)


def sacre_bleu(backing: Backing) -> Reward:
    """Corpus SacreBLEU of the single generation over 100; effective order only where set."""
    return backing.metric("sacrebleu", 0.0, 1.0, divisor=_PERCENT)


def chrf(backing: Backing) -> Reward:
    """ChrF over 100."""
    return backing.metric("chrf", 0.0, 1.0, divisor=_PERCENT)


def ter(backing: Backing) -> Reward:
    """1 minus TER over 100."""
    return weighted_sum([(-1.0, backing.metric("ter", 0.0, None, divisor=_PERCENT))], 1.0)


def parent(backing: Backing) -> Reward:
    """PARENT F."""
    return backing.metric("parent", 0.0, 1.0)


def rouge_l_max(backing: Backing) -> Reward:
    """ROUGE-L by py-rouge's rule."""
    return backing.metric("rougeL_max", 0.0, 1.0)
