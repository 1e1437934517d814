"""Bands of entries that the data do not tell apart."""

from __future__ import annotations

from grue.stats.bands import bands


def test_a_new_band_opens_at_the_first_entry_that_the_leader_of_the_band_above_beats() -> None:
    # a beats c and d, not b. c leads the second band and does not beat d.
    p = {("a", "b"): 0.3, ("a", "c"): 0.001, ("a", "d"): 0.001, ("c", "d"): 0.2}
    assert bands("abcd", lambda leader, entry: p[leader, entry]) == {"a": 1, "b": 1, "c": 2, "d": 2}


def test_tests_of_one_leader_are_one_family_for_holm() -> None:
    # 0.03 alone would open a band; beside two others it is 3 × 0.03 = 0.09.
    p = {"b": 0.03, "c": 0.5, "d": 0.6}
    assert bands("abcd", lambda leader, entry: p.get(entry, 1.0)) == {"a": 1, "b": 1, "c": 1, "d": 1}
    assert bands("ab", lambda leader, entry: p[entry]) == {"a": 1, "b": 2}


def test_an_entry_between_may_stand_below_though_its_leader_does_not_beat_it() -> None:
    # b is beaten, c (noisier) is not: order is by value, so c joins the band that b opened.
    p = {("a", "b"): 0.001, ("a", "c"): 0.4, ("b", "c"): 0.5}
    assert bands("abc", lambda leader, entry: p[leader, entry]) == {"a": 1, "b": 2, "c": 2}


def test_every_pair_of_leader_and_entry_is_asked_once_and_what_cannot_be_tested_opens_no_band() -> None:
    asked: list[tuple[str, str]] = []

    def is_beaten(leader: str, entry: str) -> float | None:
        asked.append((leader, entry))
        return None if entry == "b" else 0.0001

    assert bands("abcd", is_beaten) == {"a": 1, "b": 1, "c": 2, "d": 3}
    assert asked == [("a", "b"), ("a", "c"), ("a", "d"), ("c", "d")]


def test_one_entry_is_a_band_and_none_is_none() -> None:
    assert bands(["a"], lambda leader, entry: 0.0) == {"a": 1}
    assert bands([], lambda leader, entry: 0.0) == {}
