"""Quality against cost: points with intervals, the frontier that no run lies beyond, names where there is room."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from leaderboard_site.charts import Tick, axis_labels, nice_ticks, shorten
from leaderboard_site.labels import Label, Segment, placed_labels

MOST_NAMES = 5  # points that carry their name; the others carry their number in the table
MOST_POINTS = 60  # of one drawing
MOST_NUMBERS = 24  # points from which on numbers would only cover each other
NAME_LENGTH = 20
LOG_FROM = 8.0  # largest over smallest value from which on an axis is logarithmic


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One run.

    Attributes:
        number: Its line in the table.
        x: Cost.
        y: Quality, with its interval where there is one.
        left: Interval of the cost, where there is one.
        is_open: Drawn hollow.
        is_alarm: Drawn as a warning, with its name.
        is_named: With its name, on the frontier or not.
    """

    number: int
    name: str
    x: float
    y: float
    low: float | None = None
    high: float | None = None
    left: float | None = None
    right: float | None = None
    is_open: bool = False
    is_alarm: bool = False
    is_named: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedPoint:
    """A point with its place in percent and its label: a name on the frontier, else its number."""

    title: str
    x: str
    y: str
    low: str
    high: str
    left: str
    right: str
    is_open: bool
    is_alarm: bool
    is_first: bool
    is_named: bool
    label: str
    dx: int
    dy: int
    anchor: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the frontier, in percent."""

    x1: str
    y1: str
    x2: str
    y2: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scatter:
    """Points, axes and frontier, placed.

    Attributes:
        is_log: Whether the cost axis is logarithmic.
        first: Numbers of the points on the frontier, cheapest first.
    """

    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    points: tuple[PlacedPoint, ...]
    front: tuple[Line, ...]
    is_log: bool
    first: tuple[int, ...]


def scatter(
    points: Sequence[Point],
    *,
    more_is_cheaper: bool,
    higher_is_better: bool,
    places: int,
    label: Callable[[float], str] | None = None,
    is_linear: bool = False,
    has_front: bool = True,
) -> Scatter:
    """Place points.

    Args:
        points: At least one; costs above 0, unless the axis is linear.
        more_is_cheaper: Whether a larger cost value is the better one, as a speed is.
        higher_is_better: Whether a larger quality value is the better one.
        places: Decimals of the quality, an upper bound for the axis labels.
        label: Writes a cost; ``None`` for plain numbers.
        is_linear: Whether the cost axis is never logarithmic.
        has_front: Whether a frontier is drawn and named.
    """
    costs = [bound for point in points for bound in (point.x, point.left, point.right) if bound is not None]
    is_log = not is_linear and max(costs) / min(costs) >= LOG_FROM
    across = log_ticks(min(costs), max(costs)) if is_log else nice_ticks(min(costs), max(costs))
    bounds = [bound for point in points for bound in (point.y, point.low, point.high) if bound is not None]
    up = nice_ticks(min(bounds), max(bounds))

    def at_x(value: float) -> float:
        if is_log:
            return math.log(value / across[0]) / math.log(across[-1] / across[0])
        return (value - across[0]) / (across[-1] - across[0])

    def at_y(value: float) -> float:
        return 1 - (value - up[0]) / (up[-1] - up[0])

    first = frontier(points, more_is_cheaper=more_is_cheaper, higher_is_better=higher_is_better) if has_front else []
    worst_y, dear_x = at_y(up[0] if higher_is_better else up[-1]), 0.0 if more_is_cheaper else 1.0
    steps = _steps([(at_x(point.x), at_y(point.y)) for point in first], worst_y, dear_x)
    bars = [
        (at_x(one.x), at_y(one.low), at_x(one.x), at_y(one.high))
        for one in points
        if one.low is not None and one.high is not None
    ]
    bars += [
        (at_x(one.left), at_y(one.y), at_x(one.right), at_y(one.y))
        for one in points
        if one.left is not None and one.right is not None
    ]
    labels = _labels(points, [(at_x(point.x), at_y(point.y)) for point in points], first, [*steps, *bars])
    on_front = {point.number for point in first}
    placed = tuple(
        PlacedPoint(
            title=point.name,
            x=_percent(at_x(point.x)),
            y=_percent(at_y(point.y)),
            low=_percent(at_y(point.y if point.low is None else point.low)),
            high=_percent(at_y(point.y if point.high is None else point.high)),
            left=_percent(at_x(point.x if point.left is None else point.left)),
            right=_percent(at_x(point.x if point.right is None else point.right)),
            is_open=point.is_open,
            is_alarm=point.is_alarm,
            is_first=point.number in on_front,
            is_named=bool(text) and text != str(point.number),
            label=text,
            dx=dx,
            dy=dy,
            anchor=anchor,
        )
        for point, (text, dx, dy, anchor) in zip(points, labels, strict=True)
    )
    written = [label(tick) for tick in across] if label else axis_labels(across, 3)
    return Scatter(
        across=tuple(Tick(_percent(at_x(tick)), text) for tick, text in zip(across, written, strict=True)),
        up=tuple(Tick(_percent(at_y(tick)), text) for tick, text in zip(up, axis_labels(up, places), strict=True)),
        points=placed,
        front=tuple(Line(*map(_percent, step)) for step in steps),
        is_log=is_log,
        first=tuple(point.number for point in first),
    )


def frontier(points: Sequence[Point], *, more_is_cheaper: bool, higher_is_better: bool) -> list[Point]:
    """Points that no other is better than at the same or a lower cost, cheapest first."""
    cost, quality = (-1 if more_is_cheaper else 1), (1 if higher_is_better else -1)
    found: list[Point] = []
    for point in sorted(points, key=lambda point: (cost * point.x, -quality * point.y, point.number)):
        if not found or quality * point.y > quality * found[-1].y:
            found.append(point)
    return found


def worth_drawing(
    points: Sequence[Point], *, more_is_cheaper: bool, higher_is_better: bool, most: int = MOST_POINTS
) -> list[Point]:
    """At most so many points: warnings, those asked for and the frontier, then the first in the order given."""
    if len(points) <= most:
        return list(points)
    first = frontier(points, more_is_cheaper=more_is_cheaper, higher_is_better=higher_is_better)
    wanted = [point for point in points if point.is_alarm or point.is_named]
    kept = set(list(dict.fromkeys(point.number for point in [*wanted, *reversed(first), *points]))[:most])
    return [point for point in points if point.number in kept]


def log_ticks(low: float, high: float) -> list[float]:
    """Steps of 1, 2 and 5 from at most ``low`` to at least ``high``; powers of ten alone where that is too many."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1, 2, 5), (1,)):
        ticks = [step * 10.0**exponent for exponent in exponents for step in steps]
        below = max(tick for tick in ticks if tick <= low * (1 + 1e-9))
        above = min(tick for tick in ticks if tick >= high * (1 - 1e-9))
        found = [tick for tick in ticks if below <= tick <= above]
        if len(found) <= 6:
            return found
    # At most six powers, evenly spaced.
    stride = math.ceil((len(found) - 1) / 5)
    first = math.floor(math.log10(found[0]) + 1e-9)
    return [10.0 ** (first + index * stride) for index in range(math.ceil((len(found) - 1) / stride) + 1)]


