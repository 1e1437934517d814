"""A result's metrics as the database holds them: numbers in one place, all else once for results that share it."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import numpy as np

from grue.core.metric import Floats, MetricValue
from grue.core.text import sha256_text

# Value, lower bound, upper bound, rows.
COLUMNS = 4
VALUE, LOW, HIGH, N = range(COLUMNS)
_NAN = math.nan

# Name, signature, scale, direction, reason, whether it failed.
_Line: TypeAlias = "tuple[str, str | None, float | None, bool | None, str | None, bool]"


class SuiteText(NamedTuple):
    """A suite as text, and its id: the beginning of the SHA-256 of the text."""

    text: str
    id: str


@dataclass(frozen=True, slots=True)
class Suite:
    """What a result was scored by, in the order of its numbers: metrics, then rewards."""

    metrics: tuple[_Line, ...]
    rewards: tuple[_Line, ...]

    @classmethod
    def of(cls, metrics: Mapping[str, MetricValue], rewards: Mapping[str, MetricValue]) -> Suite:
        """The suite of a result."""
        return cls(*(tuple(_line(name, value) for name, value in kind.items()) for kind in (metrics, rewards)))

    @classmethod
    def from_text(cls, text: str) -> Suite:
        """Read back what ``to_text`` made."""
        found = json.loads(text)
        return cls(*(tuple(map(tuple, found[kind])) for kind in ("metrics", "rewards")))

    def to_text(self) -> SuiteText:
        """Compact JSON; equal suites give equal text."""
        return _text(self)

    def values(self, numbers: bytes) -> tuple[dict[str, MetricValue], dict[str, MetricValue]]:
        """Metrics and rewards of a result."""
        rows = list(struct.iter_unpack(f"<{COLUMNS}d", numbers))
        values = [_value(line, row) for line, row in zip((*self.metrics, *self.rewards), rows, strict=True)]
        n_metrics = len(self.metrics)
        metrics = {line[0]: value for line, value in zip(self.metrics, values[:n_metrics], strict=True)}
        return metrics, {line[0]: value for line, value in zip(self.rewards, values[n_metrics:], strict=True)}


def pack(metrics: Mapping[str, MetricValue], rewards: Mapping[str, MetricValue]) -> bytes:
    """The numbers of a result, ``COLUMNS`` a metric and reward."""
    numbers: list[float] = []
    for kind in (metrics, rewards):
        for value in kind.values():
            low, high = value.ci95 or (_NAN, _NAN)
            numbers += (_NAN if value.value is None else value.value, low, high, value.n)
    return struct.pack(f"<{len(numbers)}d", *numbers)


def unpack(packed: Sequence[bytes]) -> Floats:
    """Numbers of results of one suite, shape (results, metrics and rewards, ``COLUMNS``), NaN where there is none."""
    flat = np.frombuffer(b"".join(packed), dtype="<f8")
    return flat.reshape(len(packed), -1, COLUMNS)


@lru_cache(maxsize=1024)  # most results of a task share one
def _text(suite: Suite) -> SuiteText:
    text = json.dumps({"metrics": suite.metrics, "rewards": suite.rewards}, separators=(",", ":"))
    return SuiteText(text, sha256_text(text)[:32])


def _line(name: str, value: MetricValue) -> _Line:
    return (name, value.signature, value.scale, value.higher_is_better, value.reason, value.failed)


def _value(line: _Line, row: Sequence[float]) -> MetricValue:
    _, signature, scale, higher_is_better, reason, failed = line
    return MetricValue(
        value=None if math.isnan(row[VALUE]) else row[VALUE],
        ci95=None if math.isnan(row[LOW]) else (row[LOW], row[HIGH]),
        n=int(row[N]),
        scale=scale,
        higher_is_better=higher_is_better,
        signature=signature,
        reason=reason,
        failed=failed,
    )
