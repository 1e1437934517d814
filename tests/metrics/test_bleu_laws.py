"""Laws of SacreBLEU, chrF, TER and the NMT script's BLEU on generated text."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import grue
from grue.core.metric import Texts
from grue.core.task import MetricSpec
from grue.metrics.build import build

NAMES = ("sacrebleu", "bleu", "chrf", "chrf++", "ter")
WORDS = st.sampled_from(
    ["a", "dog", "runs", "the", "é", "e\u0301", "中文", "\u00a0", "park,", "x.", "😀", "\ud800", "3-4"]
)
TEXT = st.lists(WORDS, max_size=9).map(" ".join)
ROWS = st.lists(st.tuples(TEXT, st.lists(TEXT, min_size=1, max_size=3)), min_size=1, max_size=6)
QUICK = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(max_examples=2_000, deadline=None, suppress_health_check=list(HealthCheck))
Rows = list[tuple[str, list[str]]]


def _score(name: str, rows: Rows, **chosen: Any) -> Any:
    return grue.metric(name, **chosen).compute([row[0] for row in rows], [row[1] for row in rows])


@pytest.mark.parametrize("name", NAMES)
@QUICK
@given(rows=ROWS, data=st.data())
def test_order_of_rows_and_references_does_not_matter(name: str, rows: Rows, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(rows))))
    turned = [(rows[index][0], rows[index][1][::-1]) for index in order]
    straight, other = _score(name, rows), _score(name, turned)
    assert other.per_sample == pytest.approx([straight.per_sample[index] for index in order], abs=1e-9)
    if not name.startswith("chrf"):
        # Of two equally good references chrF adds up the first one's counts.
        assert other.value == pytest.approx(straight.value, abs=1e-9)


@pytest.mark.parametrize("name", NAMES)
@QUICK
@given(rows=ROWS)
def test_values_stay_in_their_range(name: str, rows: Rows) -> None:
    score = _score(name, rows)
    top = math.inf if name == "ter" else score.scale
    assert all(0 <= value <= top + 1e-9 for value in (score.value, *score.per_sample))


@pytest.mark.parametrize("name", NAMES)
@QUICK
@given(rows=ROWS)
def test_added_statistics_give_the_corpus_value_and_single_rows_their_own(name: str, rows: Rows) -> None:
    built: Any = build(MetricSpec(name))
    statistics = built.statistics(Texts([row[0] for row in rows], [row[1] for row in rows], [{}] * len(rows)))
    parts = [built.statistics(Texts([row[0]], [row[1]], [{}]))[0] for row in rows]
    assert statistics.tolist() == [part.tolist() for part in parts]
    assert float(built.corpus_value(sum(parts))) == pytest.approx(_score(name, rows).value, abs=1e-9)
    alone = {"effective_order": True} if name == "sacrebleu" else {}
    values = [_score(name, [row], **alone).value for row in rows]
    assert built.sample_values(statistics).tolist() == pytest.approx(values, abs=1e-9)


@pytest.mark.parametrize("name", NAMES)
@QUICK
@given(rows=ROWS)
def test_a_prediction_equal_to_a_reference_is_not_beaten(name: str, rows: Rows) -> None:
    given_texts = _score(name, rows).per_sample
    same = _score(name, [(row[1][0], row[1]) for row in rows]).per_sample
    if name == "ter":
        assert same == [0.0] * len(rows)
    elif name != "bleu":  # unsmoothed, and 0 for fewer than four words
        triples = zip(given_texts, same, rows, strict=True)
        assert all(best + 1e-9 >= mine or not row[1][0].strip() for mine, best, row in triples)


def _nmt_statistics(text: str, references: list[str], order: int) -> list[int]:
    """What `compute_bleu` of tensorflow/nmt adds up for a row, from its definition."""
    words, others = text.split(), [reference.split() for reference in references]
    hits, totals = [], []
    for n in range(1, order + 1):
        mine = Counter(zip(*(words[start:] for start in range(n)), strict=False))
        asked: Counter[tuple[str, ...]] = Counter()
        for other in others:
            asked |= Counter(zip(*(other[start:] for start in range(n)), strict=False))
        hits.append((mine & asked).total())
        totals.append(max(len(words) - n + 1, 0))
    return [len(words), min(map(len, others)), *hits, *totals]


def _same_as_the_definition(rows: Rows, order: int) -> None:
    built: Any = build(MetricSpec("bleu", {"max_order": order}))
    found = built.statistics(Texts([row[0] for row in rows], [row[1] for row in rows], [{}] * len(rows)))
    assert found.tolist() == [_nmt_statistics(*row, order) for row in rows]


@QUICK
@given(rows=ROWS, order=st.integers(1, 6))
def test_bleus_statistics_are_those_of_its_definition(rows: Rows, order: int) -> None:
    _same_as_the_definition(rows, order)


@pytest.mark.long
@LONG
@given(rows=ROWS, order=st.integers(1, 6))
def test_bleus_statistics_are_those_of_its_definition_in_many_cases(rows: Rows, order: int) -> None:
    _same_as_the_definition(rows, order)


def test_the_specifications_examples_come_out() -> None:
    # Specification, golden example 9.
    predictions = ["Der Hund läuft im Park.", "Sie hat zwei Katzen."]
    references = [["Der Hund rennt im Park."], ["Sie hat zwei schwarze Katzen."]]
    expected = {"chrf": 57.6326, "chrf++": 61.5027, "ter": 20.0, "sacrebleu": 33.1231}
    for name, value in expected.items():
        assert grue.metric(name).compute(predictions, references).value == pytest.approx(value, abs=5e-5)
    intl = grue.metric("sacrebleu", paper=True)
    assert intl.compute(predictions, references).value == pytest.approx(33.1231, abs=5e-5)
    assert intl.compute(predictions[1:], references[1:]).value == pytest.approx(40.9365, abs=5e-5)
    ter = grue.metric("ter").compute(["DER hund läuft im Park ."], [["Der Hund läuft im Park."]])
    assert ter.value == pytest.approx(40.0)


@pytest.mark.parametrize("name", ["sacrebleu", "bleu", "chrf", "chrf++"])
def test_a_million_words_and_a_word_of_a_million_letters_have_values(name: str) -> None:
    texts = ["a b c d e " * 200_000, "x" * 10**6]
    score = grue.metric(name).compute(texts, [[text] for text in texts])
    assert score.per_sample is not None
    assert score.per_sample[0] == pytest.approx(score.scale)
