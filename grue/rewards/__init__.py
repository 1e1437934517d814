"""Rewards: one table of all names; a reward without a maker is absent with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grue.core.errors import UsageError
from grue.core.text import nearest

ABSENT_REASON = "this version of grue does not compute it yet"


@dataclass(frozen=True, slots=True)
class RewardEntry:
    """What is known of a reward: one line for ``grue rewards list``, and whether a checkpoint computes it."""

    summary: str
    needs_model: bool = False


REWARDS: Mapping[str, RewardEntry] = {
    "learned_reward": RewardEntry("A classifier's probability of a label for prompt and generation.", True),
    "meteor": RewardEntry("METEOR of the generation, 0 to 1."),
    "rouge": RewardEntry("F-measure of one ROUGE type, 0 to 1."),
    "rouge_combined": RewardEntry("Mean of ROUGE-1, 2 and L, 0 to 1."),
    "bleu": RewardEntry("BLEU on white-space tokens, unsmoothed, 0 to 1."),
    "sacre_bleu": RewardEntry("SacreBLEU of the single generation, 0 to 1."),
    "chrf": RewardEntry("chrF of the generation, 0 to 1."),
    "ter": RewardEntry("1 minus TER; may be negative."),
    "bert_score": RewardEntry("BERTScore F1.", True),
    "bleurt": RewardEntry("BLEURT.", True),
    "spider": RewardEntry("Weighted sum of SPICE and CIDEr."),
    "parent": RewardEntry("PARENT F of the generation, 0 to 1."),
    "rouge_l_max": RewardEntry("ROUGE-L by py-rouge's rule, best reference."),
    "intent_accuracy": RewardEntry("Whether the predicted act is the target's, plus METEOR.", True),
    "common_gen_preference_model": RewardEntry("A preference model's probability, less for missing concepts.", True),
    "common_gen_repeat_penalty": RewardEntry("-1 where the output repeats the prompt, else 0."),
    "increasing_numbers": RewardEntry("Synthetic: share of tokens in a run of increasing numbers."),
    "sentences_with_dates": RewardEntry("Synthetic: 1 where an ISO date occurs, else 0."),
}


def absence(name: str) -> str:
    """Why a reward gives no number here.

    Raises:
        UsageError: for an unknown name, with the nearest known one.
    """
    if name not in REWARDS:
        raise UsageError(f"Unknown reward {name!r}.{nearest(name, REWARDS)}", "Run 'grue rewards list' to see all.")
    return ABSENT_REASON
