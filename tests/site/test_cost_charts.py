"""Quality against cost: the frontier, the axes and the places of labels."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard_site.scatter import Point, frontier, log_ticks, scatter


def _points(*pairs: tuple[float, float]) -> list[Point]:
    return [Point(number=index, name=f"run {index}", x=x, y=y) for index, (x, y) in enumerate(pairs, start=1)]


def _share(text: str) -> float:
    return float(text.removesuffix("%"))


def test_the_frontier_holds_what_no_other_beats_at_the_same_cost() -> None:
    # 1 is cheapest; 2 costs more for less; 3 and 4 cost the same, 4 is better; 5 equals 4 at a higher cost.
    points = _points((10, 50), (20, 40), (30, 55), (30, 60), (90, 60), (100, 61))
    assert [p.number for p in frontier(points, more_is_cheaper=False, higher_is_better=True)] == [1, 4, 6]


def test_a_speed_is_better_the_higher_and_an_error_rate_the_lower() -> None:
    points = _points((10, 50), (20, 40), (30, 55))
    assert [p.number for p in frontier(points, more_is_cheaper=True, higher_is_better=True)] == [3]
    assert [p.number for p in frontier(points, more_is_cheaper=False, higher_is_better=False)] == [1, 2]


@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), min_size=1, max_size=12),
    st.booleans(),
    st.booleans(),
)
def test_a_point_is_on_the_frontier_exactly_where_no_other_dominates_it(
    pairs: list[tuple[int, int]], more_is_cheaper: bool, higher_is_better: bool
) -> None:
    points = _points(*pairs)
    cost, quality = (-1 if more_is_cheaper else 1), (1 if higher_is_better else -1)

    def dominates(one: Point, other: Point) -> bool:
        no_worse = cost * one.x <= cost * other.x and quality * one.y >= quality * other.y
        return no_worse and (one.x, one.y) != (other.x, other.y)

    best = {(p.x, p.y) for p in points if not any(dominates(other, p) for other in points)}
    found = frontier(points, more_is_cheaper=more_is_cheaper, higher_is_better=higher_is_better)
    assert {(p.x, p.y) for p in found} == best


def test_points_stand_where_their_values_are() -> None:
    points = [
        Point(number=1, name="a", x=10, y=20, low=15, high=25),
        Point(number=2, name="b", x=20, y=40, is_open=True),
    ]
    plot = scatter(points, more_is_cheaper=False, higher_is_better=True, places=1)
    first, second = plot.points
    ticks = {float(tick.label): _share(tick.at) for tick in plot.across}
    assert (_share(first.x), _share(second.x)) == (ticks[10], ticks[20])
    heights = {float(tick.label): _share(tick.at) for tick in plot.up}
    assert _share(first.low) > _share(first.y) == heights[20] > _share(first.high), "up is the smaller share"
    assert (first.is_open, second.is_open, second.low) == (False, True, second.y)
    assert not plot.is_log


def test_the_frontier_is_drawn_as_steps_from_the_worst_quality_to_the_dear_edge() -> None:
    plot = scatter(_points((10, 20), (20, 40)), more_is_cheaper=False, higher_is_better=True, places=0)
    corners = [(line.x1, line.y1, line.x2, line.y2) for line in plot.front]
    one, two = plot.points
    assert corners == [
        (one.x, "100.0%", one.x, one.y),
        (one.x, one.y, two.x, one.y),
        (two.x, one.y, two.x, two.y),
        (two.x, two.y, "100.0%", two.y),
    ]
    speed = scatter(_points((10, 20), (20, 10)), more_is_cheaper=True, higher_is_better=True, places=0)
    assert speed.front[-1].x2 == "0.0%", "slow is dear"


def test_costs_far_apart_get_a_logarithmic_axis() -> None:
    plot = scatter(_points((500, 1), (8000, 2)), more_is_cheaper=True, higher_is_better=True, places=0)
    assert plot.is_log
    assert [tick.label.replace("\u202f", "") for tick in plot.across] == ["500", "1000", "2000", "5000", "10000"]
    at = [_share(tick.at) for tick in plot.across]
    assert at[1] - at[0] == pytest.approx(at[2] - at[1], abs=0.2), "doubling is the same distance everywhere"


@given(st.floats(1e-6, 1e12), st.floats(1.0, 1e9))
def test_log_ticks_enclose_the_values_and_are_few(low: float, factor: float) -> None:
    high = low * max(factor, 8.0)
    ticks = log_ticks(low, high)
    assert ticks[0] <= low * 1.000001
    assert ticks[-1] >= high * 0.999999
    assert 2 <= len(ticks) <= 7
    assert all(before < after for before, after in itertools.pairwise(ticks))


def test_equal_points_and_equal_costs_are_drawn_too() -> None:
    plot = scatter(_points((5, 5), (5, 5)), more_is_cheaper=False, higher_is_better=True, places=0)
    assert all(0 <= _share(point.x) <= 100 and 0 <= _share(point.y) <= 100 for point in plot.points)
    assert plot.first == (1,)


def test_the_frontier_carries_names_and_the_others_their_numbers() -> None:
    points = [
        Point(number=1, name="a-model-with-a-name-that-is-far-too-long-to-draw", x=10, y=50),
        Point(number=2, name="beaten", x=20, y=40),
    ]
    plot = scatter(points, more_is_cheaper=False, higher_is_better=True, places=0)
    first, second = plot.points
    assert first.title == points[0].name
    assert first.label.startswith("a-model")
    assert len(first.label) <= 20
    assert second.label == "2"
    many = scatter(_points(*((n, n) for n in range(1, 9))), more_is_cheaper=False, higher_is_better=True, places=0)
    assert sum(point.label.startswith("run") for point in many.points) == 5, "no more names than can be read"


# Speeds and scores of eleven models as a board may have them, two of them nearly the same.
MODELS = (
    (1840, 61.8), (690, 61.2), (3120, 60.9), (2000, 58.3), (2210, 57.9), (1500, 57.6), (3090, 54.2), (3145, 53.8),
    (4000, 49.7), (5480, 48.8),
)  # fmt: skip


@pytest.mark.parametrize("pairs", [((100, 50), (103, 50.5), (106, 51)), MODELS, [(6e5 / x, y) for x, y in MODELS]])
def test_labels_of_near_points_lie_neither_on_each_other_nor_on_points(pairs: Sequence[tuple[float, float]]) -> None:
    points = [
        Point(number=index, name=f"a-model-{index}-encdec", x=x, y=y) for index, (x, y) in enumerate(pairs, start=1)
    ]
    plot = scatter(points, more_is_cheaper=pairs is MODELS, higher_is_better=True, places=1)
    boxes = []
    for point in plot.points:
        # A letter of 12 px is about 6.6 px wide; the smallest drawing is 300 by 184 px.
        width = 6.6 * len(point.label)
        left = 3.0 * _share(point.x) + point.dx - {"start": 0, "middle": width / 2, "end": width}[point.anchor]
        base = 1.84 * _share(point.y) + point.dy
        boxes.append((left, base - 10, left + width, base))
        assert left >= 0
        assert left + width <= 300
    for point in plot.points:
        x, y = 3.0 * _share(point.x), 1.84 * _share(point.y)
        assert not any(left < x < right and top < y < bottom for left, top, right, bottom in boxes), point.title
    for one, other in itertools.combinations(boxes, 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