def _steps(corners: Sequence[tuple[float, float]], worst_y: float, dear_x: float) -> list[Segment]:
    """From the worst quality up to the cheapest point, on to each dearer one, and to the dear edge."""
    lines, before = [], worst_y
    for index, (x, y) in enumerate(corners):
        lines.append((x, before, x, y))
        after = corners[index + 1][0] if index + 1 < len(corners) else dear_x
        lines.append((x, y, after, y))
        before = y
    return lines


def _labels(
    points: Sequence[Point], at: Sequence[tuple[float, float]], first: Sequence[Point], lines: Sequence[Segment]
) -> list[Label]:
    """Names choose their places before numbers; a point without a label has an empty text."""
    named = _named(points, first)
    has_numbers = len(points) <= MOST_NUMBERS
    texts = [
        shorten(p.name, NAME_LENGTH) if p.number in named else str(p.number) if has_numbers else "" for p in points
    ]
    return placed_labels(texts, at, lines, [point.number in named for point in points])


def _named(points: Sequence[Point], first: Sequence[Point]) -> set[int]:
    """Numbers of the points that carry their name: warnings, those asked for, then the best of the frontier."""
    asked = [p for p in points if p.is_alarm] + [p for p in points if p.is_named]
    return set(list(dict.fromkeys(p.number for p in [*asked, *reversed(first)]))[:MOST_NAMES])


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"
