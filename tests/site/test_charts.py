"""Positions of charts."""

from __future__ import annotations

import pytest

from leaderboard_site.charts import Dot, axis_labels, dot_plot, histogram, nice_ticks, shorten, strip


def _share(text: str) -> float:
    return float(text.removesuffix("%"))


def test_strip_runs_from_floor_to_the_value() -> None:
    bar = strip(0.43, 0.40, 0.46)
    assert (bar.to, bar.start, bar.width) == ("43.0%", "40.0%", "6.0%")


def test_strip_beyond_its_ends_stays_inside() -> None:
    for position in (-0.5, 0.0, 1.0, 1.7):
        bar = strip(position, position - 0.01, position + 0.01)
        assert 0 <= _share(bar.start) <= _share(bar.start) + _share(bar.width) <= 100.05


def test_a_narrow_interval_stays_visible() -> None:
    assert _share(strip(0.5, 0.5, 0.5).width) == pytest.approx(2.2)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0.281, 0.333), (12, 12), (0, 0), (-4, 7), (61.2, 68.9)])
def test_ticks_are_round_and_enclose_the_values(low: float, high: float) -> None:
    ticks = nice_ticks(low, high)
    assert len(ticks) >= 2
    assert ticks[0] <= low + 1e-9
    assert ticks[-1] >= high - 1e-9
    assert len(set(axis_labels(ticks, 3))) == len(ticks)


def test_dots_stand_where_their_value_is() -> None:
    plot = dot_plot([Dot("a", 10.0, 5.0, 15.0), Dot("b", 20.0, None, None)], [("floor", 0.0)], 1)
    assert [tick.label for tick in plot.ticks] == ["0", "5", "10", "15", "20"]
    first, second = plot.dots
    assert (first.x, first.low, first.high, first.y) == ("50.0%", "25.0%", "75.0%", "25.0%")
    assert (second.x, second.low, second.high) == ("100.0%", "100.0%", "100.0%")
    assert plot.lines[0].at == "0.0%"
    assert not plot.starts_above_zero


def test_an_axis_away_from_zero_says_so() -> None:
    assert dot_plot([Dot("a", 96.9, 96.4, 97.4)], [], 1).starts_above_zero


def test_histogram_counts_every_value_once() -> None:
    drawn = histogram([0.0, 0.0, 0.5, 0.99, 1.0], 3, upper=1.0)
    assert drawn is not None
    assert [int(bar.rows) for bar in drawn.bars if bar.rows != "0"] == [2, 1, 2]
    assert (drawn.top, drawn.n) == ("2", 5)


def test_histogram_of_whole_numbers_has_bins_of_whole_width() -> None:
    drawn = histogram([1.0, 30.0, 48.0], 0, upper=48.0)
    assert drawn is not None
    starts = [int(bar.start) for bar in drawn.bars]
    assert starts == list(range(0, 3 * len(starts), 3))
    assert sum(int(bar.rows) for bar in drawn.bars) == 3


@pytest.mark.parametrize("values", [[0.0], [5.0, 5.0], [-1.0, -2.0], [1e9]])
def test_histogram_of_odd_values_keeps_them_all(values: list[float]) -> None:
    drawn = histogram(values, 3)
    assert drawn is not None
    assert sum(int(bar.rows) for bar in drawn.bars) == len(values)


def test_nothing_to_count_is_no_histogram() -> None:
    assert histogram([], 3) is None


def test_long_names_are_cut_in_the_middle() -> None:
    assert shorten("short", 18) == "short"
    assert shorten("a" * 20 + "-final", 12) == "aaaaa…-final"
