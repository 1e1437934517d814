"""Concept coverage: the reference values, the rule lemmatiser and the path through spaCy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from grue.core.metric import Texts
from grue.metrics import coverage
from grue.metrics.api import metric
from grue.metrics.text.lemmas import lemmas

Golden = Callable[[str], tuple[dict[str, Any], list[Any]]]


@dataclass(frozen=True)
class Word:
    lemma_: str


@dataclass(frozen=True)
class Listed:
    """A pipeline that gives listed lemmas, as spaCy's gives words."""

    by_text: dict[str, list[str]]

    def pipe(self, texts: Iterable[str]) -> Iterable[list[Word]]:
        return ([Word(lemma) for lemma in self.by_text[text]] for text in texts)


def _concepts(case: Any, material: Any) -> list[list[str]]:
    if "concepts" in case.raw and isinstance(case.raw["concepts"], list):
        return list(case.raw["concepts"])
    import json

    lines = (material / "golden" / case.raw["data"]).read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["concepts"] for line in lines][: case.raw["n"]]


@pytest.mark.parametrize(("name", "key"), [("coverage", "coverage"), ("coverage_all", "all_covered")])
def test_spacys_lemmas_give_the_reference_values(name: str, key: str, golden: Golden, material: Any) -> None:
    checked = 0
    for case in golden("concept_coverage")[1]:
        expected = case.expected["per_sample"]
        if key not in expected:
            continue
        pipeline = Listed(dict(zip(case.predictions, expected["lemmas"], strict=True)))
        built = coverage.Coverage(name, "spacy", "listed", coverage.from_pipeline(pipeline))
        inputs = [{"concepts": concepts} for concepts in _concepts(case, material)]
        values = built.per_sample(Texts(case.predictions, [[]] * len(inputs), inputs))
        assert values.tolist() == pytest.approx([float(value) for value in expected[key]], abs=1e-9), case.id
        assert values.mean() == pytest.approx(case.expected["corpus"][key], abs=1e-9)
        checked += 1
    assert checked >= 3


def test_the_rule_lemmatiser_agrees_with_spacy_on_nearly_all_concepts(golden: Golden, material: Any) -> None:
    same = total = 0
    for case in golden("concept_coverage")[1]:
        for text, listed, concepts in zip(
            case.predictions, case.expected["per_sample"]["lemmas"], _concepts(case, material), strict=True
        ):
            forms = coverage.builtin([text])[0]
            for concept in coverage.concepts_of({"concepts": concepts}):
                same += any(concept in words for words in forms) == (concept in listed)
                total += 1
    assert total > 1_000
    assert same / total >= 0.98


@pytest.mark.parametrize(
    ("word", "lemma"),
    [
        ("caught", "catch"),
        ("children", "child"),
        ("knives", "knife"),
        ("running", "run"),
        ("riding", "ride"),
        ("hopped", "hop"),
        ("tries", "try"),
        ("boxes", "box"),
        ("skis", "ski"),
        ("tying", "tie"),
        ("bigger", "big"),
        ("leaves", "leaf"),
        ("leaves", "leave"),
        ("geese", "goose"),
        ("buses", "bus"),
        ("carried", "carry"),
    ],
)
def test_forms_have_their_lemma(word: str, lemma: str) -> None:
    assert lemma in lemmas(word)


@pytest.mark.parametrize(
    ("word", "lemma"),
    [
        ("building", "build"),
        ("building", "building"),
        ("sewing", "sewing"),
        ("geese", "goose"),
        ("taxis", "taxi"),
        ("menus", "menu"),
        ("jeans", "jean"),
        ("firefighters", "firefighter"),
        ("lifeboatmen", "lifeboatman"),
        ("underwent", "undergo"),
        ("rebuilt", "rebuild"),
        ("sawn", "saw"),
    ],
)
def test_compound_verbs_foreign_plurals_and_nouns_in_ing_have_their_lemmas(word: str, lemma: str) -> None:
    assert lemma in lemmas(word)


@pytest.mark.parametrize(
    ("word", "other"), [("wedding", "wed"), ("driver", "drive"), ("bus", "bu"), ("king", "k"), ("his", "hi")]
)
def test_other_words_are_no_forms(word: str, other: str) -> None:
    assert other not in lemmas(word)


def test_rows_without_concepts_are_left_out() -> None:
    score = metric("coverage").compute(
        ["a dog", "x", "", "A Dog's"],
        None,
        [{"concepts": ["dog"]}, {}, {"concepts": ["dog"]}, {"concepts": ["dog_N", "ice cream"]}],
    )
    assert score.per_sample == [1.0, None, 0.0, 0.5]
    assert score.n == 3


def test_concepts_may_be_of_several_words() -> None:
    inputs = [{"concepts": ["ice cream", "t-shirt"]}]
    assert metric("coverage").compute(["two ice creams on a t-shirt"], None, inputs).value == 1
    assert metric("coverage").compute(["cream on ice, a shirt"], None, inputs).value == 0


def test_an_explanation_names_the_missing_concepts() -> None:
    built: Any = metric("coverage").built
    (row,) = built.explain(Texts(["dogs ran"], [[]], [{"concepts": ["dog", "cat"]}]))
    assert row.parts[0].matched == ("dog",)
    assert row.parts[0].missing == ("cat",)
    assert row.value == 0.5


def test_spacy_that_is_not_there_makes_the_metric_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "spacy", None)
    coverage._pipeline.cache_clear()
    score = metric("coverage", lemmatizer="spacy").compute(["a"], None, [{"concepts": ["a"]}])
    assert score.value is None
    assert "pip install spacy" in str(score.reason)


@pytest.mark.parametrize("concepts", [None, 5, [], [None], {"a": 1}, ""])
def test_odd_concepts_are_none(concepts: Any) -> None:
    built: Any = metric("coverage_all").built
    assert np.isnan(built.per_sample(Texts(["a"], [[]], [{"concepts": concepts}]))).all()
