"""Where a chart puts its marks."""

from __future__ import annotations

import numpy as np
import pytest

from grue.comparison.charts import forest, histogram, nice_ticks, shares
from grue.comparison.values import MetricComparison, Verdict
from grue.core.metric import MetricValue


def _metric(
    difference: float, low: float, high: float, *, scale: float | None, higher: bool | None
) -> MetricComparison:
    value = MetricValue(0.5, None, 2, scale, higher, "v:1")
    return MetricComparison(
        name="m",
        is_primary=True,
        is_headline=True,
        scale=scale,
        higher_is_better=higher,
        signature="v:1",
        baseline=value,
        candidate=value,
        verdict=Verdict.NONE_SHOWN,
        difference=difference,
        ci95=(low, high),
    )


@pytest.mark.parametrize(
    ("scale", "higher", "yardstick", "wanted"),
    [
        (1.0, True, None, (10.0, 5.0, 20.0)),
        (1.0, True, (0.2, 0.7), (20.0, 10.0, 40.0)),
        (1.0, False, None, (-10.0, -20.0, -5.0)),
        # A ceiling below the floor is no way to go: the metric's scale stands in.
        (1.0, True, (0.7, 0.2), (10.0, 5.0, 20.0)),
        (None, True, None, None),
    ],
)
def test_differences_are_set_in_percent_of_the_way_up(
    scale: float | None, higher: bool, yardstick: tuple[float, float] | None, wanted: tuple[float, ...] | None
) -> None:
    found = shares(_metric(0.1, 0.05, 0.2, scale=scale, higher=higher), yardstick)
    assert found == (None if wanted is None else pytest.approx(wanted))


def test_the_forest_holds_zero_and_all_whiskers_between_its_ends() -> None:
    drawn = forest([(10.0, 5.0, 20.0), None, (-3.0, -8.0, 2.0)], [False, True, True])
    assert drawn is not None
    first, none, third = drawn.whiskers
    assert none is None
    assert first is not None
    assert third is not None
    at = [float(place.rstrip("%")) for place in (third.low, drawn.zero, first.low, first.at, first.high)]
    assert at == sorted(at)
    assert at[0] >= 0
    assert at[-1] <= 100
    assert (first.is_open, third.is_open) == (False, True)
    assert forest([None], [True]) is None


def test_rows_that_did_not_change_stand_alone_in_the_middle() -> None:
    found = histogram(np.array([0.0, 0.0, 1e-6, -1e-6, 0.5, -1.0]), 3, True)
    assert found is not None
    assert sum(bar.rows for bar in found.bars) == 6
    middle = found.bars[len(found.bars) // 2]
    assert (middle.span, middle.rows, middle.way) == ("no change", 2, "same")
    assert (found.bars[0].rows, found.bars[0].way, found.bars[-1].way) == (1, "worse", "better")
    assert histogram(np.zeros(4), 3, True) is None


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-3.2, 47.0), (0.0, 0.0), (-1e-3, 1e-3), (-250.0, 900.0)])
def test_ticks_are_few_and_hold_both_ends(low: float, high: float) -> None:
    ticks = nice_ticks(low, high)
    assert 2 <= len(ticks) <= 8
    assert ticks[0] <= low
    assert ticks[-1] >= high
