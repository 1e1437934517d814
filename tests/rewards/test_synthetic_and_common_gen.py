"""The rewards that look at the generation itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import grue
from grue.core.metric import Texts
from grue.rewards.common_gen import MissingConcepts, RepeatPenalty, concept_string, repeat_penalty

PROMPT = "generate a sentence with: coral fish island."


@pytest.mark.parametrize(
    ("prediction", "expected"),
    [
        ("A coral fish island.", -1.0),
        ("Fish swim near coral.", 0.0),
        ("The sentence of the judge.", -1.0),
        ("They Generate power.", -1.0),
        ("generate a sentence with: a fish", -1.0),
        ("Coral Fish Island", -1.0),
        ("coral  fish island", 0.0),
        ("", 0.0),
    ],
)
def test_penalty_of_one_generation(prediction: str, expected: float) -> None:
    assert repeat_penalty(prediction, {"prompt": PROMPT}) == expected
    assert repeat_penalty(prediction, {"concepts": ["coral", "fish", "island"]}) == expected
    assert grue.reward("common_gen_repeat_penalty").compute([PROMPT], [prediction]).values == [expected]


@given(st.lists(st.sampled_from(["A coral fish island.", "Fish swim.", "sentence", "", "ISLAND coral fish"])))
def test_the_batched_penalty_is_the_single_one_row_by_row(predictions: list[str]) -> None:
    inputs: Any = [{"prompt": PROMPT}] * len(predictions)
    batched = RepeatPenalty().rewards(Texts(predictions, [[]] * len(predictions), inputs))
    assert batched.tolist() == [repeat_penalty(text, {"prompt": PROMPT}) for text in predictions]


def test_a_penalty_without_known_concepts_is_given_only_for_words() -> None:
    score = grue.reward("common_gen_repeat_penalty").compute(predictions=["a sentence", "a fish"])
    assert score.values == [-1.0, None]
    assert score.n == 1


def test_no_concepts_are_repeated_by_nothing() -> None:
    assert repeat_penalty("anything", {"concepts": []}) == 0.0
    assert repeat_penalty("anything", {"prompt": "generate a sentence with: ."}) == 0.0


def test_concepts_come_from_the_prompt_else_from_the_row() -> None:
    assert concept_string({"prompt": PROMPT, "concepts": ["x"]}) == "coral fish island"
    assert concept_string({"prompt": "write!", "concepts": ["x", "y"]}) == "x y"
    assert concept_string({"prompt": "write!"}) is None
    assert concept_string({"prompt": 3, "concepts": "x"}) is None


def test_missing_concepts_are_counted_as_substrings() -> None:
    inputs: Any = [{"concepts": ["cat", "run", "dog"]}, {"prompt": PROMPT}, {}]
    found = MissingConcepts().rewards(Texts(["Concatenate: a dog", "CORAL", "x"], [[]] * 3, inputs))
    assert found[:2].tolist() == [1.0, 2.0]
    assert str(found[2]) == "nan"


@pytest.mark.parametrize(
    ("text", "min_tokens", "expected"),
    [
        ("1 2 3 4", 4, 1.0),
        ("1 2 3 4", 20, 4 / 10),
        ("1 2 2 3", 4, 2 / 4),
        ("5 4 6", 0, 1 / 3),
        ("a 1 b 2.5 c 1e3", 2, 3 / 6),
        ("no numbers here", 0, 0.0),
        ("", 0, 0.0),
        ("nan inf 1 2", 0, 2 / 4),
        ("-3 -2 -1", 2, 1.0),
    ],
)
def test_increasing_numbers_by_hand(text: str, min_tokens: int, expected: float) -> None:
    score = grue.reward("increasing_numbers", min_tokens=min_tokens).compute(predictions=[text])
    assert score.values == [pytest.approx(expected)]


@given(st.text(), st.integers(0, 50))
def test_increasing_numbers_stay_in_range(text: str, min_tokens: int) -> None:
    (value,) = grue.reward("increasing_numbers", min_tokens=min_tokens).compute(predictions=[text]).values
    assert value is not None
    assert 0 <= value <= 1


@pytest.mark.parametrize(
    ("text", "expected", "of_paper"),
    [
        ("born on 2001-12-31.", 1.0, 1.0),
        ("2001/12/31 or 31-12-2001", 0.0, 0.0),
        ("2001-13-45", 0.0, 1.0),
        ("2023-02-29", 0.0, 1.0),
        ("2024-02-29", 1.0, 1.0),
        ("12001-01-011", 0.0, 0.0),
        ("2001-13-45, then 2001-01-01", 1.0, 1.0),
        ("0000-01-01", 0.0, 1.0),
        ("", 0.0, 0.0),
    ],
)
def test_dates_by_hand(text: str, expected: float, of_paper: float) -> None:
    assert grue.reward("sentences_with_dates").compute(predictions=[text]).values == [expected]
    assert grue.reward("sentences_with_dates", paper=True).compute(predictions=[text]).values == [of_paper]
