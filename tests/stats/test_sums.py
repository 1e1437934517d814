"""Single precision is taken only where it is exact."""

from __future__ import annotations

import numpy as np
import pytest

from grue.stats.sums import weight_type, weighted_sums


@pytest.mark.parametrize(
    ("statistics", "dtype"),
    [
        (np.array([[3.0, 40.0], [0.0, 7.0]]), np.float32),
        (np.array([[0.5, 1.0], [0.0, 7.0]]), np.float64),
        (np.array([[2.0**23, 1.0], [0.0, 7.0]]), np.float64),  # two draws of the first reach 2^24
        (np.array([[-(2.0**23), 1.0], [0.0, 7.0]]), np.float64),
        (np.empty((0, 2)), np.float32),
    ],
)
def test_single_precision_is_for_small_whole_numbers(statistics: np.ndarray, dtype: type) -> None:
    assert weight_type([statistics]) is dtype


def test_one_metric_that_needs_double_precision_takes_all_with_it() -> None:
    assert weight_type([np.ones((2, 1)), np.full((2, 1), 0.1)]) is np.float64


def test_sums_of_counts_are_exact() -> None:
    generator = np.random.default_rng(0)
    statistics = generator.integers(0, 200, size=(500, 10)).astype(float)
    weights = generator.multinomial(500, np.full(500, 1 / 500), size=50)
    dtype = weight_type([statistics])
    assert dtype is np.float32
    found = weighted_sums(weights.astype(dtype), statistics)
    assert found.dtype == np.float64
    assert (found == weights @ statistics.astype(int)).all()
