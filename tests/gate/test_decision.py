"""The rule itself: both conditions, Holm over all tests, and what is said where there is no test."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grue.core.errors import Exit
from grue.gate.decision import decide
from grue.gate.measured import Measured
from grue.gate.report import Check, Outcome, Problem, Report, SideInfo
from grue.gate.row_data import Paired, RowData, lay_beside
from grue.gate.tolerance import Tolerance
from grue.stats.bootstrap import Column, mean_of


def _open(name: str = "m", *, drop: float, allowed: float = 0.0, p: float | None = None, **more: Any) -> Measured:
    check = Check(
        task="t",
        name=name,
        outcome=Outcome.PASS,
        message="",
        drop=drop,
        allowed=allowed,
        tolerance=Tolerance(allowed),
        beyond_tolerance=drop > allowed,
        p=p,
        **more,
    )
    return Measured(check, is_open=True)


@pytest.mark.parametrize(
    ("drop", "allowed", "p", "outcome"),
    [
        (0.05, 0.02, 0.01, Outcome.FAIL),
        (0.05, 0.02, 0.2, Outcome.UNCERTAIN),
        (0.01, 0.02, 0.01, Outcome.PASS),
        (0.01, 0.02, 0.2, Outcome.PASS),
        (0.0, 0.0, 1.0, Outcome.PASS),
        (-0.05, 0.0, 0.99, Outcome.PASS),
        (0.05, 0.0, 0.05, Outcome.FAIL),
        (0.05, 0.0, 0.0501, Outcome.UNCERTAIN),
    ],
)
def test_a_drop_fails_beyond_tolerance_and_noise(drop: float, allowed: float, p: float, outcome: Outcome) -> None:
    (check,) = decide([_open(drop=drop, allowed=allowed, p=p)], level=0.05)
    assert check.outcome is outcome


def test_holm_counts_all_tests_and_no_other_checks() -> None:
    """By hand: 0.02 of three tests is 0.06 after Holm, of two 0.04; costs are no tests."""
    others = [_open("a", drop=-1, p=0.9), _open("b", drop=-1, p=0.9)]
    cost = _open("cost.tokens_per_second", drop=-1)
    three = decide([_open(drop=1, p=0.02), *others, cost], level=0.05)
    assert (three[0].outcome, three[0].p_adjusted) == (Outcome.UNCERTAIN, pytest.approx(0.06))
    two = decide([_open(drop=1, p=0.02), others[0], cost], level=0.05)
    assert (two[0].outcome, two[0].p_adjusted) == (Outcome.FAIL, pytest.approx(0.04))


def test_without_rows_a_cost_fails_by_its_tolerance_and_a_metric_never_does() -> None:
    cost, metric = decide([_open("cost.wall_seconds", drop=2, allowed=1), _open("m", drop=2, allowed=1)], level=0.05)
    assert cost.outcome is Outcome.FAIL
    assert metric.outcome is Outcome.UNCERTAIN
    assert "noise is not known" in metric.message


def test_cannot_tell_says_which_drops_the_rows_can_show() -> None:
    """Guenther's formula by hand: sd 1, 100 rows, one-sided 5 %, power 80 %: 2.486 / sqrt(100 - 1.353) = 0.2503."""
    generator = np.random.default_rng(0)
    apart = generator.normal(size=100)
    apart = (apart - apart.mean()) / apart.std(ddof=1) + 0.1
    ones = np.ones(100)
    baseline = Column(np.column_stack((apart, ones)), mean_of)
    candidate = Column(np.column_stack((np.zeros(100), ones)), mean_of)
    one = _open(drop=0.1, p=0.16)
    measured = Measured(one.check, is_open=True, rows=Paired(baseline, candidate, tuple(map(str, range(100))), 0))
    (check,) = decide([measured], level=0.05)
    # (2.486 / 0.1)² + 1.353 = 619.6
    assert "100 rows show drops from 0.2503 up; about 620 would show this one" in check.message


@given(
    st.lists(st.tuples(st.floats(-1, 1), st.floats(0, 1), st.floats(0.0005, 1)), min_size=1, max_size=8),
    st.floats(0.001, 0.4),
)
def test_it_never_fails_within_tolerance_or_noise(numbers: list[tuple[float, float, float]], level: float) -> None:
    checks = decide([_open(drop=drop, allowed=allowed, p=p) for drop, allowed, p in numbers], level=level)
    for check, (drop, allowed, p) in zip(checks, numbers, strict=True):
        if check.outcome is Outcome.FAIL:
            assert drop > allowed
            assert p <= level
        assert (check.outcome is Outcome.PASS) == (drop <= allowed)


@pytest.mark.parametrize(
    ("outcomes", "expected", "code"),
    [
        ([Outcome.PASS], Outcome.PASS, Exit.YES),
        ([], Outcome.PASS, Exit.YES),
        ([Outcome.PASS, Outcome.UNCERTAIN], Outcome.UNCERTAIN, Exit.YES),
        ([Outcome.UNCERTAIN, Outcome.FAIL], Outcome.FAIL, Exit.NO),
        ([Outcome.FAIL, Outcome.NOT_COMPARABLE], Outcome.NOT_COMPARABLE, Exit.NOT_COMPARABLE),
        ([Outcome.FAIL, Outcome.NOT_COMPARABLE, Outcome.INFRASTRUCTURE], Outcome.INFRASTRUCTURE, Exit.PARTLY),
    ],
)
def test_the_gravest_answer_is_that_of_all(outcomes: list[Outcome], expected: Outcome, code: Exit) -> None:
    checks = tuple(Check(task="t", name=str(place), outcome=one, message="") for place, one in enumerate(outcomes))
    side = SideInfo("x")
    report = Report(baseline=side, candidate=side, checks=checks, level=0.05, uncertain="warn")
    assert (report.outcome, report.exit_code) == (expected, code)


def test_a_problem_of_a_run_outweighs_its_checks() -> None:
    side = SideInfo("x")
    check = Check(task="t", name="m", outcome=Outcome.FAIL, message="")
    problem = Problem(Outcome.INFRASTRUCTURE, "x", "is partial")
    report = Report(baseline=side, candidate=side, checks=(check,), problems=(problem,), level=0.05, uncertain="fail")
    assert report.exit_code is Exit.PARTLY


def test_rows_of_both_are_laid_beside_each_other_in_one_order() -> None:
    left = RowData(("a", "b", "d"), Column(np.array([[1.0], [2.0], [4.0]]), mean_of))
    right = RowData(("b", "c", "d"), Column(np.array([[20.0], [30.0], [40.0]]), mean_of))
    found = lay_beside(left, right)
    assert (found.ids, found.left_out) == (("b", "d"), 2)
    assert found.baseline.statistics.tolist() == [[2.0], [4.0]]
    assert found.candidate.statistics.tolist() == [[20.0], [40.0]]
