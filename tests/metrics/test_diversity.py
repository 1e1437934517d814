"""Diversity, repetition and copying: packed counts against plain counting, laws, odd texts, explanations."""

from __future__ import annotations

import math
import random
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import grue
from grue.core.metric import Digests, Texts
from grue.metrics import word_counts
from grue.metrics.build import names
from grue.metrics.card import card
from grue.metrics.diversity import CARDS

ROWS = st.lists(st.lists(st.sampled_from("abcdefg"), max_size=12).map(" ".join), max_size=30)
MEASURES = (*CARDS,)


def plain(rows: list[list[str]], segment: int) -> dict[str, float]:
    """The definitions of the specification, section 0.7, on tuples and counters."""
    counts: dict[int, Counter[tuple[str, ...]]] = {
        n: Counter(tuple(row[at : at + n]) for row in rows for at in range(len(row) - n + 1)) for n in (1, 2, 3)
    }
    out: dict[str, float] = {"vocab_size": len(counts[1])}
    for n, found in counts.items():
        total = sum(found.values())
        out[f"distinct_{n}"] = len(found) / total if total else 0.0
        out[f"unique_{n}"] = sum(1 for times in found.values() if times == 1)
        out[f"entropy_{n}"] = -math.fsum(times / total * math.log2(times / total) for times in found.values())
        if n > 1:
            shorter = sum(counts[n - 1].values())
            out[f"cond_entropy_{n}"] = -math.fsum(
                times / total * math.log2((times / total) / (counts[n - 1][gram[:-1]] / shorter))
                for gram, times in found.items()
            )
    line = [word for row in rows for word in row]
    blocks = [line[at : at + segment] for at in range(0, len(line) - segment + 1, segment)]
    out["msttr"] = sum(len(set(block)) / segment for block in blocks) / len(blocks) if blocks else math.nan
    return out


def values(rows: list[str], segment: int = 5) -> dict[str, float]:
    found = {}
    for name in MEASURES:
        value = grue.metric(name, tokenize="whitespace", segment=segment).compute(rows).value
        found[name] = math.nan if value is None else value
    return found


def check(rows: list[str]) -> None:
    expected = plain([row.split() for row in rows], 5)
    assert set(expected) == set(MEASURES)
    if rows:
        assert values(rows) == pytest.approx(expected, abs=1e-12, nan_ok=True)


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_packed_counts_equal_plain_counting(rows: list[str]) -> None:
    check(rows)


@settings(max_examples=40, deadline=None)
@given(rows=ROWS.filter(bool))
def test_ranks_stand_in_where_digits_would_not_fit(rows: list[str]) -> None:
    # As if words were so many that three of them did not fit into one number.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(word_counts, "_MAX_PACKED", 60)
        check(rows)


