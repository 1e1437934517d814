"""Pseudo-differences: a mean's are its differences, a ratio's have the standard error of the delta method."""

from __future__ import annotations

import numpy as np
import pytest

from grue.stats.bootstrap import Column, mean_of
from grue.stats.influence import pseudo_differences


def test_those_of_a_mean_are_the_rows_differences() -> None:
    first, second = np.array([0.1, 0.5, 0.9]), np.array([0.2, 0.1, 0.9])
    columns = [Column(np.column_stack((values, np.ones(3))), mean_of) for values in (first, second)]
    assert pseudo_differences(*columns) == pytest.approx(second - first, abs=1e-12)


def test_the_spread_of_a_ratios_is_that_of_the_delta_method() -> None:
    generator = np.random.default_rng(0)
    totals = generator.integers(5, 40, size=2000).astype(float)
    hits = [generator.binomial(totals.astype(int), share).astype(float) for share in (0.5, 0.52)]
    columns = [Column(np.column_stack((hit, totals)), mean_of) for hit in hits]
    found = pseudo_differences(*columns)
    assert found is not None
    # Delta method: the influence of a row on a ratio r is (hit - r total) / mean total.
    parts = [(hit - hit.sum() / totals.sum() * totals) / totals.mean() for hit in hits]
    assert found.std() == pytest.approx((parts[1] - parts[0]).std(), rel=0.005)


def test_one_row_or_a_value_that_needs_every_row_has_none() -> None:
    one = Column(np.ones((1, 2)), mean_of)
    assert pseudo_differences(one, one) is None
    alone = Column(np.array([[1.0, 1.0], [0.0, 0.0]]), mean_of)
    with np.errstate(invalid="ignore"):
        assert pseudo_differences(alone, alone) is None
