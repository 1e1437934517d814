"""Means over seeds: worked by hand, and the noise of seeds drawn anew."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from grue.stats.seeds import over_seeds, seed_noise


def test_one_seed_is_itself() -> None:
    one = over_seeds([0.4], [(0.3, 0.6)])
    assert (one.mean, one.sd, one.ci95, one.seeds) == (0.4, None, (0.3, 0.6), 1)


def test_two_half_widths_are_added_in_quadrature_on_either_side() -> None:
    found = over_seeds([1.0, 3.0], [(0.5, 1.2), (2.5, 3.6)])
    seed = stats.t.ppf(0.975, 1) * math.sqrt(2) / math.sqrt(2)
    assert (found.mean, found.seeds) == (2.0, 2)
    assert found.sd == pytest.approx(math.sqrt(2))
    assert found.ci95 == pytest.approx((2 - math.hypot(0.5, seed), 2 + math.hypot(0.4, seed)))


def test_a_seed_without_an_interval_leaves_the_mean_without_one() -> None:
    assert over_seeds([1.0, 2.0], [(0.5, 1.5), None]).ci95 is None


def test_equal_seeds_add_nothing_to_the_interval() -> None:
    assert over_seeds([1.0, 1.0, 1.0], [(0.5, 1.5)] * 3).ci95 == (0.5, 1.5)


def test_redrawn_seeds_vary_as_the_mean_of_seeds_does() -> None:
    values = np.array([1.0, 4.0, 2.5, 3.0])
    shares = np.random.default_rng(0).multinomial(4, [0.25] * 4, size=200_000) / 4
    noise = seed_noise(values, shares)
    assert noise.mean() == pytest.approx(0, abs=0.01)
    assert noise.var() == pytest.approx(values.var(ddof=1) / 4, rel=0.02)
    assert not seed_noise(values[:1], np.ones((5, 1))).any()
