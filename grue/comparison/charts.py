"""Charts of a comparison as positions in percent, which the template draws as SVG: fluid in width, text of one size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from grue.comparison.numbers import number, signed
from grue.comparison.values import MetricComparison
from grue.core.metric import Floats

_BINS = 21  # odd: rows that did not change stand alone in the middle


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled place on an axis."""

    at: str
    label: str


@dataclass(frozen=True, slots=True)
class Whisker:
    """A difference with its interval in percent of the width; ``is_open`` where it is not shown to differ from 0."""

    at: str
    low: str
    high: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Forest:
    """Differences of several metrics on one axis.

    Attributes:
        zero: Place of no difference.
        ticks: Labelled places, in percent of the scale.
        whiskers: One a metric in the order given; ``None`` for one without interval or scale.
    """

    zero: str
    ticks: tuple[Tick, ...]
    whiskers: tuple[Whisker | None, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """One bin of rows.

    Attributes:
        way: ``better``, ``worse`` or ``same``; ``other`` where the metric has no direction.
    """

    x: str
    width: str
    y: str
    height: str
    span: str
    rows: int
    way: str


@dataclass(frozen=True, slots=True)
class Histogram:
    """Rows by their difference."""

    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    top: int
    n: int


def shares(metric: MetricComparison, yardstick: tuple[float, float] | None) -> tuple[float, float, float] | None:
    """Difference and bounds in percent of the way from floor to ceiling, else of the metric's scale; up is better.

    Args:
        metric: A metric with an interval.
        yardstick: Floor and ceiling of the task, where known.

    Returns:
        ``None`` where there is no interval, or neither yardsticks nor scale.
    """
    if metric.difference is None or metric.ci95 is None:
        return None
    sign = -1 if metric.higher_is_better is False else 1
    length = sign * (yardstick[1] - yardstick[0]) if yardstick else 0.0
    if length <= 0:
        length = metric.scale or 0.0
    if length <= 0:
        return None
    low, high = sorted(100 * sign * bound / length for bound in metric.ci95)
    return 100 * sign * metric.difference / length, low, high


def forest(found: Sequence[tuple[float, float, float] | None], is_open: Sequence[bool]) -> Forest | None:
    """Place differences with their bounds on one axis that holds 0.

    Args:
        found: Difference, low and high bound of each, in percent of a scale.
        is_open: For each, whether it is not shown to differ from 0.

    Returns:
        ``None`` where none has a place.
    """
    ends = [end for one in found if one for end in one]
    if not ends:
        return None
    ticks = nice_ticks(min(0.0, *ends), max(0.0, *ends))
    first, last = ticks[0], ticks[-1]

    def at(value: float) -> str:
        return _percent((value - first) / (last - first))

    whiskers = tuple(
        Whisker(at(one[0]), at(one[1]), at(one[2]), hollow) if one else None
        for one, hollow in zip(found, is_open, strict=True)
    )
    return Forest(at(0.0), tuple(Tick(at(tick), signed(tick, _places(ticks))) for tick in ticks), whiskers)


def histogram(differences: Floats, places: int, higher_is_better: bool | None) -> Histogram | None:
    """Count rows by difference in bins that mirror each other about 0.

    Args:
        differences: Candidate minus baseline of each row.
        places: Decimals of the metric.
        higher_is_better: The metric's direction.

    Returns:
        ``None`` where no row differs.
    """
    reach = float(np.abs(differences).max(initial=0.0))
    if not reach:
        return None
    width = 2 * reach / (_BINS - 1)
    middle = _BINS // 2
    # Rounding away from 0 keeps the bin of 0 for rows that did not change at all.
    places_of = np.sign(differences) * np.maximum(1, np.ceil(np.abs(differences) / width - 1e-9))
    bins = np.where(differences == 0, 0, places_of).astype(int) + middle
    counts = np.bincount(np.clip(bins, 0, _BINS - 1), minlength=_BINS)
    top = int(counts.max())
    bars = []
    for index, rows in enumerate(counts.tolist()):
        side = index - middle
        span = (
            "no change"
            if not side
            else f"{signed((side - 1) * width, places)} to {signed(side * width, places)}"
            if side > 0
            else f"{signed(side * width, places)} to {signed((side + 1) * width, places)}"
        )
        bars.append(
            Bar(
                x=_percent((index + 0.08) / _BINS),
                width=_percent(0.84 / _BINS),
                y=_percent(1 - rows / top),
                height=_percent(rows / top),
                span=span,
                rows=rows,
                way=_way(side, higher_is_better),
            )
        )
    middles = [(0.5 / _BINS, -reach), (0.5, 0.0), (1 - 0.5 / _BINS, reach)]
    ticks = tuple(Tick(_percent(at), signed(value, places) if value else number(0.0, 0)) for at, value in middles)
    return Histogram(tuple(bars), ticks, top, len(differences))


def nice_ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Round numbers from at most ``low`` to at least ``high``, two or more."""
    if high - low < 1e-9:
        low, high = low - 1.0, high + 1.0
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [index * step for index in range(first, last + 1)]


def _places(ticks: Sequence[float]) -> int:
    return next((digits for digits in range(6) if all(abs(round(t, digits) - t) < 1e-9 for t in ticks)), 6)


def _way(side: int, higher_is_better: bool | None) -> str:
    if not side:
        return "same"
    if higher_is_better is None:
        return "other"
    return "better" if (side > 0) == higher_is_better else "worse"


def _percent(share: float) -> str:
    return f"{100 * share:.2f}%"
