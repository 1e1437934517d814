"""A reward ready to compute, and what it says of a set of texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from grue.core.errors import MetricUnavailableError, UsageError
from grue.core.metric import Digests, Floats, Texts
from grue.core.reward import Reward
from grue.core.text import Json, finite_or_none
from grue.metrics.api import make_texts
from grue.metrics.compute import scorable
from grue.rewards.combine import checked, formula, is_pooled

NO_TEXTS = "there are no predictions"
NO_REFERENCES = "no references are given"
UNDEFINED = "not defined for these texts"


@dataclass(frozen=True, slots=True)
class RewardScore:
    """What a reward says of a set of texts.

    Attributes:
        value: Mean over the predictions that have one; ``None`` where absent or undefined.
        values: One number a prediction, in their order, ``None`` where not defined; empty where absent.
        low: Smallest possible value; ``None`` where unbounded.
        high: Largest possible value; ``None`` where unbounded.
        n: Predictions behind the mean.
        signature: Every setting that can change a number; ``None`` where absent.
        formula: Text that names the reward; ``None`` where absent.
        reason: Why there is no value.
    """

    value: float | None
    values: list[float | None]
    low: float | None
    high: float | None
    n: int
    signature: str | None
    formula: str | None
    reason: str | None = None

    @property
    def mean(self) -> float | None:
        """The mean: ``value`` by another name."""
        return self.value

    def to_json(self) -> dict[str, Json]:
        """The object that ``grue rewards compute --json`` prints for the reward."""
        out: dict[str, Json] = {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "n": self.n,
            "signature": self.signature,
            "formula": self.formula,
        }
        return {**out, "reason": self.reason} if self.reason else out


@dataclass(frozen=True, slots=True)
class RewardScorer:
    """A reward ready to compute, or its absence."""

    name: str
    built: Reward | None
    reason: str | None = None

    def compute(
        self,
        prompts: Sequence[str] | None = None,
        predictions: Sequence[str] = (),
        references: Sequence[Sequence[str]] | None = None,
        meta: Sequence[Mapping[str, Json]] | None = None,
    ) -> RewardScore:
        """Score predictions as one batch.

        Args:
            prompts: Prompt of each prediction, for rewards that read it.
            predictions: Texts.
            references: References of each prediction, a list for each; their number may differ.
            meta: What the reward asks for besides, by name, for each prediction (``concepts``, ``act`` …).

        Raises:
            UsageError: where the lengths differ or something is no text.
        """
        return self.score(_batch(prompts, predictions, references, meta))

    def __call__(
        self,
        prompts: Sequence[str] | None,
        predictions: Sequence[str],
        references: Sequence[Sequence[str]] | None = None,
        meta: Sequence[Mapping[str, Json]] | None = None,
    ) -> Floats:
        """The reward as a batch function, as a trainer calls it; arguments as of ``compute``.

        Returns:
            Shape (n,), NaN where not defined.

        Raises:
            MetricUnavailableError: where the reward is absent.
            UsageError: where the lengths differ or something is no text.
        """
        if self.built is None:
            raise MetricUnavailableError(self.reason or "", "Run 'grue rewards show' for what it needs.")
        return _values(self.built, [_batch(prompts, predictions, references, meta)])[0]

    def score(self, texts: Texts) -> RewardScore:
        """Score texts as one batch."""
        return self.score_portions([texts])

    def score_portions(self, portions: Iterable[Texts]) -> RewardScore:
        """Score portions of texts; no text is kept but by rewards that need all of them.

        Args:
            portions: Texts in their order. A reward that does not need all rows at once sees a portion at a time.
        """
        reward = self.built
        if reward is None:
            return _absent(self.reason)
        try:
            values, has_references = _values(reward, portions)
        except MetricUnavailableError as error:
            return _absent(error.cause)
        if not len(values):
            return _score(reward, values, NO_TEXTS)
        return _score(reward, values, NO_REFERENCES if reward.needs_references and not has_references else UNDEFINED)


def _batch(
    prompts: Sequence[str] | None,
    predictions: Sequence[str],
    references: Sequence[Sequence[str]] | None,
    meta: Sequence[Mapping[str, Json]] | None,
) -> Texts:
    n = len(predictions)
    for word, given in (("prompts", prompts), ("meta", meta)):
        if given is not None and len(given) != n:
            raise UsageError(f"{word}: {len(given)} given for {n} predictions.", f"Give {word} for each prediction.")
    if prompts is not None and (isinstance(prompts, str) or not all(isinstance(text, str) for text in prompts)):
        raise UsageError("prompts must be a list of texts.", 'For example: ["a prompt", "another"].')
    if meta is not None and not all(isinstance(row, Mapping) for row in meta):
        raise UsageError("meta must be a list of mappings.", 'For example: [{"concepts": ["dog", "run"]}].')
    inputs: Sequence[Mapping[str, Json]] = [{}] * n if meta is None else meta
    if prompts is not None:
        inputs = [{**row, "prompt": prompt} for row, prompt in zip(inputs, prompts, strict=True)]
    return make_texts(predictions, references, inputs)


def _values(reward: Reward, portions: Iterable[Texts]) -> tuple[Floats, bool]:
    """Values of all rows, NaN where there is none, and whether any row has references."""
    done: list[Floats] = []
    digests: list[Any] = []
    kept: list[int] = []
    n, has_references = 0, False
    for texts in portions:
        chosen, indices = scorable(reward.needs_references, texts)
        has_references = has_references or any(texts.references)
        values = np.full(len(texts), np.nan)
        if indices and is_pooled(reward):
            digests += reward.digest(chosen)
            kept += [n + index for index in indices]
        elif indices:
            values[indices] = checked(reward, chosen)
        done.append(values)
        n += len(texts)
    whole = np.concatenate(done) if done else np.empty(0)
    if kept and is_pooled(reward):
        whole[kept] = reward.pooled(Digests(digests))
    return whole, has_references


def _absent(reason: str | None) -> RewardScore:
    return RewardScore(None, [], None, None, 0, None, None, reason)


def _score(reward: Reward, array: Floats, why_not: str) -> RewardScore:
    values = [finite_or_none(value) for value in array]
    known = [value for value in values if value is not None]
    return RewardScore(
        value=sum(known) / len(known) if known else None,
        values=values,
        low=reward.low,
        high=reward.high,
        n=len(known),
        signature=reward.signature(),
        formula=formula(reward),
        reason=None if known else why_not,
    )
