"""The two rewards of the paper's library that test a trainer and nothing else."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date

import numpy as np

from grue.core.metric import Floats, Texts
from grue.core.reward import Reward
from grue.rewards.backing import Backing

_DATE = re.compile(r"(?<![0-9])[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9])")


@dataclass(frozen=True)
class IncreasingNumbers:
    """Length of the run of increasing numbers, by max(tokens, min_tokens / 2).

    Tokens are split at white space. Of those that are finite numbers, the run goes from the first to the last that
    is greater than the one before it; other tokens between them do not end it, but count below. 0 where there is no
    number.
    """

    min_tokens: int
    name: str = "increasing_numbers"
    low: float | None = 0.0
    high: float | None = 1.0
    needs_references: bool = False

    def __post_init__(self) -> None:
        if self.min_tokens < 0:
            raise ValueError("min_tokens cannot be negative")

    def signature(self) -> str:
        """The least number of tokens."""
        return f"{self.name}|min_tokens:{self.min_tokens}|v:1"

    def rewards(self, texts: Texts) -> Floats:
        """Shape (n,), 0 to 1."""
        return np.array([self._one(text) for text in texts.predictions], dtype=np.float64)

    def _one(self, text: str) -> float:
        tokens = text.split()
        run, last = 0, -math.inf
        for token in tokens:
            value = _finite(token)
            if value is None:
                continue
            if value <= last:
                break
            run, last = run + 1, value
        return run / max(len(tokens), self.min_tokens / 2) if run else 0.0


@dataclass(frozen=True)
class SentencesWithDates:
    """1 where a date such as ``2001-12-31`` occurs, else 0.

    Attributes:
        calendar: Whether the day must exist.
    """

    calendar: bool
    name: str = "sentences_with_dates"
    low: float | None = 0.0
    high: float | None = 1.0
    needs_references: bool = False

    def signature(self) -> str:
        """Whether any digits do."""
        return f"{self.name}|date:{'calendar' if self.calendar else 'digits'}|v:1"

    def rewards(self, texts: Texts) -> Floats:
        """Shape (n,), 0 or 1."""
        return np.array([float(self._one(text)) for text in texts.predictions], dtype=np.float64)

    def _one(self, text: str) -> bool:
        return any(not self.calendar or _is_day(match.group()) for match in _DATE.finditer(text))


def _finite(token: str) -> float | None:
    try:
        value = float(token)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def increasing_numbers(backing: Backing) -> Reward:
    """Build from its settings."""
    return IncreasingNumbers(int(backing.number("min_tokens")))


def sentences_with_dates(backing: Backing) -> Reward:
    """Build from its settings."""
    return SentencesWithDates(backing.flag("calendar"))
