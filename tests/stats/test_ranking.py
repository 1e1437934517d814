"""The ranking's rules, one by one."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from grue.stats.ranking import Candidate, Ranked, rank

MORNING, NOON, NIGHT = "2026-01-01T06:00:00Z", "2026-01-01T12:00:00Z", "2026-01-01T23:00:00Z"


def shown(found: list[Ranked]) -> list[tuple[str, int | None]]:
    assert [entry.position for entry in found] == list(range(len(found)))
    return [(entry.key, entry.rank) for entry in found]


def test_the_highest_is_first_where_higher_is_better_and_last_where_it_is_not() -> None:
    three = [Candidate("a", 1.0, NOON), Candidate("b", 3.0, NOON), Candidate("c", 2.0, NOON)]
    assert shown(rank(three, higher_is_better=True)) == [("b", 1), ("c", 2), ("a", 3)]
    assert shown(rank(three, higher_is_better=False)) == [("a", 1), ("c", 2), ("b", 3)]


@pytest.mark.parametrize("higher_is_better", [True, False])
def test_missing_values_are_last_in_both_directions_without_a_rank(higher_is_better: bool) -> None:
    found = rank(
        [Candidate("none", None, MORNING), Candidate("nan", math.nan, NOON), Candidate("low", -5.0, NIGHT)],
        higher_is_better=higher_is_better,
    )
    assert shown(found) == [("low", 1), ("none", None), ("nan", None)]


def test_equal_values_share_a_rank_and_the_earlier_run_is_shown_first() -> None:
    found = rank(
        [Candidate("late", 2.0, NIGHT), Candidate("worse", 1.0, MORNING), Candidate("early", 2.0, MORNING)],
        higher_is_better=True,
    )
    assert shown(found) == [("early", 1), ("late", 1), ("worse", 3)]


def test_nobody_is_ranked_by_a_metric_without_direction() -> None:
    found = rank([Candidate("b", 9.0, NIGHT), Candidate("a", 1.0, MORNING)], higher_is_better=None)
    assert shown(found) == [("a", None), ("b", None)]


def test_values_that_differ_in_the_last_digit_do_not_share_a_rank() -> None:
    found = rank([Candidate("a", 0.1 + 0.2, NOON), Candidate("b", 0.3, NOON)], higher_is_better=True)
    assert shown(found) == [("a", 1), ("b", 2)]


def test_nothing_gives_nothing() -> None:
    assert rank([], higher_is_better=True) == []


@given(st.lists(st.one_of(st.none(), st.sampled_from([0.0, 0.5, 1.0]), st.floats(-10, 10))), st.randoms())
def test_ranks_are_scipys_whatever_order_candidates_come_in(values: list[float | None], shuffler: object) -> None:
    candidates = [Candidate(f"{index:03}", value, NOON) for index, value in enumerate(values)]
    found = rank(candidates, higher_is_better=True)
    shuffled = list(candidates)
    shuffler.shuffle(shuffled)  # type: ignore[attr-defined]
    assert rank(shuffled, higher_is_better=True) == found
    known = [candidate for candidate in candidates if candidate.value is not None]
    theirs = stats.rankdata([-candidate.value for candidate in known], method="min")
    ranks = {entry.key: entry.rank for entry in found}
    assert [ranks[candidate.key] for candidate in known] == [int(place) for place in theirs]
