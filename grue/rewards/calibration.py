"""Quantile calibration: a reward becomes the share of a reference model's outputs that it does not fall below."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from grue.core.errors import UsageError
from grue.core.metric import Floats
from grue.rewards.rules import Range, number

if TYPE_CHECKING:
    from grue.core.reward import Reward

_FIX = "Give a JSON list of numbers, what 'grue rewards compute --json' prints, or .jsonl rows of the reference model."


@dataclass(frozen=True, slots=True)
class Calibrate:
    """The empirical distribution function of reference values, 0 to 1.

    Attributes:
        values: The reference model's rewards, sorted.
        path: File they came from; it stands in the formula instead of the numbers.
    """

    values: tuple[float, ...]
    path: str = ""
    whole: ClassVar[bool] = False

    def apply(self, values: Sequence[Floats]) -> Floats:
        """Share of reference values that are equal or smaller; NaN stays NaN."""
        share = np.searchsorted(np.asarray(self.values), values[0], side="right") / len(self.values)
        out: Floats = np.where(np.isnan(values[0]), np.nan, share)
        return out

    def range(self, parts: Sequence[Range]) -> Range:
        """What the part's bounds become."""
        low, high = parts[0].low, parts[0].high
        return Range(0.0 if low is None else self._at(low), 1.0 if high is None else self._at(high))

    def _at(self, value: float) -> float:
        return float(self.apply([np.array([value])])[0])

    def formula(self, parts: Sequence[str]) -> str:
        """``calibrate(a, [0.1, 0.4])``, or the file's path in the place of the numbers."""
        given = repr(self.path) if self.path else f"[{', '.join(number(value) for value in self.values)}]"
        return f"calibrate({parts[0]}, {given})"

    def signature(self, parts: Sequence[str]) -> str:
        """The number of values and the hash of them all."""
        digest = hashlib.sha256(np.asarray(self.values, dtype="<f8").tobytes()).hexdigest()[:16]
        return f"calibrate({parts[0]}, n:{len(self.values)} sha256:{digest})"


def calibrate_rule(values: Sequence[float], path: str = "") -> Calibrate:
    """Check and sort reference values.

    Raises:
        UsageError: where there is none, or one is not finite.
    """
    numbers = [float(value) + 0.0 for value in values]
    if not numbers or not all(math.isfinite(value) for value in numbers):
        raise UsageError("Calibration needs reference rewards, all of them finite numbers.", _FIX, place=path)
    return Calibrate(tuple(sorted(numbers)), path)


def read_reference(path: Path, reward: Reward) -> list[float]:
    """Reference rewards from a file.

    Args:
        path: Numbers (a JSON list, or the document of ``grue rewards compute --json``), or JSON lines with the
            predictions of a reference model, which the reward then scores; rows without a value are left out.
        reward: The reward that is calibrated.

    Raises:
        UsageError: where the file holds neither.
    """
    if ".jsonl" in path.suffixes:
        from grue.metrics.rows_file import read_rows

        scored = reward.rewards(read_rows(path))
        return [float(value) for value in scored if math.isfinite(value)]
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(f"The reference rewards cannot be read: {reason}.", _FIX, place=str(path)) from error
    if isinstance(found, dict):
        lists = list(found.get("per_sample", {}).values()) if isinstance(found.get("per_sample"), dict) else []
        found = lists[0] if len(lists) == 1 else None
        found = [value for value in found if value is not None] if isinstance(found, list) else None
    if not isinstance(found, list) or not all(
        isinstance(value, (int, float)) and not isinstance(value, bool) for value in found
    ):
        raise UsageError("The file holds no list of numbers.", _FIX, place=str(path))
    return [float(value) for value in found]
