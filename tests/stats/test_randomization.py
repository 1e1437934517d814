"""Many tests against one leader are the single tests."""

from __future__ import annotations

import numpy as np
import pytest

from grue.stats.bootstrap import Column, mean_of
from grue.stats.paired import paired
from grue.stats.randomization import p_worse_than


def means(values: np.ndarray) -> Column:
    return Column(np.column_stack((values, np.ones(len(values)))), mean_of)


@pytest.mark.parametrize("margin", [0.0, 0.1])
@pytest.mark.parametrize("higher_is_better", [True, False])
def test_tests_against_a_leader_are_those_of_pairs(higher_is_better: bool, margin: float) -> None:
    generator = np.random.default_rng(0)
    leader = generator.normal(size=80)
    others = [leader + generator.normal(shift, 0.5, size=80) for shift in (-0.3, 0.0, 0.2)]
    others.append((generator.random(80) < 0.5).astype(float))  # whole numbers beside others
    found = p_worse_than(
        means(leader), [means(other) for other in others], higher_is_better=higher_is_better, margin=margin, seed=4
    )
    alone = [
        paired(means(leader), means(other), higher_is_better=higher_is_better, margin=margin, seed=4).p_worse
        for other in others
    ]
    assert found == alone


def test_no_others_or_too_few_rows_have_no_tests() -> None:
    assert p_worse_than(means(np.zeros(5)), [], higher_is_better=True) == []
    assert p_worse_than(means(np.zeros(1)), [means(np.ones(1))], higher_is_better=True) == [None]


def test_trials_without_a_value_never_make_a_drop_look_clearer() -> None:
    # Exchanging the one row that has a denominator leaves the candidate without a value.
    def ratio(total: np.ndarray) -> np.ndarray:
        return np.divide(total[..., 0], total[..., 1], out=np.full(total.shape[:-1], np.nan), where=total[..., 1] > 0)

    baseline = Column(np.array([[1.0, 1.0], [1.0, 1.0], [1.0, 0.0]]), ratio)
    candidate = Column(np.array([[0.0, 1.0], [0.0, 0.0], [0.0, 0.0]]), ratio)
    found = p_worse_than(baseline, [candidate], higher_is_better=True)[0]
    assert found is not None
    assert found >= 0.25


@pytest.mark.parametrize("n_rows", [5, 60])
def test_the_level_holds_where_outputs_are_exchangeable(n_rows: int) -> None:
    generator = np.random.default_rng(n_rows)
    found = []
    for trial in range(400):
        both = generator.gamma(1.0, size=(2, n_rows))
        found += p_worse_than(means(both[0]), [means(both[1])], higher_is_better=True, n_trials=199, seed=trial)
    # At most 5 %, and three standard errors of 400 trials.
    assert np.mean(np.array(found, dtype=float) <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)
