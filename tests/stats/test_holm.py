"""Holm's correction against a worked example and its promises."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from grue.stats.holm import holm, holm_all


def test_a_worked_example_has_the_adjusted_values_of_the_step_down_rule() -> None:
    # 4 × 0.005 = 0.02; 3 × 0.01 = 0.03; 2 × 0.03 = 0.06; 1 × 0.04 = 0.04, raised to 0.06 as it may not fall.
    found = holm([0.01, 0.04, 0.03, 0.005])
    np.testing.assert_allclose(np.array(found, dtype=float), [0.03, 0.06, 0.06, 0.02], rtol=1e-12)


def test_one_test_stays_as_it_is() -> None:
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


def test_a_test_that_could_not_be_made_stays_empty_and_does_not_count() -> None:
    assert holm([None, 0.01, None, 0.04]) == [None, 0.02, None, 0.04]


def test_adjusted_values_stop_at_one() -> None:
    assert holm([0.9, 0.8, 0.7]) == [1.0, 1.0, 1.0]


@given(st.lists(st.floats(0, 1), max_size=12))
def test_adjusting_keeps_the_order_and_never_lowers_a_value(p_values: list[float]) -> None:
    found = holm(p_values)
    for one, adjusted in zip(p_values, found, strict=True):
        assert adjusted is not None
        assert one <= adjusted <= max(1.0, one)
        for other, other_adjusted in zip(p_values, found, strict=True):
            assert other_adjusted is not None
            if one < other:
                assert adjusted <= other_adjusted


@given(st.lists(st.none() | st.floats(0, 1), max_size=30))
def test_an_array_is_adjusted_as_a_list_is(p_values: list[float | None]) -> None:
    found = holm_all(np.array([np.nan if p is None else p for p in p_values], dtype=np.float64))
    expected = [np.nan if p is None else p for p in holm(p_values)]
    np.testing.assert_allclose(found, np.array(expected, dtype=np.float64), rtol=1e-15)
