"""The sequential test: what it stops at, and that its promises hold in small simulations."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from grue.stats.bootstrap import Column, mean_of
from grue.stats.sequential import Look, Plan, look, plan


def means(values: np.ndarray) -> Column:
    return Column(np.column_stack((values, np.ones(len(values)))), mean_of)


@cache
def looks(n_rows: int, **more: float) -> Plan:
    return plan(n_rows, **more)  # type: ignore[arg-type]


def sequence(baseline: np.ndarray, candidate: np.ndarray, **more: float) -> Look:
    """Look until it is certain."""
    margin = more.get("margin", 0.0)
    planned = looks(len(baseline), **more)
    for index, n in enumerate(planned.rows):
        found = look(
            planned,
            index,
            means(baseline[:n]),
            means(candidate[:n]),
            higher_is_better=True,
            margin=margin,
            n_trials=300,
            seed=1,
        )
        if found.decision != "continue":
            return found
    raise AssertionError("the last look decides")


@pytest.mark.parametrize(("level", "fraction"), [(0.05, 0.5), (0.05 / 7, 0.4)])
def test_unchanged_outputs_pass_on_a_fraction_of_the_rows(level: float, fraction: float) -> None:
    same = np.random.default_rng(0).random(1000)
    found = sequence(same, same, level=level)
    assert (found.decision, found.n) == ("pass", fraction * 1000)
    assert (found.n_changed, found.drop) == (0, 0.0)


def test_a_tolerance_lets_unchanged_outputs_pass_on_fewer_rows() -> None:
    same = np.random.default_rng(0).random(1000)
    # More than 20 rows must fall from 1 to 0 for a drop of more than 0.02: 0.9^21 is 11 %, 0.8^21 is 0.9 %.
    found = sequence(same, same, margin=0.02, largest_drop=1.0)
    assert (found.decision, found.n) == ("pass", 200)


def test_a_ruined_candidate_fails_at_an_early_look() -> None:
    generator = np.random.default_rng(1)
    baseline = generator.random(1000)
    found = sequence(baseline, 0.1 * generator.random(1000))
    assert (found.decision, found.n) == ("fail", 100)


def test_a_better_candidate_passes_early() -> None:
    generator = np.random.default_rng(2)
    baseline = generator.random(1000)
    found = sequence(baseline, baseline + generator.normal(0.05, 0.2, size=1000))
    assert found.decision == "pass"
    assert found.n <= 300


def test_a_drop_within_the_margin_passes_and_one_beyond_fails() -> None:
    generator = np.random.default_rng(3)
    baseline = generator.random(1000)
    noise = generator.normal(0, 0.1, size=1000)
    assert sequence(baseline, baseline - 0.02 + noise, margin=0.05).decision == "pass"
    assert sequence(baseline, baseline - 0.08 + noise, margin=0.05).decision == "fail"


def test_one_changed_row_that_got_better_does_not_pass_at_once() -> None:
    baseline = np.zeros(1000)
    candidate = baseline.copy()
    candidate[0] = 1.0
    assert sequence(baseline, candidate).n == 500


def test_few_rows_have_one_look_which_is_the_plain_test() -> None:
    planned = plan(15)
    assert planned.rows == (15,)
    assert planned.fail_at == pytest.approx((1.645,), abs=1e-3)
    worse, better = np.zeros(15), np.ones(15)
    assert sequence(better, worse).decision == "fail"
    assert sequence(worse, better).decision == "pass"
    assert sequence(better, better).decision == "pass"


def test_fewer_rows_than_a_sign_test_needs_never_fail() -> None:
    # Four worse rows have p = 1/16 at best.
    baseline = np.ones(30)
    candidate = baseline.copy()
    candidate[:4] = 0.0
    assert sequence(baseline, candidate).decision == "pass"
    assert plan(30).worse_to_fail[-1] == 5


def test_unchanged_outputs_of_few_rows_pass_as_soon_as_the_rows_left_could_hardly_fail() -> None:
    # Of 24 rows, 8 must be worse for a p below 0.05 / 7; that none of 8 is among the first 8 has the chance
    # C(16, 8) / C(24, 8) = 0.0175. With 5 of 24, for a p below 0.05, it is C(19, 8) / C(24, 8) = 0.103, which is too
    # much, and C(19, 16) / C(24, 16) = 0.0013 among the first 16.
    assert plan(24, level=0.05 / 7).worse_to_pass[0] == 0
    assert plan(24).worse_to_pass[0] == -1
    assert plan(24).worse_to_pass[1] >= 0
    assert plan(24).rows == (8, 16, 24)


def test_rows_that_get_worse_are_passed_over_as_seldom_as_promised() -> None:
    planned = plan(400, miss=0.1)
    needed = planned.worse_to_fail[-1]
    generator = np.random.default_rng(4)
    passed = 0
    for _ in range(4000):
        places = generator.permutation(400)[:needed]
        seen = [int((places < n).sum()) for n in planned.rows[:-1]]
        passed += any(few is not None and met <= few for met, few in zip(seen, planned.worse_to_pass[:-1], strict=True))
    assert 0 < passed / 4000 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 4000)


def test_equal_models_fail_no_more_often_than_the_level_and_stop_early() -> None:
    generator = np.random.default_rng(5)
    fails, rows = 0, 0
    for _ in range(100):
        hard = generator.normal(size=200)
        baseline, candidate = hard + generator.normal(size=(2, 200))
        found = sequence(baseline, candidate)
        fails += found.decision == "fail"
        rows += found.n
    assert fails / 100 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 100)
    assert rows / 100 < 0.75 * 200


def test_a_metric_that_is_not_defined_never_decides() -> None:
    nothing = Column(np.ones((12, 2)), lambda total: np.full(total.shape[:-1], np.nan))
    found = look(plan(12), 0, nothing, nothing, higher_is_better=True)
    assert (found.decision, found.z, found.why) == ("continue", None, "the metric is not defined on these rows")


def test_other_rows_than_planned_are_refused() -> None:
    with pytest.raises(ValueError, match="planned for 100 rows"):
        look(plan(1000), 0, means(np.zeros(99)), means(np.zeros(99)), higher_is_better=True)
    with pytest.raises(ValueError, match="at least two rows"):
        plan(1)
