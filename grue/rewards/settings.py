"""Which settings each reward takes, what ``paper=true`` stands for, and how given ones are checked.

``--set NAME.key=value`` names a reward; where a metric family has the same name, its keys are those of the family
and the reward's own, and a setting of the family counts for both.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from grue.core.errors import UsageError
from grue.core.task import Setting
from grue.core.text import nearest
from grue.metrics.settings import FAMILIES, PAPER_SWITCH, Option, SettingTable, resolve_options
from grue.metrics.settings import PAPER as METRIC_PAPER
from grue.rewards import REWARDS

REPEAT_PENALTY = "common_gen_repeat_penalty"
_SHAPING = {"shaping": Option("none", str, ("none", REPEAT_PENALTY))}
_PRINTED = {"printed_list": Option(False, bool)}
# METEOR beside another reward: what its quirk needs, not its three parameters.
METEOR_KEYS = ("wordnet", "wordnet_data", "tokenize", "printed_list")
_METEOR = {key: FAMILIES["meteor"][key] for key in METEOR_KEYS}


def _number(default: float, minimum: float | None = None) -> Option:
    return Option(default, float, minimum=minimum)


_OPTIONS: Mapping[str, Mapping[str, Option]] = {
    "learned_reward": FAMILIES["sentiment"],
    "meteor": {**FAMILIES["meteor"], **_SHAPING},
    "rouge": {
        "type": Option("rouge1", str, ("rouge1", "rouge2", "rougeL", "rougeLsum")),
        **FAMILIES["rouge"],
        **_SHAPING,
    },
    "rouge_combined": {**FAMILIES["rouge"], **_SHAPING},
    "bleu": FAMILIES["bleu"],
    "sacre_bleu": FAMILIES["sacrebleu"],
    "chrf": FAMILIES["chrf"],
    "ter": FAMILIES["ter"],
    "bert_score": {"language": Option(None, str, ("en", "de")), **FAMILIES["bertscore"]},
    "bleurt": {**FAMILIES["bleurt"], **_PRINTED},
    "spider": {
        "a": _number(0.5),
        "b": _number(0.5),
        **FAMILIES["spice"],
        "df": FAMILIES["coco"]["df"],
        "batch": Option(0, int, minimum=0),
        "keyed_by_prompt": Option(False, bool),
        **_SHAPING,
    },
    "parent": FAMILIES["parent"],
    "rouge_l_max": FAMILIES["rougeL_max"],
    "intent_accuracy": {
        "a": _number(1),
        "b": _number(1),
        **FAMILIES["intent_accuracy"],
        **_METEOR,
        "growing_mean": Option(False, bool),
    },
    "common_gen_preference_model": {
        "model": Option(None, str),
        "batch_tokens": Option(None, int, minimum=1),
        "c": _number(0, minimum=0),
        "m": _number(0),
        **_METEOR,
    },
    "common_gen_repeat_penalty": {},
    "increasing_numbers": {"min_tokens": Option(20, int, minimum=0)},
    "sentences_with_dates": {"calendar": Option(True, bool)},
}
OPTIONS: Mapping[str, Mapping[str, Option]] = {
    name: {**options, PAPER_SWITCH: Option(False, bool)} for name, options in _OPTIONS.items()
}

# At most ten of the paper's ten parallel episodes end at one step, and share their document frequencies.
_PAPER_BATCH = 10
PAPER: Mapping[str, Mapping[str, Setting]] = {
    "learned_reward": {"prompt": True},
    "meteor": METRIC_PAPER["meteor"],
    "rouge": {"references": "first"},
    "rouge_combined": {"references": "first"},
    "sacre_bleu": {"tokenize": "intl"},
    "bleurt": {"printed_list": True},
    "spider": {"batch": _PAPER_BATCH, "keyed_by_prompt": True},
    "intent_accuracy": {"separator": "", "growing_mean": True, **METRIC_PAPER["meteor"]},
    "common_gen_preference_model": METRIC_PAPER["meteor"],
    "sentences_with_dates": {"calendar": False},
}


@dataclass(frozen=True, slots=True)
class RewardQuirk:
    """One way in which the paper's code gives another number.

    Attributes:
        switch: The setting that brings it, as ``key=value``.
        says: What it does.
    """

    switch: str
    says: str


_PRINTED_SAYS = "The reference is the printed list of all references, brackets and quotes included."
_METEOR_QUIRKS = (
    RewardQuirk("printed_list=true", _PRINTED_SAYS),
    RewardQuirk("wordnet=true", "METEOR also matches synonyms of the English WordNet, in every language."),
    RewardQuirk("tokenize=nltk", "METEOR's words are NLTK's English ones, in every language."),
)
_FIRST = RewardQuirk("references=first", "Only the first reference counts.")
_ROUGE_PRINTED = RewardQuirk("printed_list=true", f"{_PRINTED_SAYS} (The code's way with several references.)")
QUIRKS: Mapping[str, tuple[RewardQuirk, ...]] = {
    "learned_reward": (
        RewardQuirk("prompt=true", "The classifier reads the prompt too, joined to the generation without a blank."),
    ),
    "meteor": _METEOR_QUIRKS,
    "rouge": (_FIRST, _ROUGE_PRINTED),
    "rouge_combined": (_FIRST, _ROUGE_PRINTED),
    "bleu": (
        RewardQuirk(
            "smooth=false",
            "Unsmoothed, as the name means here too: a generation without a common 4-gram gets 0, which most short "
            "ones do; smooth=true mends that.",
        ),
    ),
    "sacre_bleu": (RewardQuirk("tokenize=intl", "Words are split by SacreBLEU's 'intl' instead of 13a."),),
    "bleurt": (RewardQuirk("printed_list=true", _PRINTED_SAYS),),
    "spider": (
        RewardQuirk(
            f"batch={_PAPER_BATCH}",
            "Document frequencies come from the few rows that end together; a row alone gets a CIDEr of 0. With "
            "batch=0 they come from all rows at hand; df names a file of them, so that a row is scored alike in every "
            "batch of a trainer.",
        ),
        RewardQuirk(
            "keyed_by_prompt=true", "Rows of one batch with equal prompts all get the value of the last of them."
        ),
    ),
    "rouge_l_max": (
        RewardQuirk(
            "weight_factor=1.2",
            "Precision and recall are raised to 1/1.2, as the name means here too; weight_factor=1 takes it away.",
        ),
    ),
    "intent_accuracy": (
        RewardQuirk("separator=", "No mark stands between the last utterance and the generation."),
        RewardQuirk("growing_mean=true", "Row i gets the mean METEOR of rows 1 to i instead of its own."),
        *_METEOR_QUIRKS,
    ),
    "common_gen_preference_model": _METEOR_QUIRKS,
    "sentences_with_dates": (
        RewardQuirk("calendar=false", "Four, two and two digits are a date, though no calendar has it."),
    ),
}


def resolve(name: str, *layers: Mapping[str, Setting]) -> dict[str, Setting | None]:
    """All settings of a reward: its defaults, then each layer over them, ``paper`` spelt out first in its layer.

    Raises:
        UsageError: for a key the reward does not have or a value of the wrong type or range.
    """
    return resolve_options(name, OPTIONS[name], PAPER.get(name, {}), layers)


def changed(name: str, values: Mapping[str, Setting | None]) -> dict[str, Setting]:
    """Those of a reward's resolved settings that differ from its defaults, in the order of its options."""
    return {
        key: value
        for key, option in OPTIONS[name].items()
        if (value := values.get(key)) is not None and value != option.default
    }


