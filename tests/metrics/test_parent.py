"""PARENT and ToTTo's BLEU against the evaluation scripts' values, a worked example and laws."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grue.core.errors import UsageError
from grue.metrics.api import metric
from grue.metrics.parent_score import Facts, Rule, Side, best

PARTS = {"": "f_score", "_precision": "precision", "_recall": "recall"}
SUBSETS = {"": "overall", "_overlap": "overlap", "_nonoverlap": "non_overlap"}
CASES = ("model_output", "first_reference", "shuffled_reference", "half_reference", "hallucinated", "one_empty")
WORDS = st.lists(st.sampled_from(["jo", "doe", "3", "goals", "apps", "x"]), max_size=9)
TABLE = [
    [{"value": "Season", "is_header": True}, {"value": "Goals", "is_header": True}],
    [{"value": "1999", "is_header": True}, {"value": "3 | 4", "is_header": False}],
]
ROW = {"table": TABLE, "highlighted_cells": [[1, 1]], "table_page_title": "Jo Doe", "table_section_title": "Career"}


def golden(material: Path, name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((material / "golden" / f"{name}.json").read_text())
    return document


@pytest.mark.parametrize("case", CASES)
def test_arithmetic_on_tokens_is_the_scripts(material: Path, case: str) -> None:
    document = golden(material, "parent_core")
    first = document["cases"][0]
    found = next(one for one in document["cases"] if one["id"] == case)
    columns = [found.get(key, first.get(key)) for key in ("references", "precision_tables", "recall_tables")]
    for key, expected in found["expected"]["per_sample"].items():
        name, kind = key.split("/")
        rule = Rule(0.5 if "0.5" in name else None, 2 if "order2" in name else 4)
        scores = []
        for words, references, said, recalled in zip(found["predictions"], *columns, strict=True):
            facts = Facts(
                frozenset(word for _, value in said for word in value), tuple(tuple(value) for _, value in recalled)
            )
            kept = references if kind == "multi" else references[:1]
            sides = [Side.of(one, rule.max_order) for one in kept]
            scores.append(best(Side.of(words, rule.max_order), sides, facts, rule)[0])
        assert [score.f for score in scores] == pytest.approx(expected, abs=1e-9)
        corpus = found["expected"]["corpus"][key]
        for part, word in (("precision", "precision"), ("recall", "recall"), ("f", "f_score")):
            mean = sum(getattr(score, part) for score in scores) / len(scores)
            assert mean == pytest.approx(corpus[word], abs=1e-9), (key, part)


@pytest.mark.parametrize("case", CASES)
def test_the_whole_way_from_raw_tables_is_the_scripts(material: Path, case: str) -> None:
    found = next(one for one in golden(material, "parent_totto")["cases"] if one["id"] == case)
    rows = [json.loads(line) for line in (material / "golden" / found["data"]).read_text().splitlines()]
    references = [[one["final_sentence"] for one in row["sentence_annotations"]] for row in rows]
    corpus = found["expected"]["corpus"]
    for subset, word in SUBSETS.items():
        for part, key in PARTS.items():
            score = metric(f"parent{part}{subset}").compute(found["predictions"], references, rows)
            assert score.value == pytest.approx(corpus[f"parent_{word}"][key], abs=1e-9)
        bleu = metric(f"bleu_totto{subset}").compute(found["predictions"], references, rows)
        assert bleu.value == pytest.approx(corpus[f"bleu_full_{word}"], abs=1e-9)
        assert bleu.value == pytest.approx(corpus[f"bleu_{word}"], abs=6e-4)
    rows_f = metric("parent").compute(found["predictions"], references, rows).per_sample
    assert rows_f == pytest.approx(found["expected"]["per_sample"]["parent_overall/f_score"], abs=1e-9)


def test_the_public_example() -> None:
    """Precision values 12 | 3 | apps | goals | jo doe, recall values 12 | 3 | jo doe."""
    facts = Facts(frozenset(["12", "3", "apps", "goals", "jo", "doe"]), (("12",), ("3",), ("jo", "doe")))
    said = Side.of(["jo", "doe", "scored", "3", "goals", "in", "12", "games"], 4)
    texts = ("jo doe made 12 appearances and scored 3 goals", "doe scored 3 goals in 12 apps", "<null>")
    references = [Side.of(text.split(), 4) for text in texts]
    all_three = best(said, references, facts, Rule())[0]
    assert (all_three.precision, all_three.recall, all_three.f) == pytest.approx(
        (0.870994, 0.803117, 0.835680), abs=1e-6
    )
    alone = best(said, references[:1], facts, Rule())[0]
    assert (alone.precision, alone.recall, alone.f) == pytest.approx((0.694127, 0.034329, 0.065423), abs=1e-6)


@settings(deadline=None)
@given(WORDS, st.lists(WORDS, min_size=1, max_size=3), st.lists(WORDS, max_size=3), st.randoms())
def test_scores_stay_in_range_and_the_order_of_references_does_not_matter(
    words: list[str], references: list[list[str]], values: list[list[str]], random: Any
) -> None:
    facts = Facts(frozenset(word for value in values for word in value), tuple(tuple(v) for v in values if v))
    said, sides = Side.of(words, 4), [Side.of(one, 4) for one in references]
    score = best(said, sides, facts, Rule())[0]
    assert 0 <= score.precision <= 1 + 1e-12
    assert 0 <= score.recall <= 1 + 1e-12
    assert 0 <= score.f <= 1 + 1e-12
    random.shuffle(sides)
    assert best(said, sides, facts, Rule())[0].f == score.f
    more = best(said, [*sides, said], facts, Rule())[0]
    assert more.f >= score.f - 1e-12


@given(WORDS.filter(bool), WORDS.filter(bool))
def test_mentions_are_longest_common_subsequences(text: list[str], value: list[str]) -> None:
    table = np.zeros((len(text) + 1, len(value) + 1), dtype=int)
    for i, left in enumerate(text):
        for j, right in enumerate(value):
            table[i + 1, j + 1] = table[i, j] + 1 if left == right else max(table[i, j + 1], table[i + 1, j])
    assert Side.of(text, 1).mentioned(value) == pytest.approx(table[-1, -1] / len(value))


def test_rows_without_a_table_have_no_value_and_the_reason_names_what_is_needed() -> None:
    score = metric("parent").compute(["a", "b"], [["a"], ["b"]], [{}, {"table": "none", "highlighted_cells": []}])
    assert (score.value, score.n) == (None, 0)
    assert "highlighted_cells" in str(score.reason)
    mixed = metric("parent").compute(["jo doe scored 3", "b"], [["jo doe scored 3"], ["b"]], [ROW, {}])
    assert mixed.n == 1
    assert mixed.per_sample is not None
    assert mixed.per_sample[1] is None


def test_subsets_without_rows_have_no_value() -> None:
    rows = [{**ROW, "overlap_subset": "True"}]
    for name in ("parent", "bleu_totto"):
        assert metric(f"{name}_overlap").compute(["jo doe"], [["jo doe"]], rows).value is not None
        score = metric(f"{name}_nonoverlap").compute(["jo doe"], [["jo doe"]], rows)
        assert (score.value, score.n) == (None, 0)
        assert "subset" in str(score.reason)
    boolean = [{**ROW, "overlap_subset": False}]
    assert metric("parent_nonoverlap").compute(["jo doe"], [["jo doe"]], boolean).n == 1


@pytest.mark.parametrize(
    "row",
    [
        {**ROW, "highlighted_cells": [[9, 9], ["x", None], 3]},
        {**ROW, "table": [[None, 3, {"value": None}], "row"]},
        {**ROW, "table_page_title": None, "table_section_title": 4},
        {"table": [], "highlighted_cells": []},
    ],
    ids=["positions", "cells", "titles", "empty"],
)
@pytest.mark.parametrize("text", ["", " \n ", "\ud800", "jo\x00doe", "日本語", "x" * 100_000], ids=ascii)
def test_odd_tables_and_texts_have_values_in_range(row: dict[str, Any], text: str) -> None:
    for name in ("parent", "parent_precision", "parent_recall", "bleu_totto"):
        [value] = metric(name).compute([text], [["jo doe scored", text]], [row]).per_sample or [None]
        assert value is not None
        assert 0 <= value <= 1 + 1e-9


def test_a_newline_in_a_prediction_is_a_blank() -> None:
    values = [metric("parent").compute([text], [["jo doe scored 3"]], [ROW]).value for text in ("jo\ndoe", "jo doe")]
    assert values[0] == values[1]


def test_a_text_too_long_to_compare_fails_with_its_size() -> None:
    with pytest.raises(ValueError, match="250,001 words"):
        metric("parent").compute(["x " * 250_001], [["jo"]], [ROW])


@pytest.mark.parametrize("value", ["often", "-1", "1.5"])
def test_a_weight_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(UsageError, match="lambda"):
        metric("parent", **{"lambda": value})


def test_settings_stand_in_the_signature_and_change_the_value() -> None:
    plain = metric("parent").compute(["jo doe scored"], [["jo doe scored 3 goals"]], [ROW])
    fixed = metric("parent", **{"lambda": 0.5}).compute(["jo doe scored"], [["jo doe scored 3 goals"]], [ROW])
    assert plain.value != fixed.value
    assert "lambda:reference" in str(plain.signature)
    assert "lambda:0.5" in str(fixed.signature)


def test_an_explanation_names_cells_and_words() -> None:
    from grue.core.metric import Explains, Texts
    from grue.core.task import MetricSpec
    from grue.metrics.build import build

    built = build(MetricSpec("parent"))
    assert isinstance(built, Explains)
    [found] = built.explain(Texts(["Jo Doe scored 7 goals."], [["Jo Doe scored 3 goals."]], [ROW]))
    cells, words = found.parts
    assert cells.matched == ("Jo Doe",)
    assert cells.missing == ("3 - 4", "Career")
    assert words.extra == ("7",)
    assert found.value == pytest.approx(
        metric("parent").compute(["Jo Doe scored 7 goals."], [["Jo Doe scored 3 goals."]], [ROW]).value
    )
