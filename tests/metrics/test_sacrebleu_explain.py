"""What BLEU, chrF and TER say of a row, worked by hand."""

from __future__ import annotations

from typing import Any

import pytest

from grue.core.metric import Explanation, Texts
from grue.core.task import MetricSpec
from grue.metrics.api import metric
from grue.metrics.build import build

NAMES = ("sacrebleu", "bleu", "chrf", "chrf++", "ter")


def explain(name: str, text: str, references: list[str], **chosen: Any) -> Explanation:
    built: Any = build(MetricSpec(name, chosen))
    return built.explain(Texts([text], [references], [{}]))[0]


def parts(found: Explanation) -> dict[str, tuple[tuple[str, ...], ...]]:
    return {part.kind: (part.matched, part.missing, part.extra) for part in found.parts}


def test_bleu_lists_ngrams_that_counted_and_those_that_did_not() -> None:
    found = explain("sacrebleu", "the cat sat sat.", ["the cat sat down.", "a dog"])
    shown = parts(found)
    # 13a cuts the full stop off; the second "sat" is one more than any reference has.
    assert shown["words"] == (("the", "cat", "sat", "."), ("down",), ("sat",))
    assert shown["2-grams"] == (("the cat", "cat sat"), ("sat down", "down ."), ("sat sat", "sat ."))
    assert shown["4-grams"] == ((), ("the cat sat down", "cat sat down ."), ("the cat sat sat", "cat sat sat ."))
    assert "precisions 4/5, 2/4, 1/3, 0/2" in found.summary
    assert found.reference is None


def test_bleu_of_the_nmt_script_names_the_shortest_reference() -> None:
    found = explain("bleu", "a b", ["a b c d e", "a b c d"])
    # exp(1 - 4 / 2) = 0.368
    assert "brevity penalty 0.368 (2 words, shortest reference 4)" in found.summary
    assert found.value == 0


def test_chrf_names_the_reference_that_counted_and_shares_by_order() -> None:
    found = explain("chrf", "abcd", ["xyz", "abc"], char_order=2)
    # Of the letters abcd and abc three are shared; of ab bc cd and ab bc two.
    assert found.reference == 1
    assert "1: 3 of 4 and of 3; 2: 2 of 3 and of 2" in found.summary
    assert parts(found) == {"words": ((), ("abc",), ("abcd",))}
    assert "word 1: 0 of 1 and of 1" in explain("chrf++", "abcd", ["abc"]).summary


def test_ter_lists_each_kind_of_edit() -> None:
    found = explain("ter", "a b c d e f", ["x", "a d e b c f"])
    assert found.reference == 1
    assert parts(found)["shifts"][2] in {("b c",), ("d e",)}
    assert "1 edits (1 of them shifts)" in found.summary
    # Mean of 1 and 6 reference words.
    assert found.value == pytest.approx(100 / 3.5)
    found = explain("ter", "one two three", ["one 2 three four"])
    assert parts(found)["substitutions"] == ((), (), ("two → 2",))
    assert parts(found)["insertions"] == ((), ("four",), ())
    assert parts(found)["words kept"] == (("one", "three"), (), ())
    assert parts(explain("ter", "one two", ["one"]))["deletions"] == ((), (), ("two",))


def test_ter_of_texts_beyond_reach_says_so() -> None:
    found = explain("ter", "a b " * 10_000, ["b a"])
    assert found.value is None
    assert "too long for TER" in found.summary
    assert found.parts == ()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", ["", " \n", "\ud800", "\x00", "中文", "a " * 5000])
def test_odd_rows_have_the_value_they_are_scored_with(name: str, text: str) -> None:
    for references in (["the cat"], ["", "the cat"], [text]):
        score = metric(name).compute([text], [references])
        assert score.per_sample is not None
        assert explain(name, text, references).value == pytest.approx(score.per_sample[0])
    assert explain(name, text, []).value is None
