"""How ToTTo's texts are joined again before they are scored: Moses' English rules, worked by hand and by sacremoses."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from grue.metrics.api import metric
from grue.metrics.parent_inputs import facts_of
from grue.metrics.text.detokenize import detokenize

# Words on which sacremoses keeps to the Perl program: it lets 's lean on any word, and parts at every white space.
WORDS = ["a", "jones", "12", "(", ")", "[", "$", "€", ",", ".", "...", "%", '"', "``", "''", "`", "é", "&", "&amp;"]
WORDS += ["&quot;", "&#91;", "&bar;", "@-@", "猫", "犬が", "한국", "-", "x)", "(x", "¿", "„"]


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ("", ""),
        ("<null>", "<null>"),
        ("a ( b ) , c .", "a (b), c."),
        ("it cost $ 5 , or 3 % .", "it cost $5, or 3%."),
        ('he said " no " twice', 'he said "no" twice'),
        ("bob 's dog isn 't here", "bob's dog isn't here"),
        ("- 's", "- 's"),
        ("the jones ' house", "the jones' house"),
        ("well @-@ known", "well-known"),
        ("a  b   c", "a b c"),
        ("x &lt; y &amp; z", "x < y & z"),
        ("猫 犬 cat", "猫犬 cat"),
        ("cell|||a ( b )\tcell|||c", "cell|||a (b )\tcell|||c"),  # a tab parts no tokens
    ],
)
def test_tokens_are_joined_by_the_rules(tokens: str, text: str) -> None:
    assert detokenize(tokens) == text


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=12))
@examples(max_examples=60, deadline=None)
def test_joining_equals_sacremoses(words: list[str]) -> None:
    sacremoses = pytest.importorskip("sacremoses")
    joined = sacremoses.MosesDetokenizer("en").detokenize(words)
    assert detokenize(" ".join(words)) == joined


@pytest.mark.long
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=20))
@examples(max_examples=2500, deadline=None)
def test_joining_equals_sacremoses_on_many_texts(words: list[str]) -> None:
    sacremoses = pytest.importorskip("sacremoses")
    joined = sacremoses.MosesDetokenizer("en").detokenize(words)
    assert detokenize(" ".join(words)) == joined


@given(st.text(max_size=60))
@examples(max_examples=60, deadline=None)
def test_any_text_is_joined_without_a_double_blank(text: str) -> None:
    joined = detokenize(text)
    assert not text.strip() or "<" in text or "  " not in joined


def row(value: str, title: str = "Jo Doe") -> dict[str, object]:
    cells = [[{"value": value, "is_header": False, "column_span": 1, "row_span": 1}]]
    return {"table": cells, "highlighted_cells": [[0, 0]], "table_page_title": title, "table_section_title": ""}


def test_tokenised_and_plain_texts_have_one_value() -> None:
    inputs = [row("Bob's dog (5%)")]
    plain = metric("parent").compute(["Bob's dog, 5%."], [["Bob's dog won 5%."]], inputs)
    tokenised = metric("parent").compute(["bob 's dog , 5 % ."], [["Bob 's dog won 5 % ."]], inputs)
    assert plain.value is not None
    assert tokenised.value == plain.value


def test_a_line_break_inside_a_text_is_a_blank() -> None:
    inputs = [row("12\n3"), row("12\t3")]
    score = metric("parent").compute(["12\n3 goals", "12 3 goals"], [["12 3\r\ngoals"], ["12 3 goals"]], inputs)
    assert score.per_sample is not None
    assert score.per_sample[0] == score.per_sample[1]


def test_a_bar_inside_a_value_is_a_hyphen_and_the_words_are_the_tables() -> None:
    facts = facts_of(row("3 | 4"))  # type: ignore[arg-type]
    assert facts is not None
    assert facts.recalled == (("3", "-", "4"), ("jo", "doe"))
    assert facts.words == {"3", "-", "4", "jo", "doe"}


@pytest.fixture(scope="module")
def script() -> ModuleType:
    path = Path(__file__).resolve().parents[2] / "bench" / "metric_parent_script.py"
    spec = importlib.util.spec_from_file_location("_parent_script", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# No word that the detokeniser moves: the plain rendition leaves that step out.
LINES = st.lists(st.sampled_from(["jo", "doe", "3", "goals", "7,230", "é", "x-y", "u/s", "the"]), max_size=9).map(
    " ".join
)
ROWS = st.tuples(LINES, st.lists(LINES, min_size=1, max_size=3), LINES, LINES, LINES)


def compare_with(script: ModuleType, drawn: tuple[str, list[str], str, str, str]) -> None:
    text, references, first, second, title = drawn
    # Blank references stand for the null text in ours; the script's files cannot hold them.
    references = [reference or "jo" for reference in references]
    cells = [[{"value": first, "is_header": True}, {"value": second, "is_header": False}]]
    given = {"table": cells, "highlighted_cells": [[0, 1]], "table_page_title": title, "table_section_title": "goals"}
    inputs = {**given, "table_section_text": ""}
    ((precision, recall, f),) = script.parent([text], [references], [inputs])
    for name, expected in (("parent_precision", precision), ("parent_recall", recall), ("parent", f)):
        value = metric(name).compute([text], [references], [inputs]).value
        assert value == pytest.approx(expected, abs=1e-12)


@given(drawn=ROWS)
@examples(max_examples=60, deadline=None)
def test_parent_equals_the_plain_rendition(script: ModuleType, drawn: tuple[str, list[str], str, str, str]) -> None:
    compare_with(script, drawn)


@pytest.mark.long
@given(drawn=ROWS)
@examples(max_examples=2500, deadline=None)
def test_parent_equals_the_plain_rendition_on_many_rows(
    script: ModuleType, drawn: tuple[str, list[str], str, str, str]
) -> None:
    compare_with(script, drawn)
