"""Rewards: one table of all names; nothing heavy is imported before a reward is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

STRINGS = "strings compared in this process"
JUDGE = "a pass of the judge over each distinct text; its outputs are cached"
PROGRAM = "an outside Java program over all texts"


@dataclass(frozen=True, slots=True)
class RewardEntry:
    """What is known of a reward before it is built.

    Attributes:
        maker: ``"module:callable"`` that takes a ``grue.rewards.backing.Backing``.
        summary: One line for ``grue rewards list``.
        low: Smallest value with default settings; ``None`` where unbounded.
        high: Largest value with default settings; ``None`` where unbounded.
        cost: What a row costs, in words.
        metrics: Metrics that it computes, whose cost a thousand rows is its own.
        needs_model: Whether a checkpoint computes it.
    """

    maker: str
    summary: str
    low: float | None
    high: float | None
    cost: str = STRINGS
    metrics: tuple[str, ...] = ()
    needs_model: bool = False


_LEXICAL = "grue.rewards.lexical:"
_JUDGED = "grue.rewards.judged:"

REWARDS: Mapping[str, RewardEntry] = {
    "learned_reward": RewardEntry(
        _JUDGED + "learned", "A classifier's probability of a label.", 0, 1, JUDGE, ("sentiment",), True
    ),
    "meteor": RewardEntry(_LEXICAL + "meteor", "METEOR of the generation.", 0, 1, metrics=("meteor",)),
    "rouge": RewardEntry(_LEXICAL + "rouge", "F-measure of one ROUGE type.", 0, 1, metrics=("rouge1",)),
    "rouge_combined": RewardEntry(
        _LEXICAL + "rouge_combined", "Mean of ROUGE-1, 2 and L.", 0, 1, metrics=("rouge1", "rouge2", "rougeL")
    ),
    "bleu": RewardEntry(_LEXICAL + "bleu", "BLEU on white-space tokens, unsmoothed.", 0, 1, metrics=("bleu",)),
    "sacre_bleu": RewardEntry(
        _LEXICAL + "sacre_bleu", "SacreBLEU of the single generation, over 100.", 0, 1, metrics=("sacrebleu",)
    ),
    "chrf": RewardEntry(_LEXICAL + "chrf", "chrF of the generation, over 100.", 0, 1, metrics=("chrf",)),
    "ter": RewardEntry(_LEXICAL + "ter", "1 minus TER over 100; may be negative.", None, 1, metrics=("ter",)),
    "bert_score": RewardEntry(
        _JUDGED + "bert_score", "BERTScore F1, the best reference.", None, 1, JUDGE, ("bertscore",), True
    ),
    "bleurt": RewardEntry(_JUDGED + "bleurt", "BLEURT.", None, None, JUDGE, ("bleurt",), True),
    "spider": RewardEntry(
        "grue.rewards.spider:spider", "a times SPICE plus b times CIDEr-D.", 0, 5.5, PROGRAM, ("spice", "cider_d")
    ),
    "parent": RewardEntry(_LEXICAL + "parent", "PARENT F against table and references.", 0, 1, metrics=("parent",)),
    "rouge_l_max": RewardEntry(
        _LEXICAL + "rouge_l_max", "ROUGE-L by py-rouge's rule, the best reference.", 0, 1, metrics=("rougeL_max",)
    ),
    "intent_accuracy": RewardEntry(
        _JUDGED + "intent_accuracy",
        "a where the predicted dialogue act is the target's, plus b times METEOR.",
        0,
        2,
        JUDGE,
        ("intent_accuracy", "meteor"),
        True,
    ),
    "common_gen_preference_model": RewardEntry(
        "grue.rewards.common_gen:preference",
        "A preference model's p over 1 + c times missing concepts, plus m times METEOR.",
        0,
        1,
        JUDGE,
        (),
        True,
    ),
    "common_gen_repeat_penalty": RewardEntry(
        "grue.rewards.common_gen:repeat_penalty_reward",
        "-1 where the generation repeats the instruction, else 0.",
        -1,
        0,
    ),
    "increasing_numbers": RewardEntry(
        "grue.rewards.synthetic:increasing_numbers",
        "Share of tokens in the run of increasing numbers; a smoke test.",
        0,
        1,
    ),
    "sentences_with_dates": RewardEntry(
        "grue.rewards.synthetic:sentences_with_dates", "1 where an ISO date occurs, else 0; a smoke test.", 0, 1
    ),
}
