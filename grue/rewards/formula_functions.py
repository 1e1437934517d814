"""The functions that a formula may call, with what they take."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from grue.core.judging import Judging
from grue.core.reward import Reward
from grue.core.task import RewardSpec
from grue.rewards import combine
from grue.rewards.build import build
from grue.rewards.calibration import read_reference
from grue.rewards.given import Given


class CallError(Exception):
    """An argument is of the wrong kind."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """Arguments of one call: ``reward`` is a reward, all others are literals."""

    values: Mapping[str, Any]
    judging: Judging | None

    @property
    def reward(self) -> Reward:
        """The reward that the function is about."""
        reward: Reward = self.values["reward"]
        return reward

    def number(self, key: str, default: float = 0.0) -> float:
        """A finite number."""
        value = self.values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not _is_finite(value):
            raise CallError(f"{key} must be a finite number, not {value!r}")
        return float(value)

    def bound(self, key: str) -> float | None:
        """A number, or ``None``."""
        return None if self.values.get(key) is None else self.number(key)

    def text(self, key: str) -> str:
        """A text."""
        value = self.values[key]
        if not isinstance(value, str) or not value:
            raise CallError(f"{key} must be a text in quotes, not {value!r}")
        return value

    def numbers(self, key: str) -> tuple[list[float], str]:
        """Numbers from a list or a file, and the file's path."""
        value = self.values[key]
        if isinstance(value, str):
            return read_reference(Path(value), self.reward), value
        if not isinstance(value, (list, tuple)) or any(
            isinstance(one, bool) or not isinstance(one, (int, float)) for one in value
        ):
            raise CallError(f"{key} must be a list of numbers, or a file's path in quotes")
        return [float(one) for one in value], ""


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


@dataclass(frozen=True, slots=True)
class Function:
    """One function.

    Attributes:
        make: Makes the reward.
        parameters: Names of the arguments, in order.
        required: Those that must be given.
        says: What it does, one sentence.
    """

    make: Callable[[Arguments], Reward]
    parameters: tuple[str, ...]
    required: tuple[str, ...]
    says: str


def _running(given: Arguments) -> Reward:
    n = given.number("n")
    if n != int(n):
        raise CallError(f"n must be a whole number, not {n:g}")
    return combine.running(given.reward, int(n), given.number("mean"), given.number("m2"))


def _log_sigmoid(given: Arguments) -> Reward:
    if isinstance(given.values.get("reference", 0.0), (int, float)):
        if "quantile" in given.values:
            raise CallError("quantile goes with a list or file of reference rewards")
        return combine.log_sigmoid(given.reward, given.number("reference"))
    values, _ = given.numbers("reference")
    quantile = given.number("quantile", 0.5)
    if not values or not 0 <= quantile <= 1:
        raise CallError("a reference list needs numbers in it, and a quantile between 0 and 1")
    return combine.log_sigmoid(given.reward, float(np.quantile(np.asarray(values), quantile)))


def _classifier(given: Arguments) -> Reward:
    settings: dict[str, bool | str] = {"model": given.text("folder"), "label": str(given.values["label"])}
    if isinstance(given.values.get("prompt"), bool):
        settings["prompt"] = given.values["prompt"]
    return build(RewardSpec("learned_reward"), {"learned_reward": settings}, given.judging)


FUNCTIONS: Mapping[str, Function] = {
    "clip": Function(
        lambda given: combine.clip(given.reward, given.bound("low"), given.bound("high")),
        ("reward", "low", "high"),
        ("reward",),
        "Keep a reward between low and high; None leaves a side open.",
    ),
    "standardise": Function(
        lambda given: combine.standardise(given.reward, given.number("mean"), given.number("std")),
        ("reward", "mean", "std"),
        ("reward", "mean", "std"),
        "Take off a fixed mean and divide by a fixed standard deviation.",
    ),
    "running": Function(
        _running,
        ("reward", "n", "mean", "m2"),
        ("reward",),
        "Standard scores by the mean and deviation of all batches seen; n, mean and m2 are the state to go on from.",
    ),
    "calibrate": Function(
        lambda given: combine.calibrate(given.reward, *given.numbers("values")),
        ("reward", "values"),
        ("reward", "values"),
        "Share of reference rewards that are not greater; values is a list, or a file of numbers or of rows.",
    ),
    "log_sigmoid": Function(
        _log_sigmoid,
        ("reward", "reference", "quantile"),
        ("reward",),
        "log sigmoid(reward - reference); reference is a number, or a list or file whose quantile is taken.",
    ),
    "growing_mean": Function(
        lambda given: combine.growing_mean(given.reward),
        ("reward",),
        ("reward",),
        "Row i gets the mean of rows 1 to i.",
    ),
    "row": Function(
        lambda given: Given(given.text("key")), ("key",), ("key",), "A number that each row brings under a key."
    ),
    "classifier": Function(
        _classifier,
        ("folder", "label", "prompt"),
        ("folder", "label"),
        "A classifier folder's probability of a label: learned_reward by another name.",
    ),
}
