"""How often an entry is first, against probabilities worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from grue.stats.weighting import first_shares

DRAWS = 20_000
ERROR = 5 * 0.5 / np.sqrt(DRAWS)


def test_an_entry_best_on_one_of_three_metrics_is_first_where_that_weight_is_above_a_half() -> None:
    # Uniform over three weights: one of them is above 1/2 with chance (1 - 1/2)² = 1/4.
    shares = first_shares(np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]), n_weightings=DRAWS)
    assert shares == pytest.approx([0.25, 0.75], abs=ERROR)


def test_who_is_best_everywhere_is_always_first() -> None:
    assert first_shares(np.array([[0.4, 0.2], [0.5, 0.3], [0.1, 0.3]])).tolist() == [0.0, 1.0, 0.0]


def test_entries_first_together_share() -> None:
    assert first_shares(np.array([[0.3, 0.6], [0.3, 0.6], [0.1, 0.1]])).tolist() == [0.5, 0.5, 0.0]


def test_an_entry_without_a_score_is_left_out() -> None:
    assert first_shares(np.array([[np.nan, 1.0], [0.1, 0.1]])).tolist() == [0.0, 1.0]
    assert first_shares(np.array([[np.nan], [np.nan]])).tolist() == [0.0, 0.0]
    assert first_shares(np.empty((2, 0))).tolist() == [0.0, 0.0]


def test_the_same_seed_gives_the_same_shares() -> None:
    scores = np.random.default_rng(0).random((5, 4))
    assert (first_shares(scores, seed=1) == first_shares(scores, seed=1)).all()
    assert (first_shares(scores, seed=1) != first_shares(scores, seed=2)).any()
