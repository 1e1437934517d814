"""Laws of the combinators, on numbers that rows bring with them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import grue
from grue.core.errors import UsageError
from grue.core.metric import Digests, Texts
from grue.core.reward import PooledReward, Reward
from grue.rewards import combine
from grue.rewards.given import Given
from grue.rewards.parse import parse

numbers = st.floats(-1e6, 1e6)
weights = st.floats(-1e3, 1e3)
columns = st.lists(st.tuples(numbers, numbers), min_size=1, max_size=8)


def texts_of(*rows: Sequence[float | None]) -> Texts:
    inputs: Any = [dict(zip("abc", row, strict=False)) for row in rows]
    return Texts([""] * len(rows), [[]] * len(rows), inputs)


A, B = Given("a"), Given("b")


def leaves() -> st.SearchStrategy[Reward]:
    return st.sampled_from(
        [A, B, parse("rouge"), parse("rouge(type='rougeL')"), parse("ter"), parse("common_gen_repeat_penalty")]
    )


def compositions(inner: st.SearchStrategy[Reward]) -> st.SearchStrategy[Reward]:
    sizes = st.floats(0.001, 1e3)
    bounds = st.tuples(numbers, numbers).map(sorted)
    return st.one_of(
        st.builds(combine.weighted_sum, st.lists(st.tuples(weights, inner), min_size=1, max_size=3), numbers),
        st.builds(lambda part, ends: combine.clip(part, *ends), inner, bounds),
        st.builds(lambda part, low: combine.clip(part, low, None), inner, numbers),
        st.builds(combine.standardise, inner, numbers, sizes),
        st.builds(combine.log_sigmoid, inner, numbers),
        st.builds(combine.calibrate, inner, st.lists(numbers, min_size=1, max_size=4)),
        st.builds(combine.running, inner, st.integers(0, 9), numbers, st.floats(0, 1e6)),
        st.builds(combine.growing_mean, inner),
    )


rewards = st.recursive(leaves(), compositions, max_leaves=6)


@given(rewards)
def test_a_formula_is_read_back_to_an_equal_reward(reward: Reward) -> None:
    text = combine.formula(reward)
    again = parse(text)
    assert again == reward
    assert combine.formula(again) == text
    assert again.signature() == reward.signature()
    assert (again.low, again.high) == (reward.low, reward.high)


@pytest.mark.long
@settings(max_examples=3000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rewards, columns)
def test_formulas_read_back_give_equal_values(reward: Reward, rows: list[tuple[float, float]]) -> None:
    again = parse(combine.formula(reward))
    texts = texts_of(*rows)
    assert np.array_equal(again.rewards(texts), reward.rewards(texts), equal_nan=True)


@given(rewards)
def test_combinations_are_rewards_with_ordered_bounds(reward: Reward) -> None:
    assert reward.low is None or reward.high is None or reward.low <= reward.high
    assert reward.signature()
    assert reward.needs_references == any(word in combine.formula(reward) for word in ("rouge", "ter"))


@given(rewards, columns)
def test_values_lie_in_the_computed_range(reward: Reward, rows: list[tuple[float, float]]) -> None:
    values = reward.rewards(texts_of(*rows))
    known = values[~np.isnan(values)]
    assert reward.low is None or (known >= reward.low).all()
    assert reward.high is None or (known <= reward.high).all()


@given(weights, weights, weights, columns)
def test_sums_are_flat_whatever_the_brackets(x: float, y: float, z: float, rows: list[tuple[float, float]]) -> None:
    left = combine.weighted_sum([(1, combine.weighted_sum([(x, A), (y, B)])), (z, A)])
    right = combine.weighted_sum([(x, A), (1, combine.weighted_sum([(y, B), (z, A)]))])
    assert left == right == combine.weighted_sum([(x, A), (y, B), (z, A)])
    expected = [x * a + y * b + z * a for a, b in rows]
    assert left.rewards(texts_of(*rows)) == pytest.approx(expected, rel=1e-9, abs=1e-6)


@given(numbers, numbers, columns)
def test_clip_keeps_bounds_and_leaves_what_is_inside(x: float, y: float, rows: list[tuple[float, float]]) -> None:
    low, high = sorted((x, y))
    clipped = combine.clip(A, low, high)
    values = clipped.rewards(texts_of(*rows))
    assert ((values >= low) & (values <= high)).all()
    inside = [(value, a) for value, (a, _) in zip(values, rows, strict=True) if low <= a <= high]
    assert all(value == a for value, a in inside)
    assert combine.clip(clipped, low, high).rewards(texts_of(*rows)).tolist() == values.tolist()


@given(st.lists(numbers, min_size=1, max_size=20), columns)
def test_calibration_is_a_rising_share_of_reference_values(
    reference: list[float], rows: list[tuple[float, float]]
) -> None:
    values = combine.calibrate(A, reference).rewards(texts_of(*rows))
    for value, (a, _) in zip(values, rows, strict=True):
        assert value == sum(other <= a for other in reference) / len(reference)
    order = np.argsort([a for a, _ in rows], kind="stable")
    assert (np.diff(values[order]) >= 0).all()


def test_calibration_of_the_reference_itself_gives_its_quantiles() -> None:
    assert combine.calibrate(A, [3.0, 1.0, 2.0]).rewards(texts_of([1], [2], [3], [0.5])).tolist() == [
        1 / 3,
        2 / 3,
        1.0,
        0.0,
    ]


@given(numbers, columns)
def test_log_sigmoid_is_the_logarithm_of_the_sigmoid(reference: float, rows: list[tuple[float, float]]) -> None:
    values = combine.log_sigmoid(A, reference).rewards(texts_of(*rows))
    for value, (a, _) in zip(values, rows, strict=True):
        gap = a - reference
        expected = -math.log1p(math.exp(-gap)) if gap > -700 else gap
        assert value == pytest.approx(expected, rel=1e-9, abs=1e-12)
        assert value <= 0


def test_a_sum_of_transformed_rewards_by_hand() -> None:
    # log sigmoid(0) = -log 2; log sigmoid(log 3) = log(3/4).
    both = combine.sum_transformed([(A, 1.0), (B, 0.0)])
    assert both.rewards(texts_of([1.0, math.log(3)])) == pytest.approx([-math.log(2) + math.log(0.75)])
    assert both.formula() == "log_sigmoid(row('a'), 1) + log_sigmoid(row('b'), 0)"
    assert both.high == 0


def test_range_of_a_sum_by_hand() -> None:
    reward = parse("2*rouge - 3*common_gen_repeat_penalty + 1")
    assert (reward.low, reward.high) == (1, 6)
    assert (parse("1 - ter").low, parse("1 - ter").high) == (0, None)
    assert (parse("0*ter + rouge").low, parse("0*ter + rouge").high) == (0, 1)
    assert (parse("clip(ter, -1, None)").low, parse("clip(ter, -1, None)").high) == (-1, 1)


@pytest.mark.parametrize("formula", ["0.5*row('a') + row('b')", "clip(row('a'), 0, 1)", "calibrate(row('a'), [1])"])
def test_a_row_without_a_part_has_no_value(formula: str) -> None:
    values = parse(formula).rewards(texts_of([None, 1.0], [0.5, 0.5]))
    assert np.isnan(values[0])
    assert not np.isnan(values[1])


def test_rows_without_references_have_no_value_in_any_combination() -> None:
    score = grue.reward("0.5*rouge + row('a')").compute(
        predictions=["a", "a"], references=[[], ["a"]], meta=[{"a": 1}, {"a": 1}]
    )
    assert score.values == [None, 1.5]


class Pooled:
    """Row value less the mean of all rows, which only the whole set tells."""

    name, low, high, needs_references, digest_key = "pooled", None, None, False, "pooled"

    def signature(self) -> str:
        return "pooled"

    def digest(self, texts: Texts) -> list[Any]:
        return [row["a"] for row in texts.inputs]

    def pooled(self, digests: Digests) -> Any:
        return np.array(digests.items) - np.mean(digests.items)

    def rewards(self, texts: Texts) -> Any:
        return self.pooled(Digests(self.digest(texts)))


def test_a_combination_with_a_pooled_part_is_pooled_and_sees_all_rows() -> None:
    reward = combine.clip(combine.weighted_sum([(2, Pooled()), (1, B)], 1), -100, 100)
    assert isinstance(reward, PooledReward)
    assert not isinstance(combine.clip(A, 0, 1), PooledReward)
    portions = [texts_of([1, 10], [2, 20]), texts_of([6, 30])]
    items = [item for portion in portions for item in reward.digest(portion)]
    # Means: 3. 2 * (1 - 3) + 10 + 1 = 7, 2 * (2 - 3) + 20 + 1 = 19, 2 * (6 - 3) + 30 + 1 = 37.
    assert reward.pooled(Digests(items)).tolist() == [7, 19, 37]
    assert reward.rewards(texts_of([1, 10], [2, 20], [6, 30])).tolist() == [7, 19, 37]


def test_a_pooled_part_alone_shares_its_digests() -> None:
    reward = combine.clip(Pooled(), 0, None)
    assert isinstance(reward, PooledReward)
    assert reward.digest_key == "pooled"
    assert reward.pooled(Digests([1.0, 3.0])).tolist() == [0, 1]


def test_growing_means_pass_over_rows_without_a_value() -> None:
    reward = combine.growing_mean(A)
    values = reward.rewards(texts_of([1.0], [None], [3.0], [8.0]))
    assert values[[0, 2, 3]].tolist() == [1.0, 2.0, 4.0]
    assert np.isnan(values[1])


@pytest.mark.parametrize(
    "make",
    [
        lambda: combine.weighted_sum([]),
        lambda: combine.weighted_sum([(math.inf, A)]),
        lambda: combine.weighted_sum([(1, A)], math.nan),
        lambda: combine.weighted_sum([(1e200, combine.weighted_sum([(1e200, A)]))]),
        lambda: combine.clip(A, 1, 0),
        lambda: combine.clip(A, math.nan, 0),
        lambda: combine.standardise(A, 0, 0),
        lambda: combine.standardise(A, 0, -1),
        lambda: combine.calibrate(A, []),
        lambda: combine.calibrate(A, [math.nan]),
        lambda: combine.log_sigmoid(A, math.inf),
        lambda: combine.running(A, -1),
        lambda: combine.running(A, 1, 0, -1),
        lambda: combine.frozen(combine.running(A)),
    ],
    ids=[str(index) for index in range(14)],
)
def test_what_makes_no_sense_is_refused(make: Any) -> None:
    with pytest.raises(UsageError):
        make()


def test_a_part_that_gives_too_few_numbers_is_named() -> None:
    class Short(Pooled):
        name = "short"

        def rewards(self, texts: Texts) -> Any:
            return np.zeros(1)

        digest = None  # type: ignore[assignment]

    with pytest.raises(ValueError, match="short"):
        combine.checked(Short(), texts_of([1], [2]))
