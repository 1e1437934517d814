"""Which settings each metric family takes, their defaults, and how given ones are checked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from grue.core.errors import UsageError
from grue.core.task import Setting
from grue.core.text import nearest

SettingTable = Mapping[str, Mapping[str, Setting]]


@dataclass(frozen=True, slots=True)
class Option:
    """One setting of a family.

    Attributes:
        default: Value where nothing is said; ``None`` leaves it to the library.
        kind: Type of the value; ``float`` takes whole numbers too.
        choices: Allowed values; empty for any.
        minimum: Smallest allowed number; ``None`` for no bound.
    """

    default: Setting | None
    kind: type[bool] | type[int] | type[float] | type[str]
    choices: tuple[str, ...] = ()
    minimum: float | None = None

    def describe(self) -> str:
        """What a value may be, in words."""
        if self.choices:
            return " | ".join(self.choices)
        word = {bool: "true | false", int: "a whole number", float: "a number", str: "text"}[self.kind]
        return word if self.minimum is None else f"{word}, at least {self.minimum:g}"


def _flag(default: bool) -> Option:
    return Option(default, bool)


_WORDS = ("unicode", "nltk", "whitespace")
# A metric that needs a model names it and how much it reads at once.
_MODEL = {"model": Option(None, str), "batch_tokens": Option(None, int, minimum=1)}
_CLASSIFIER = {**_MODEL, "label": Option(None, str)}

FAMILIES: Mapping[str, Mapping[str, Option]] = {
    "sacrebleu": {
        "tokenize": Option("13a", str, ("13a", "none", "intl", "char", "zh", "ja-mecab", "ko-mecab")),
        "lowercase": _flag(False),
        "smooth_method": Option("exp", str, ("exp", "floor", "add-k", "none")),
        "smooth_value": Option(None, float, minimum=0),
        "max_ngram_order": Option(4, int, minimum=1),
        "effective_order": _flag(False),
        "paper": _flag(False),
    },
    "chrf": {
        "char_order": Option(6, int, minimum=1),
        "word_order": Option(0, int, minimum=0),
        "beta": Option(2, float, minimum=0),
        "lowercase": _flag(False),
        "whitespace": _flag(False),
        "eps_smoothing": _flag(False),
    },
    "ter": {
        "normalized": _flag(False),
        "no_punct": _flag(False),
        "asian_support": _flag(False),
        "case_sensitive": _flag(False),
    },
    "rouge": {
        "use_stemmer": _flag(True),
        "references": Option("max", str, ("max", "first")),
        "lsum_split": Option("newline", str, ("newline", "sentence")),
        "printed_list": _flag(False),
        "bootstrap": _flag(False),
        "paper": _flag(False),
    },
    "squad": {},
    "diversity": {
        "tokenize": Option("unicode", str, _WORDS),
        "segment": Option(100, int, minimum=1),
        "punctuation": _flag(True),
        "paper": _flag(False),
    },
    "evaluate": {"key": Option(None, str)},
    "meteor": {
        "wordnet": _flag(False),
        "wordnet_data": Option("nltk", str),
        "tokenize": Option("unicode", str, _WORDS),
        "alpha": Option(0.9, float, minimum=0),
        "beta": Option(3.0, float, minimum=0),
        "gamma": Option(0.5, float, minimum=0),
        "printed_list": _flag(False),
        "paper": _flag(False),
    },
    "coco": {
        "tokenize": Option("ptb", str, ("ptb", "whitespace")),
        "df": Option("corpus", str),
    },
    "bleu": {
        "tokenize": Option("whitespace", str, ("whitespace", "13a")),
        "max_order": Option(4, int, minimum=1),
        "smooth": _flag(False),
    },
    "parent": {
        "lambda": Option("reference", str),
        "max_order": Option(4, int, minimum=1),
        "smoothing": Option(1e-5, float, minimum=0),
    },
    "coverage": {"lemmatizer": Option("builtin", str, ("builtin", "spacy"))},
    "meteor_java": {"jar": Option(None, str), "tokenize": Option("raw", str, ("raw", "ptb"))},
    "rougeL_max": {
        "weight_factor": Option(1.2, float, minimum=0),
        "length_limit": Option(100, int, minimum=1),
        "use_stemmer": _flag(True),
    },
    "spice": {"jar": Option(None, str), "tokenize": Option("ptb", str, ("ptb", "whitespace"))},
    "bertscore": {
        **_MODEL,
        "layer": Option(None, int, minimum=1),
        "idf": _flag(False),
        "baseline": Option(None, str),
        "prefix_space": _flag(False),
    },
    "bleurt": {**_MODEL, "references": Option("mean", str, ("mean", "max"))},
    "summac_zs": {**_CLASSIFIER, "premise": Option("source", str, ("source", "prompt")), "paper": _flag(False)},
    "sentiment": {**_CLASSIFIER, "prompt": _flag(False), "paper": _flag(False)},
    "perplexity": {**_MODEL, "prompt": _flag(False)},
    "perplexity_references": {**_MODEL, "stride": Option(512, int, minimum=1)},
    "intent_accuracy": {**_MODEL, "separator": Option("<EOU>", str), "paper": _flag(False)},
}

# What `FAMILY.paper=true` stands for: the quirks of the paper's code, each with a switch of its own. A switch that
# is set beside it wins.
PAPER_SWITCH = "paper"
PAPER: Mapping[str, Mapping[str, Setting]] = {
    "sacrebleu": {"tokenize": "intl"},
    "rouge": {"references": "first", "bootstrap": True},
    "diversity": {"tokenize": "nltk"},
    "meteor": {"wordnet": True, "tokenize": "nltk", "printed_list": True},
    "summac_zs": {"premise": "prompt"},
    "sentiment": {"prompt": True},
    "intent_accuracy": {"separator": ""},
}


def resolve(family: str, *layers: Mapping[str, Setting]) -> dict[str, Setting | None]:
    """All settings of a family: its defaults, then each layer over them, ``paper`` spelt out first in its layer.

    Raises:
        UsageError: for a key the family does not have or a value of the wrong type or range.
    """
    return resolve_options(family, FAMILIES[family], PAPER.get(family, {}), layers)


def resolve_options(
    family: str,
    options: Mapping[str, Option],
    quirks: Mapping[str, Setting],
    layers: Iterable[Mapping[str, Setting]],
) -> dict[str, Setting | None]:
    """The same for any table of options.

    Args:
        family: Name before the dot, for messages.
        options: Key -> option.
        quirks: What ``paper=true`` stands for.
        layers: Settings, later ones over earlier ones.

    Raises:
        UsageError: for an unknown key or a value of the wrong type or range.
    """
    values = {key: option.default for key, option in options.items()}
    for layer in layers:
        given = {key: _checked(family, options, key, value) for key, value in layer.items()}
        if (paper := given.pop(PAPER_SWITCH, None)) is not None:
            values.update(quirks if paper else {key: options[key].default for key in quirks})
        values.update(given)
    values.pop(PAPER_SWITCH, None)
    return values


def check_settings(settings: SettingTable, task_names: Collection[str] = ()) -> None:
    """Check what a user set, whether or not a metric of the family is asked for.

    Args:
        settings: Family -> key -> value.
        task_names: Names whose settings are switches of tasks, which this does not judge.

    Raises:
        UsageError: for an unknown family or key, or a value of the wrong type or range.
    """
    for family, values in settings.items():
        if family in task_names:
            continue
        if family not in FAMILIES:
            known = (*FAMILIES, *task_names)
            raise UsageError(
                f"--set: unknown family {family!r}.{nearest(family, known)}", f"Families: {', '.join(FAMILIES)}."
            )
        resolve(family, values)


def _checked(family: str, options: Mapping[str, Option], key: str, value: Setting) -> Setting:
    if key not in options:
        known = ", ".join(f"{family}.{name}" for name in options)
        raise UsageError(
            f"--set: {family!r} has no setting {key!r}.{nearest(key, options)}",
            f"It has: {known}." if known else f"The metrics of {family!r} take no settings.",
        )
    option = options[key]
    if isinstance(value, (int, float)) and not isinstance(value, bool) and option.kind is str:
        value = str(value)  # `tokenize=13` looks like a number and is meant as text
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    fits = {
        bool: isinstance(value, bool),
        int: isinstance(value, int) and is_number,
        float: is_number,
        str: isinstance(value, str),
    }[option.kind]
    if fits and option.choices:
        fits = value in option.choices
    if fits and is_number:
        number = float(value)
        fits = number == number and abs(number) != float("inf") and (option.minimum is None or number >= option.minimum)
    if not fits:
        hint = nearest(str(value), option.choices)
        raise UsageError(
            f"--set: {family}.{key}={value!r} is not allowed.{hint}", f"{family}.{key} is {option.describe()}."
        )
    return value
