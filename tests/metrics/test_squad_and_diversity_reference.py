"""EM, F1 and the diversity family against the values of their reference scripts."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

import grue
from grue.metrics.text import words

# Name of the reference -> ours; MSTTR and lengths apart.
NAMES = {
    **{f"distinct-{n}": f"distinct_{n}" for n in (1, 2, 3)},
    **{f"unique-{n}": f"unique_{n}" for n in (1, 2, 3)},
    **{f"entropy-{n}": f"entropy_{n}" for n in (1, 2, 3)},
    **{f"cond_entropy-{n}": f"cond_entropy_{n}" for n in (2, 3)},
    "vocab_size-1": "vocab_size",
    "mean_pred_length": "mean_length",
}


@pytest.mark.parametrize(("name", "key"), [("exact_match", "squad1_exact"), ("f1", "squad1_f1")])
def test_answers_are_scored_as_by_the_squad_script(golden: Callable[[str], Any], name: str, key: str) -> None:
    _, cases = golden("squad_em_f1")
    for case in cases:
        score = grue.metric(name).compute(case.predictions, case.references)
        assert score.value == pytest.approx(case.expected["corpus"][key], abs=1e-9), case.id
        rows = case.expected["per_sample"][key]
        assert score.per_sample[: len(rows)] == pytest.approx(rows, abs=1e-9), case.id
    assert len(cases) > 30


@pytest.mark.usefixtures("punkt")
@pytest.mark.parametrize("punctuation", [True, False])
def test_diversity_equals_gem_metrics_on_nltk_words(golden: Callable[[str], Any], punctuation: bool) -> None:
    _, cases = golden("diversity")
    compared = 0
    for case in cases:
        corpus = case.expected["corpus"]
        for theirs, ours in NAMES.items():
            expected = corpus.get(theirs if punctuation else f"{theirs}-nopunct")
            if expected is None:
                continue
            score = grue.metric(ours, tokenize="nltk", punctuation=punctuation).compute(case.predictions)
            assert score.value == pytest.approx(expected, abs=1e-9), (case.id, ours)
            compared += 1
    assert compared > 400


@pytest.mark.usefixtures("punkt")
@pytest.mark.parametrize("segment", [100, 20])
def test_msttr_equals_gem_metrics(golden: Callable[[str], Any], segment: int) -> None:
    _, cases = golden("diversity")
    known = 0
    for case in cases:
        for punctuation, suffix in ((True, ""), (False, "_nopunct")):
            expected = case.expected["corpus"][f"msttr-{segment}{suffix}"]
            metric = grue.metric("msttr", tokenize="nltk", segment=segment, punctuation=punctuation)
            value = metric.compute(case.predictions).value
            if expected == "nan":
                assert value is None, case.id
            else:
                assert value == pytest.approx(expected, abs=1e-5), case.id  # the reference rounds to 5 digits
                known += 1
    assert known > 5


@pytest.mark.usefixtures("punkt")
def test_nltk_words_are_those_of_the_reference(golden: Callable[[str], Any]) -> None:
    _, cases = golden("tokenizers")
    for case in cases:
        expected = [word.lower() for word in case.expected["tokens"]["nltk_word_tokenize"]]
        assert words.split_all(case.predictions, "nltk", punctuation=True) == [expected], case.id


def test_diversity_on_the_specifications_token_lists() -> None:
    # Specification, golden example 7: [a b a .], [b c a].
    expected = {
        "distinct_1": 0.571429,
        "vocab_size": 4,
        "unique_1": 2,
        "entropy_1": 1.842371,
        "distinct_2": 1.0,
        "unique_2": 5,
        "entropy_2": 2.321928,
        "cond_entropy_2": 0.548558,
    }
    for name, value in expected.items():
        score = grue.metric(name, tokenize="whitespace").compute(["a b a .", "b c a"])
        assert score.value == pytest.approx(value, abs=1e-6), name
    assert grue.metric("msttr").compute(["a b a .", "b c a"]).value is None


def test_entropy_of_one_word_is_zero_and_not_minus_zero() -> None:
    value = grue.metric("entropy_1").compute(["dog", "dog"]).value
    assert value == 0
    assert math.copysign(1, value) == 1
