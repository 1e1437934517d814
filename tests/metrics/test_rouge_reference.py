"""ROUGE against the values that rouge-score gave, and its parts against the library's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
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


TEXT = st.text(alphabet=st.one_of(st.characters(codec="utf-8"), st.sampled_from("aaabbc  e\n\nsing.")), max_size=60)


@pytest.mark.long
@given(st.lists(TEXT, min_size=1, max_size=3), TEXT, st.booleans())
@settings(max_examples=2000, deadline=None)
def test_all_types_equal_the_library_on_many_texts(references: list[str], prediction: str, use_stemmer: bool) -> None:
    expected = rouge_scorer.RougeScorer(list(NAMES), use_stemmer=use_stemmer).score_multi(references, prediction)
    for name in NAMES:
        got = grue.metric(name, use_stemmer=use_stemmer).compute([prediction], [references])
        assert got.value == pytest.approx(expected[name].fmeasure, abs=1e-12)


def test_the_bootstrap_lies_within_the_spread_of_the_references(golden: Callable[[str], Any]) -> None:
    _, cases = golden("rouge_bootstrap")
    compared = 0
    for case in cases:
        for rule, references in (("multi_max", "max"), ("first_ref", "first")):
            for name in NAMES:
                expected = case.expected["corpus"][rule][name]
                plain = grue.metric(name, references=references).compute(case.predictions, case.references)
                assert plain.value == pytest.approx(expected["mean"], abs=1e-9), (case.id, name)
                mid = grue.metric(name, references=references, bootstrap=True)
                value = mid.compute(case.predictions, case.references).value
                seeds = expected["bootstrap_mid_by_seed"]
                assert value is not None
                assert min(seeds) - 0.002 <= value <= max(seeds) + 0.002, (case.id, name)  # tolerance of its README
                compared += 1
    assert compared >= 16


def test_the_printed_list_is_scored_as_one_text() -> None:
    references = ["in 2016 al appeared in two episodes.", "al had two episodes in 2016."]
    prediction = "al appeared in two episodes in 2016."
    expected = rouge_scorer.RougeScorer(["rouge1"], use_stemmer=True).score(str(references), prediction)
    got = grue.metric("rouge1", printed_list=True).compute([prediction], [references])
    assert got.value == pytest.approx(expected["rouge1"].fmeasure, abs=1e-12)
    first = grue.metric("rouge1", printed_list=True, references="first").compute([prediction], [references])
    assert first.value == grue.metric("rouge1", references="first").compute([prediction], [references]).value


@given(WORDS, WORDS)
def test_long_texts_are_reduced_without_changing_the_subsequence(reference: list[str], hypothesis: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lcs, "SHORT", 0)
        table = rouge_scorer._lcs_table(reference, hypothesis)
        assert lcs.length(reference, hypothesis) == table[-1][-1]
        assert lcs.indices(reference, hypothesis)[::-1] == rouge_scorer.lcs_ind(reference, hypothesis)


@pytest.mark.parametrize("name", ["rougeL", "rougeLsum"])
def test_a_subsequence_beyond_reach_is_refused_by_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lcs, "MOST_CELLS", 1000)
    prediction, reference = " ".join("ab" * 2500), " ".join("ba" * 2500)
    with pytest.raises(ValueError, match="too long for a longest common"):
        grue.metric(name).compute([prediction], [[reference]])


def test_many_lines_that_all_differ_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grue.metrics.rouge_words.MOST_STEPS", 1000)
    text = "\n".join(f"a w{index}" for index in range(100))
    with pytest.raises(ValueError, match="100 and 100 lines"):
        grue.metric("rougeLsum").compute([text], [[text]])
    equal_lines = "\n".join(["a b"] * 100)
    assert grue.metric("rougeLsum").compute([equal_lines], [[equal_lines]]).value == 1
