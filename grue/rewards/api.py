"""``grue.reward``: one reward, or a formula of several, on texts in memory."""

from __future__ import annotations

from pathlib import Path

from grue.core.errors import MetricUnavailableError, UsageError
from grue.core.judging import Judging
from grue.core.reward import Reward
from grue.core.task import RewardSpec, Setting
from grue.metrics.settings import SettingTable
from grue.rewards.build import build, entry, is_known
from grue.rewards.named import read
from grue.rewards.parse import parse
from grue.rewards.plugins import is_path, path_reward
from grue.rewards.scorer import RewardScorer


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