def own_keys(name: str) -> frozenset[str]:
    """Keys of a reward that the metric family of the same name does not have; all of them where there is none."""
    return frozenset(OPTIONS[name]) - frozenset(FAMILIES.get(name, {}))


def metric_settings(settings: SettingTable) -> SettingTable:
    """What of a user's settings is for metrics: rewards' names and rewards' own keys left out."""
    out: dict[str, Mapping[str, Setting]] = {}
    for name, values in settings.items():
        if name not in OPTIONS:
            out[name] = values
        elif name in FAMILIES:
            own = own_keys(name)
            out[name] = {key: value for key, value in values.items() if key not in own}
    return out


def check_settings(settings: SettingTable, others: Collection[str] = ()) -> None:
    """Check what a user set, whether or not a reward is asked for.

    Args:
        settings: Name -> key -> value.
        others: Names that something else judges: plugins, tasks, metric families.

    Raises:
        UsageError: for an unknown name or key, or a value of the wrong type or range.
    """
    for name, values in settings.items():
        if name in OPTIONS:
            resolve(name, values)
        elif name not in others:
            known = (*REWARDS, *others)
            raise UsageError(
                f"--set: unknown reward {name!r}.{nearest(name, known)}", f"Rewards: {', '.join(REWARDS)}."
            )
