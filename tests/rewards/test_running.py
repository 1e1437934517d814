"""Running normalisation: its state, and the copy without one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grue.core.errors import UsageError
from grue.core.metric import Texts
from grue.core.reward import PooledReward
from grue.rewards import combine
from grue.rewards.given import Given
from grue.rewards.parse import parse
from grue.rewards.running import Running

numbers = st.floats(-1e6, 1e6)


def texts_of(values: list[float | None]) -> Texts:
    return Texts([""] * len(values), [[]] * len(values), [{"a": value} for value in values])


@given(st.lists(st.lists(numbers, min_size=1, max_size=5), min_size=1, max_size=5))
def test_the_state_is_the_mean_and_deviation_of_all_batches(batches: list[list[float]]) -> None:
    reward = combine.running(Given("a"))
    rule = reward.rule
    assert isinstance(rule, Running)
    for batch in batches:
        last = reward.rewards(texts_of(list(batch)))
    everything = np.array([value for batch in batches for value in batch])
    assert rule.n == len(everything)
    assert rule.mean == pytest.approx(everything.mean(), rel=1e-6, abs=1e-6)
    assert rule.m2 / rule.n == pytest.approx(everything.var(), rel=1e-6, abs=1e-3)
    assert last == pytest.approx((np.array(batches[-1]) - rule.mean) / rule.std)


def test_batches_by_hand() -> None:
    reward = combine.running(Given("a"))
    # 1 and 3: mean 2, deviation 1.
    assert reward.rewards(texts_of([1, 3])).tolist() == [-1, 1]
    # 1, 3, 5, 7: mean 4, deviation sqrt(5).
    assert reward.rewards(texts_of([5, 7])) == pytest.approx([1 / 5**0.5, 3 / 5**0.5])
    assert reward.formula() == "running(row('a'), 4, 4, 20)"


def test_equal_values_become_zero() -> None:
    assert combine.running(Given("a")).rewards(texts_of([2, 2, 2])).tolist() == [0, 0, 0]


def test_missing_values_neither_count_nor_get_a_value() -> None:
    reward = combine.running(Given("a"))
    values = reward.rewards(texts_of([1, None, 3]))
    assert values[[0, 2]].tolist() == [-1, 1]
    assert np.isnan(values[1])
    assert np.isnan(combine.running(Given("a")).rewards(texts_of([None]))).all()


def test_the_signature_names_the_state_it_began_with() -> None:
    fresh, going_on = combine.running(Given("a")), combine.running(Given("a"), 2, 2.0, 2.0)
    before = fresh.signature(), going_on.signature()
    assert before[0] != before[1]
    fresh.rewards(texts_of([1, 3]))
    assert fresh.signature() == before[0]
    assert fresh == going_on  # they go on from the same state


def test_a_state_is_taken_up_where_its_formula_left_it() -> None:
    reward = combine.running(Given("a"))
    reward.rewards(texts_of([1, 3]))
    again = parse(reward.formula())
    assert again.rewards(texts_of([5, 7])).tolist() == reward.rewards(texts_of([5, 7])).tolist()


def test_a_frozen_copy_no_longer_changes() -> None:
    reward = combine.clip(combine.weighted_sum([(1, combine.running(Given("a")))]), -1, None)
    reward.rewards(texts_of([1, 3]))
    still = combine.frozen(reward)
    assert combine.formula(still) == "clip(1*standardise(row('a'), 2, 1), -1, None)"
    assert still.rewards(texts_of([7])).tolist() == still.rewards(texts_of([7])).tolist() == [5]
    assert not isinstance(still, PooledReward)
    assert isinstance(reward, PooledReward)


def test_nothing_seen_cannot_be_frozen() -> None:
    with pytest.raises(UsageError, match="seen nothing"):
        combine.frozen(combine.running(Given("a")))
