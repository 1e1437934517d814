"""Charts as positions in percent, drawn by the templates as SVG: fluid in width, text of one size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard_site.numbers import number

ROW_HEIGHT = 22  # px a row of a dot plot


@dataclass(frozen=True, slots=True)
class Strip:
    """A score between floor (0 %) and ceiling (100 %): thin bar ``to`` the value, thick part its interval."""

    to: str
    start: str
    width: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled place on an axis."""

    at: str
    label: str


@dataclass(frozen=True, slots=True)
class Dot:
    """One run in a dot plot, in the metric's unit; ``is_open`` draws a hollow point."""

    name: str
    value: float
    low: float | None
    high: float | None
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class PlacedDot:
    """A dot with its place in percent; ``name`` is short enough for the margin, ``title`` is whole."""

    name: str
    title: str
    x: str
    y: str
    low: str
    high: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class DotPlot:
    """Scores with intervals, one row a run."""

    height: int
    ticks: tuple[Tick, ...]
    lines: tuple[Tick, ...]
    dots: tuple[PlacedDot, ...]
    starts_above_zero: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """One bin: place in percent, its lower bound and number of rows as text."""

    x: str
    width: str
    y: str
    height: str
    start: str
    rows: str


@dataclass(frozen=True, slots=True)
class Histogram:
    """Rows a bin."""

    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    top: str
    n: int


def strip(position: float, low: float | None, high: float | None) -> Strip:
    """Place a score on its strip.

    Args:
        position: Share of the way from floor to ceiling, 0 to 1; values beyond are drawn at the end.
        low: Lower bound of the interval on the same scale.
        high: Upper bound.
    """
    at = _clamp(position)
    left, right = _clamp(at if low is None else low), _clamp(at if high is None else high)
    left, right = min(left, right), max(left, right)
    if right - left < 0.022:  # a mark of 2.2 % stays visible on the smallest strip
        left = _clamp((left + right) / 2 - 0.011, 0.978)
        right = left + 0.022
    return Strip(_percent(at), _percent(left), _percent(right - left))


def dot_plot(dots: Sequence[Dot], lines: Sequence[tuple[str, float]], places: int, name_length: int = 20) -> DotPlot:
    """Place dots, and vertical lines such as the floor, on one axis.

    Args:
        dots: Top to bottom; at least one.
        lines: Label and value of each vertical line.
        places: Decimals of the metric, an upper bound for the axis labels.
        name_length: Letters that fit beside the plot.
    """
    values = [dot.value for dot in dots] + [value for _, value in lines]
    values += [bound for dot in dots for bound in (dot.low, dot.high) if bound is not None]
    ticks = nice_ticks(min(values), max(values))
    first, last = ticks[0], ticks[-1]

    def x(value: float) -> str:
        return _percent((value - first) / (last - first))

    labels = axis_labels(ticks, places)
    placed = tuple(
        PlacedDot(
            name=shorten(dot.name, name_length),
            title=dot.name,
            x=x(dot.value),
            y=_percent((index + 0.5) / len(dots)),
            low=x(dot.value if dot.low is None else dot.low),
            high=x(dot.value if dot.high is None else dot.high),
            is_open=dot.is_open,
        )
        for index, dot in enumerate(dots)
    )
    return DotPlot(
        height=max(2, len(dots)) * ROW_HEIGHT,
        ticks=tuple(Tick(x(tick), label) for tick, label in zip(ticks, labels, strict=True)),
        lines=tuple(Tick(x(value), label) for label, value in lines),
        dots=placed,
        starts_above_zero=first > 0,
    )


def histogram(values: Sequence[float], places: int, n_bins: int = 20, upper: float | None = None) -> Histogram | None:
    """Count values in equal bins from 0 (or the smallest value below it) to ``upper`` or the largest value.

    Returns:
        ``None`` where there is no value at all.
    """
    if not values:
        return None
    first = min(0.0, *values)
    last = max(upper or 0.0, *values)
    if last <= first:
        last = first + 1.0
    if places == 0:  # whole numbers: bins of whole width
        width = math.ceil((last - first + 1) / n_bins)
        n_bins = math.ceil((last - first + 1) / width)
        last = first + width * n_bins
    step = (last - first) / n_bins
    counts = [0] * n_bins
    for value in values:
        counts[min(n_bins - 1, int((value - first) / step))] += 1
    top = max(counts)
    bars = tuple(
        Bar(
            x=_percent((index + 0.08) / n_bins),
            width=_percent(0.84 / n_bins),
            y=_percent(1 - rows / top),
            height=_percent(rows / top),
            start=number(first + index * step, places),
            rows=number(rows, 0),
        )
        for index, rows in enumerate(counts)
    )
    ticks = [tick for tick in nice_ticks(first, last) if first <= tick <= last + 1e-9]
    placed = (_percent((tick - first) / (last - first)) for tick in ticks)
    labels = axis_labels(ticks, places)
    return Histogram(bars, tuple(map(Tick, placed, labels)), number(top, 0), len(values))


def nice_ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Round numbers from at most ``low`` to at least ``high``, two or more."""
    if high - low < 1e-12:
        margin = abs(high) * 0.1 or 0.5
        low, high = low - (margin if low else 0), high + margin
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [index * step for index in range(first, last + 1)]


def axis_labels(ticks: Sequence[float], places: int) -> list[str]:
    """The ticks as text with as few decimals as tell them apart, ``places`` where that does not suffice."""
    for digits in range(places + 1):
        if all(abs(round(tick, digits) - tick) < 1e-9 * max(1.0, abs(tick)) for tick in ticks):
            return [number(tick, digits) for tick in ticks]
    return [number(tick, places + 1) for tick in ticks]


def shorten(name: str, length: int) -> str:
    """A name of at most ``length`` letters, cut in the middle so that its end stays readable."""
    if len(name) <= length:
        return name
    head = (length - 1) // 2
    return f"{name[:head]}…{name[head + 1 - length :]}"


def _clamp(value: float, highest: float = 1.0) -> float:
    return min(highest, max(0.0, value))


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"
