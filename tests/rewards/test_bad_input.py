"""Odd texts: every reward that is here gives a number or none, in seconds, and the others are unaffected."""

from __future__ import annotations

import math

import pytest

import grue
from grue.rewards import REWARDS

STRINGS = [name for name, entry in REWARDS.items() if not entry.needs_model]
ODD = {
    "empty": "",
    "blank": " \t\n ",
    "surrogate": "a \ud800 b",
    "control": "a\x00b\x1b[31m c\x7f",
    "newlines": "\n\n\r\n\u2028",
    "emoji": "👩\u200d👩\u200d👧 ok",
    "numbers": "1e999 -inf nan 1_0 ٣ 12",
    "braces": "{0} %s ${x} <EOU>",
}


@pytest.mark.parametrize("name", STRINGS)
def test_odd_texts_have_a_value_in_range_or_none(name: str) -> None:
    scorer = grue.reward(name)
    if scorer.built is None:
        pytest.skip(f"{name}: {scorer.reason}")
    odd = list(ODD.values())
    pairs = [(a, b) for a in odd for b in odd]
    score = scorer.compute(
        ["generate a sentence with: a b."] * len(pairs),
        [a for a, _ in pairs],
        [[b, "a b"] if index % 2 else [b] for index, (_, b) in enumerate(pairs)],
        [{"concepts": ["a", "b"]}] * len(pairs),
    )
    assert len(score.values) == len(pairs)
    for value in score.values:
        if value is not None:
            assert math.isfinite(value)
            assert score.low is None or value >= score.low
            assert score.high is None or value <= score.high


@pytest.mark.parametrize("name", STRINGS)
def test_a_row_without_references_is_left_out_or_scored_alone(name: str) -> None:
    scorer = grue.reward(name)
    if scorer.built is None:
        pytest.skip(f"{name}: {scorer.reason}")
    given = {"meta": [{"concepts": ["a"]}] * 3}
    score = scorer.compute(predictions=["a b", "a b", "1"], references=[["a b"], [], ["1"]], **given)
    if scorer.built.needs_references:
        assert score.values[1] is None
        without = scorer.compute(predictions=["a b", "1"], references=[["a b"], ["1"]], meta=[{"concepts": ["a"]}] * 2)
        assert [score.values[0], score.values[2]] == without.values
    else:
        assert score.n == 3


@pytest.mark.parametrize("name", ["common_gen_repeat_penalty", "increasing_numbers", "sentences_with_dates"])
@pytest.mark.parametrize(
    "text", ["9" * 1_000_000, "2001-" * 2_000_000, "1 " * 5_000_000], ids=["word", "dates", "long"]
)
def test_huge_texts_are_scored(name: str, text: str) -> None:
    score = grue.reward(name).compute(["generate a sentence with: a b."], [text])
    assert score.n == 1


def test_a_row_that_brings_no_number_has_no_value() -> None:
    rows = [{"q": 1}, {"q": True}, {"q": "1"}, {"q": None}, {}, {"q": [1]}, {"q": 10**400}]
    score = grue.reward("1*row('q')").compute(predictions=[""] * len(rows), meta=rows)
    assert score.values == [1.0, *[None] * 6]
