"""Student's t against SciPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from grue.stats.student import t_quantile, t_tail, t_tails


@example(1e-5, 8209.0)  # 1 - df / (df + t²) has few digits here
@given(st.floats(-60, 60), st.floats(0.5, 1e5))
def test_the_tail_is_scipys(t: float, df: float) -> None:
    assert t_tail(t, df) == pytest.approx(float(stats.t.sf(t, df)), rel=1e-8, abs=1e-300)


@pytest.mark.parametrize("df", [1, 2, 3, 9, 29, 999])
def test_the_quantile_is_scipys(df: int) -> None:
    assert t_quantile(0.975, df) == pytest.approx(float(stats.t.ppf(0.975, df)), rel=1e-9)


def test_infinite_arguments_have_their_limits() -> None:
    assert (t_tail(math.inf, 3), t_tail(-math.inf, 3)) == (0.0, 1.0)
    assert t_tail(1.96, math.inf) == pytest.approx(float(stats.norm.sf(1.96)))


def test_many_tails_at_once_are_those_of_scipy() -> None:
    generator = np.random.default_rng(0)
    t = np.concatenate([10.0 ** generator.uniform(-8, 3, 400), [1e-300, 1e200]])
    df = 10.0 ** generator.uniform(0, 5, len(t))
    expected = stats.t.sf(t, df)
    found = t_tails(t, df)
    assert found == pytest.approx(expected, rel=1e-8, abs=1e-290)
    assert t_tails(np.empty(0), np.empty(0)).shape == (0,)
