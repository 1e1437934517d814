"""``grue.reward``: one reward, or a formula of several, on texts in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grue.core.errors import MetricUnavailableError, UsageError
from grue.core.judging import Judging
from grue.core.metric import Texts
from grue.core.reward import Reward
from grue.core.task import RewardSpec, Setting
from grue.core.text import Json, finite_or_none
from grue.metrics.api import make_texts
from grue.metrics.settings import SettingTable
from grue.rewards.build import build, entry, is_known
from grue.rewards.combine import checked, formula
from grue.rewards.named import read
from grue.rewards.parse import parse
from grue.rewards.plugins import is_path, path_reward

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
        n = len(predictions)
        for word, given in (("prompts", prompts), ("meta", meta)):
            if given is not None and len(given) != n:
                raise UsageError(
                    f"{word}: {len(given)} given for {n} predictions.", f"Give {word} for each prediction."
                )
        if prompts is not None and (isinstance(prompts, str) or not all(isinstance(text, str) for text in prompts)):
            raise UsageError("prompts must be a list of texts.", 'For example: ["a prompt", "another"].')
        if meta is not None and not all(isinstance(row, Mapping) for row in meta):
            raise UsageError("meta must be a list of mappings.", 'For example: [{"concepts": ["dog", "run"]}].')
        inputs: Sequence[Mapping[str, Json]] = [{}] * n if meta is None else meta
        if prompts is not None:
            inputs = [{**row, "prompt": prompt} for row, prompt in zip(inputs, prompts, strict=True)]
        return self.score(make_texts(predictions, references, inputs))

    def score(self, texts: Texts) -> RewardScore:
        """Score texts."""
        reward = self.built
        if reward is None:
            return RewardScore(None, [], None, None, 0, None, None, self.reason)
        if not len(texts):
            return _score(reward, [], NO_TEXTS)
        if reward.needs_references and not any(texts.references):
            return _score(reward, [None] * len(texts), NO_REFERENCES)
        try:
            values = checked(reward, texts)
            return _score(reward, [finite_or_none(value) for value in values], UNDEFINED)
        except MetricUnavailableError as error:
            return RewardScore(None, [], None, None, 0, None, None, error.cause)


def reward(name: str, *, label: str | int | None = None, **settings: Setting) -> RewardScorer:
    """A reward by name, formula, ``PATH.py:NAME``, or the folder of a classifier.

    >>> reward("rouge", type="rougeL").compute(predictions=["a b"], references=[["a b", "c"]]).value
    1.0

    Args:
        name: Name of ``grue rewards list``, a formula such as ``0.5*meteor + 0.5*chrf``, an object in a file, or a
            classifier's folder.
        label: Name or index of the label whose probability a classifier's folder gives.
        settings: Settings of the reward, named as in ``--set NAME.key=value``; a formula holds its own.

    Raises:
        UsageError: for an unknown name, setting or value, or a faulty formula.
    """
    given = {read(key): value for key, value in settings.items()}
    folder = not is_known(name) and _is_folder(name)
    if given and not is_known(name) and not is_path(name) and not folder:
        raise UsageError(f"A formula takes no settings from outside: {', '.join(given)}.", "Write them in the formula.")
    table: SettingTable = {"learned_reward" if folder else name: given}
    return opened(name, table, label=None if label is None else str(label))


def opened(
    text: str, settings: SettingTable | None = None, judging: Judging | None = None, *, label: str | None = None
) -> RewardScorer:
    """Whatever a text names, ready to compute; what cannot be computed here keeps its reason.

    Args:
        text: A name, formula, ``PATH.py:NAME`` or folder.
        settings: Name -> key -> value; a folder's are those of ``learned_reward``.
        judging: Where judges run.
        label: Name or index of a classifier folder's label.

    Raises:
        UsageError: for an unknown name, setting or value, or a faulty formula.
    """
    try:
        return RewardScorer(text, _open(text, settings or {}, judging, label))
    except MetricUnavailableError as error:
        return RewardScorer(text, None, error.cause)


def _open(text: str, settings: SettingTable, judging: Judging | None, label: str | None) -> Reward:
    if is_known(text):
        if label is not None:
            settings = {**settings, text: {**settings.get(text, {}), "label": label}}
        return build(RewardSpec(text), settings, judging)
    if _is_folder(text):
        if label is None:
            raise UsageError(
                f"Folder {text} is a classifier's: which label's probability is the reward?",
                "Name it: --label NAME_OR_INDEX (Python: label=…).",
            )
        own = {**settings.get("learned_reward", {}), "model": text, "label": label}
        return build(RewardSpec("learned_reward"), {"learned_reward": own}, judging)
    if label is not None:
        raise UsageError(
            f"{text!r} takes no label.", "A label goes with a classifier's folder, learned_reward or intent_accuracy."
        )
    if is_path(text):
        return path_reward(text, settings.get(text, {}))
    if text.isidentifier():
        entry(text)  # says that there is no such reward
    return parse(text, settings, judging)


def _is_folder(text: str) -> bool:
    try:
        return Path(text).is_dir()
    except (OSError, ValueError):  # too long for a path, or a null byte in it
        return False


def _score(reward: Reward, values: list[float | None], why_not: str) -> RewardScore:
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
