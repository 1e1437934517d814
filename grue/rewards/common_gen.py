"""The rewards of CommonGen: the penalty for repeating the instruction, and the preference model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from grue.core.metric import Floats, Texts
from grue.core.reward import Reward
from grue.core.text import Json
from grue.rewards.backing import Backing
from grue.rewards.combine import combined
from grue.rewards.rules import Range, number
from grue.rewards.settings import METEOR_KEYS

PREFIX = "generate a sentence with: "
_WORDS = ("generate", "sentence")


@dataclass(frozen=True)
class RepeatPenalty:
    """-1 where the lower-cased generation holds the concept string, the instruction or one of its words, else 0.

    The concept string is what the prompt says after ``generate a sentence with: ``, its full stop left out, or the
    row's ``concepts`` joined by blanks. Where neither is known, a generation that is not penalised for a word has no
    value (NaN).
    """

    name: str = "common_gen_repeat_penalty"
    low: float | None = -1.0
    high: float | None = 0.0
    needs_references: bool = False

    def signature(self) -> str:
        """There is nothing to set."""
        return f"{self.name}|v:1"

    def rewards(self, texts: Texts) -> Floats:
        """Shape (n,): -1 or 0."""
        rows = zip(texts.predictions, texts.inputs, strict=True)
        return np.array([repeat_penalty(text, given) for text, given in rows], dtype=np.float64)


def repeat_penalty(prediction: str, inputs: Mapping[str, Json]) -> float:
    """The penalty of a single generation: -1 or 0, NaN where its concepts are unknown.

    >>> repeat_penalty("A coral fish island.", {"prompt": "generate a sentence with: coral fish island."})
    -1.0
    """
    text = prediction.lower()
    if any(word in text for word in _WORDS):  # the instruction itself holds both
        return -1.0
    concepts = concept_string(inputs)
    if concepts is None:
        return float("nan")
    return -1.0 if concepts and concepts in text else 0.0


def concept_string(inputs: Mapping[str, Json]) -> str | None:
    """A row's concepts as the prompt lists them; ``None`` where the row does not tell."""
    prompt, concepts = inputs.get("prompt"), inputs.get("concepts")
    if isinstance(prompt, str) and PREFIX in prompt:
        return prompt.partition(PREFIX)[2].strip().removesuffix(".").strip()
    if isinstance(concepts, (list, tuple)):
        return " ".join(str(concept) for concept in concepts).strip()
    return None


@dataclass(frozen=True)
class MissingConcepts:
    """How many of a row's concepts the lower-cased generation lacks as substrings: a part, not a reward alone."""

    name: str = "missing_concepts"
    low: float | None = 0.0
    high: float | None = None
    needs_references: bool = False

    def signature(self) -> str:
        """There is nothing to set."""
        return f"{self.name}|match:substring|v:1"

    def rewards(self, texts: Texts) -> Floats:
        """Shape (n,), NaN where the row has no concepts."""
        rows = zip(texts.predictions, texts.inputs, strict=True)
        return np.array([_missing(text.lower(), given) for text, given in rows], dtype=np.float64)


def _missing(text: str, inputs: Mapping[str, Json]) -> float:
    listed = inputs.get("concepts")
    if isinstance(listed, (list, tuple)):
        concepts = [str(concept) for concept in listed]
    else:
        joined = concept_string(inputs)
        if joined is None:
            return float("nan")
        concepts = joined.split()
    return float(sum(concept not in text for concept in concepts))


@dataclass(frozen=True, slots=True)
class Preference:
    """p / (1 + c x missing) + m x METEOR, where parts of no weight are left out.

    Attributes:
        c: Weight of missing concepts, not negative.
        m: Weight of METEOR.
    """

    c: float
    m: float
    whole: ClassVar[bool] = False

    def apply(self, values: Sequence[Floats]) -> Floats:
        """From p, the number of missing concepts where c is not 0, and METEOR where m is not 0."""
        rest = list(values)
        total = rest.pop(0)
        if self.c:
            total = total / (1 + self.c * rest.pop(0))
        return total + self.m * rest.pop(0) if self.m else total

    def range(self, parts: Sequence[Range]) -> Range:  # noqa: ARG002
        """The range that follows from p and METEOR lying between 0 and 1."""
        return Range(min(self.m, 0.0), 1 + max(self.m, 0.0))

    def formula(self, parts: Sequence[str]) -> str:
        """The arithmetic, with the parts in it."""
        rest = list(parts)
        text = rest.pop(0)
        if self.c:
            text = f"{text}/(1 + {number(self.c)}*{rest.pop(0)})"
        return f"{text} + {number(self.m)}*{rest.pop(0)}" if self.m else text

    def signature(self, parts: Sequence[str]) -> str:
        """The formula."""
        return self.formula(parts)


def repeat_penalty_reward(backing: Backing) -> Reward:  # noqa: ARG001
    """The penalty, which has no settings."""
    return RepeatPenalty()


def preference(backing: Backing) -> Reward:
    """The preference model's reward; concepts and METEOR are looked at only where they have a weight.

    Raises:
        MetricUnavailableError: where no preference model is named, or METEOR lacks its data.
    """
    from grue.rewards.judged import preference_probability

    c, m = backing.number("c"), backing.number("m")
    parts: list[Reward] = [preference_probability(backing)]
    if c:
        parts.append(MissingConcepts())
    if m:
        parts.append(backing.metric("meteor", 0.0, 1.0, keys=METEOR_KEYS))
    return combined(Preference(c, m), *parts)
