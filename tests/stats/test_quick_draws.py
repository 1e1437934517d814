"""Counts from a table are the counts of rows drawn with replacement."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from grue.stats.quick_draws import quick_counts


@pytest.mark.parametrize("n_rows", [2, 5, 30, 400, 3000])
def test_counts_are_multinomial(n_rows: int) -> None:
    n_resamples = 400_000 // n_rows
    counts = np.concatenate(list(quick_counts(n_rows, n_resamples, np.random.default_rng(1))))
    assert counts.shape == (n_resamples, n_rows)
    assert (counts.sum(axis=1) == n_rows).all()
    for count in range(5):
        expected = stats.binom.pmf(count, n_rows, 1 / n_rows)
        error = np.sqrt(expected * (1 - expected) / counts.size)
        assert np.mean(counts == count) == pytest.approx(expected, abs=5 * error + 2**-15)
    # Counts of two rows are less likely to be large together: covariance -1/n.
    covariance = np.mean((counts[:, 0] - 1) * (counts[:, 1] - 1))
    assert covariance == pytest.approx(-1 / n_rows, abs=5 * 2 / np.sqrt(n_resamples))


def test_equal_seeds_draw_equal_rows() -> None:
    first, second, other = (
        np.concatenate(list(quick_counts(50, 20, np.random.default_rng(seed)))) for seed in (1, 1, 2)
    )
    assert (first == second).all()
    assert (first != other).any()
