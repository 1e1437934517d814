"""ROUGE against the values that rouge-score gave, and its parts against the library's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score import rouge_scorer, tokenizers

import grue
from grue.metrics.rouge_words import split_words
from grue.metrics.text import lcs

NAMES = ("rouge1", "rouge2", "rougeL", "rougeLsum")
WORDS = st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), max_size=40)


@pytest.mark.parametrize("stem", ["stem", "nostem"])
@pytest.mark.parametrize(("references", "rule"), [("max", "multi_max"), ("first", "first_ref")])
def test_rouge_equals_the_library(golden: Callable[[str], Any], stem: str, references: str, rule: str) -> None:
    _, cases = golden("rouge")
    compared = 0
    for case in cases:
        expected = case.expected["corpus"].get(f"{stem}/{rule}")
        if expected is None or "error" in expected:
            continue
        rows = case.expected["per_sample"][f"{stem}/{rule}"]
        for name in NAMES:
            metric = grue.metric(name, use_stemmer=stem == "stem", references=references)
            score = metric.compute(case.predictions, case.references)
            assert score.value == pytest.approx(expected[name][2], abs=1e-9), (case.id, name)
            wanted = [triple[2] for triple in rows[name]]
            assert score.per_sample[: len(wanted)] == pytest.approx(wanted, abs=1e-9), (case.id, name)
            compared += 1
    assert compared > 100


@pytest.mark.parametrize(("key", "use_stemmer"), [("rouge_stem", True), ("rouge_nostem", False)])
def test_words_are_those_of_the_reference(golden: Callable[[str], Any], key: str, use_stemmer: bool) -> None:
    _, cases = golden("tokenizers")
    for case in cases:
        words = split_words(case.predictions[0], use_stemmer=use_stemmer)
        assert list(words) == case.expected["tokens"][key], case.id


@given(WORDS, WORDS)
def test_a_subsequence_from_bit_vectors_is_the_librarys(reference: list[str], hypothesis: list[str]) -> None:
    table = rouge_scorer._lcs_table(reference, hypothesis)
    assert lcs.length(reference, hypothesis) == table[-1][-1]
    assert lcs.indices(reference, hypothesis)[::-1] == rouge_scorer.lcs_ind(reference, hypothesis)


@given(st.text(alphabet=st.one_of(st.characters(codec="utf-8"), st.sampled_from("aeinrstyİIß 's-.\n")), max_size=60))
def test_words_and_cached_stems_are_the_librarys(text: str) -> None:
    for use_stemmer in (True, False):
        expected = tokenizers.DefaultTokenizer(use_stemmer).tokenize(text)
        assert list(split_words(text, use_stemmer=use_stemmer)) == expected


@given(
    st.lists(
        st.lists(st.sampled_from(["running", "runs", "cat", "cats", "the", "\n"]), max_size=25), min_size=1, max_size=3
    ),
    st.lists(st.sampled_from(["running", "runs", "cat", "cats", "the", "\n"]), max_size=25),
)
def test_all_types_equal_the_library_on_any_texts(references: list[list[str]], prediction: list[str]) -> None:
    texts = [" ".join(words) for words in references]
    scorer = rouge_scorer.RougeScorer(list(NAMES), use_stemmer=True)
    expected = scorer.score_multi(texts, " ".join(prediction))
    for name in NAMES:
        got = grue.metric(name).compute([" ".join(prediction)], [texts])
        assert got.value == pytest.approx(expected[name].fmeasure, abs=1e-12)