@settings(max_examples=40, deadline=None)
@given(rows=ROWS.filter(bool), size=st.integers(1, 20))
def test_counting_slice_by_slice_gives_the_same(rows: list[str], size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(word_counts, "_SLICE_WORDS", size)
        check(rows)


@pytest.mark.long
def test_thousands_of_generated_sets_count_as_plainly() -> None:
    draw = random.Random(0)
    for _ in range(2000):
        words = [str(number) for number in range(draw.randrange(1, 60))]
        check([" ".join(draw.choices(words, k=draw.randrange(30))) for _ in range(draw.randrange(1, 20))])


def test_a_set_larger_than_one_block_counts_as_plainly() -> None:
    draw = random.Random(0)
    words = [f"w{number}" for number in range(3000)]
    check([" ".join(draw.choices(words, k=draw.randrange(4))) for _ in range(9000)])


def test_order_of_outputs_matters_only_to_msttr() -> None:
    draw = random.Random(0)
    rows = [" ".join(draw.choices("abcdefgh", k=draw.randrange(9))) for _ in range(60)]
    forwards, backwards = values(rows), values(rows[::-1])
    forwards.pop("msttr")
    assert forwards == pytest.approx({name: backwards[name] for name in forwards}, abs=1e-12)


def test_digests_of_portions_join_to_the_whole_and_are_small() -> None:
    metric: Any = grue.metric("entropy_2", tokenize="whitespace").built
    rows = ["a b c d e f g h i j k l m n o"] * 10 + ["", "\ud800 é"]
    whole = metric.digest(Texts(rows, [()] * len(rows), [{}] * len(rows)))
    parts = [digest for row in rows for digest in metric.digest(Texts([row], [()], [{}]))]
    assert list(whole) == parts
    assert metric.value(Digests(parts)) == metric.value(Digests(whole))
    assert all(isinstance(digest, bytes) for digest in parts)
    assert len(parts[0]) == 29
    assert parts[-2] == b""


def test_all_statistics_of_one_set_count_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    count = word_counts._count

    def counting(words: word_counts.Numbered) -> list[word_counts.Counts]:
        calls.append(1)
        return count(words)

    monkeypatch.setattr(word_counts, "_count", counting)
    digests = Digests(word_counts.pack([["a", "b"], ["b"]]))
    for name in MEASURES:
        metric: Any = grue.metric(name).built
        metric.value(digests)
    assert calls == [1]


@pytest.mark.parametrize("line", ["", " ", "\ud800", "\x00\x1c\x85\u2028", "a" * 1_000_000, "ab " * 50_000, "犬は走る"])
@pytest.mark.parametrize("tokenize", ["unicode", "whitespace"])
def test_odd_texts_have_a_value(line: str, tokenize: str) -> None:
    for name in (*MEASURES, "mean_length", "repetition_rate", "copy_rate"):
        score = grue.metric(name, tokenize=tokenize).compute([line, "x y"], inputs=[{"source": line}, {"source": None}])
        assert score.value is not None or score.reason


def test_only_mean_length_and_the_rates_have_values_a_row() -> None:
    for name in MEASURES:
        assert grue.metric(name).compute(["a b c"]).per_sample is None
        metric: Any = grue.metric(name).built
        assert "no interval" in metric.no_interval
    assert grue.metric("mean_length").compute(["a b c", ""]).per_sample == [3.0, 0.0]


def test_german_words_stay_whole_by_default_and_nltks_are_the_papers(
    punkt: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = "Der Jäger läuft’s durch."
    assert grue.metric("mean_length").compute([line]).value == 5
    paper = grue.metric("mean_length", profile="grue-paper").compute([line])
    assert paper.value == 7  # ’ splits in NLTK's English words
    assert "tok:nltk-" in str(paper.signature)
    assert "tok:unicode-v" in str(grue.metric("mean_length").compute([line]).signature)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from("abc"), max_size=16))
def test_repetition_is_found_where_four_words_recur(row: list[str]) -> None:
    grams = [tuple(row[at : at + 4]) for at in range(len(row) - 3)]
    found = grue.metric("repetition_rate").compute([" ".join(row)])
    assert found.per_sample == [float(len(set(grams)) < len(grams))]


def test_repetition_is_explained_by_its_four_grams() -> None:
    metric: Any = grue.metric("repetition_rate").built
    texts = Texts(["a b c d a b c d", "a b c"], [(), ()], [{}, {}])
    assert list(metric.per_sample(texts)) == [1.0, 0.0]
    repeated, fine = metric.explain(texts)
    assert repeated.parts[0].matched == ("a b c d (2 times)",)
    assert (repeated.value, repeated.summary) == (1.0, "1 of 4 distinct 4-grams occur more than once.")
    assert (fine.value, fine.parts[0].matched) == (0.0, ())


def test_copying_is_the_share_of_four_grams_of_the_input_and_explained_by_them() -> None:
    metric: Any = grue.metric("copy_rate").built
    texts = Texts(
        ["the cat sat on a mat", "too short now", "the cat sat on"],
        [()] * 3,
        [{"source": "The cat sat on the mat"}, {"source": "too short now"}, {}],
    )
    # "the cat sat on" of three 4-grams stands in the input.
    assert metric.per_sample(texts) == pytest.approx([1 / 3, np.nan, np.nan], nan_ok=True)
    found, short, without = metric.explain(texts)
    assert found.parts[0].matched == ("the cat sat on",)
    assert found.parts[0].extra == ("cat sat on a", "sat on a mat")
    assert found.summary == "1 of 3 4-grams stand in the input."
    assert (short.value, without.value) == (None, None)


def test_every_metric_here_has_a_card() -> None:
    for name in (*MEASURES, "mean_length", "repetition_rate", "copy_rate", "meteor", "meteor_java", "spice"):
        found = card(name)
        assert found is not None, name
        assert found.measures.endswith("."), name
        assert found.failings, name
        assert name in names()
