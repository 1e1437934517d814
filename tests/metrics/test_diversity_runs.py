"""Runs of four words on numbers, and the words they are made of, against plain rules."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import regex
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import grue
from grue.core.metric import Texts
from grue.metrics import word_runs
from grue.metrics.text import nltk_words, words

# Little variety, so that runs recur; quotes, both sigmas, odd spaces and clitics, as NLTK rewrites or cuts those.
PIECES = (
    *"ab",
    *('"', "''", "``", "Σ", "ΑΣ", "ας", "don't", "cannot", "a.", "b?", "?", ".", ",", "(", "İ", "3.5"),
    *("\xa0", "\x1c", "\u2003", "\n", "\x85", "\ud800", "’", "…", "--", "e\u0301", "A:", "'"),
)
LINES = st.lists(st.sampled_from(PIECES), max_size=24).flatmap(
    lambda parts: st.sampled_from((" ", " ", "")).map(lambda between: between.join(parts))
)
PAIRS = st.lists(st.tuples(LINES, st.one_of(st.none(), LINES)), min_size=1, max_size=8)
# The fixture adds a folder to NLTK's path once; nothing of it changes between examples.
SAME_FIXTURE = (HealthCheck.function_scoped_fixture,)
RULE = regex.compile(
    r"[\p{L}\p{M}\p{N}_]+(?:['’.,:\-‐‑][\p{L}\p{M}\p{N}_]+)*|[^\s\p{L}\p{M}\p{N}_]"  # the words' definition
)


def plain_words(text: str, tokenize: str, *, punctuation: bool) -> list[str]:
    if tokenize == "nltk":
        from nltk import word_tokenize

        found = [word.lower() for word in word_tokenize(text)]
    else:
        found = RULE.findall(text.lower()) if tokenize == "unicode" else text.lower().split()
    (row,) = words.split_all([text], tokenize, punctuation=punctuation)
    assert punctuation is False or row == found
    return row


def grams(row: list[str]) -> list[tuple[str, ...]]:
    return [tuple(row[at : at + 4]) for at in range(len(row) - 3)]


def check(pairs: list[tuple[str, str | None]], tokenize: str, *, punctuation: bool) -> None:
    texts = Texts(
        [line for line, _ in pairs],
        [()] * len(pairs),
        [{} if source is None else {"source": source} for _, source in pairs],
    )
    repeated: list[float] = []
    copied: list[float] = []
    for line, source in pairs:
        found = grams(plain_words(line, tokenize, punctuation=punctuation))
        repeated.append(float(len(set(found)) < len(found)))
        if source is None or not found:
            copied.append(math.nan)
            continue
        known = set(grams(plain_words(source, tokenize, punctuation=punctuation)))
        copied.append(sum(gram in known for gram in found) / len(found))
    options: dict[str, Any] = {"tokenize": tokenize, "punctuation": punctuation}
    repetition: Any = grue.metric("repetition_rate", **options).built
    copying: Any = grue.metric("copy_rate", **options).built
    assert list(repetition.per_sample(texts)) == repeated
    np.testing.assert_array_equal(copying.per_sample(texts), copied)
    assert [found.value for found in copying.explain(texts)] == [None if math.isnan(x) else x for x in copied]


@settings(max_examples=60, deadline=None)
@given(PAIRS, st.sampled_from(("unicode", "whitespace")), st.booleans())
def test_rates_equal_plain_counting(pairs: list[tuple[str, str | None]], tokenize: str, punctuation: bool) -> None:
    check(pairs, tokenize, punctuation=punctuation)


@settings(max_examples=60, deadline=None, suppress_health_check=SAME_FIXTURE)
@given(pairs=PAIRS, punctuation=st.booleans())
def test_rates_on_nltks_words_equal_plain_counting(
    pairs: list[tuple[str, str | None]], punctuation: bool, punkt: None
) -> None:
    check(pairs, "nltk", punctuation=punctuation)


@settings(max_examples=40, deadline=None)
@given(PAIRS)
def test_ranks_of_pairs_stand_in_where_four_words_would_not_fit(pairs: list[tuple[str, str | None]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(word_runs, "_MAX_PACKED", 10)
        check(pairs, "unicode", punctuation=True)


@pytest.mark.long
@settings(max_examples=2000, deadline=None, suppress_health_check=SAME_FIXTURE)
@given(pairs=PAIRS, tokenize=st.sampled_from(("unicode", "whitespace", "nltk")), punctuation=st.booleans())
def test_rates_equal_plain_counting_on_thousands_of_sets(
    pairs: list[tuple[str, str | None]], tokenize: str, punctuation: bool, punkt: None
) -> None:
    check(pairs, tokenize, punctuation=punctuation)


@settings(max_examples=200, deadline=None)
@given(st.text(st.one_of(st.characters(), st.sampled_from(" \x1c\n'’.,:-aΣé\u0301")), max_size=80))
def test_cutting_between_white_space_first_gives_the_same_words(text: str) -> None:
    assert words.split_all([text], "unicode", punctuation=True)[0] == RULE.findall(text.lower())


def test_a_piece_too_long_to_keep_is_cut_all_the_same() -> None:
    long = "a" * 100_000
    assert words.split_all([f"{long}!b c"], "unicode", punctuation=True)[0] == [long, "!", "b", "c"]


def test_nltks_words_of_a_source_are_made_only_where_a_run_may_stand_in_it(
    punkt: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def cut(text: str) -> list[str]:
        seen.append(text)
        return nltk_words.word_tokenize(text)

    monkeypatch.setattr(words, "word_tokenize", cut)
    metric: Any = grue.metric("copy_rate", tokenize="nltk").built
    texts = Texts(["a b c d", "a b c d"], [()] * 2, [{"source": "x a b c d."}, {"source": "a b c x d"}])
    assert list(metric.per_sample(texts)) == [1.0, 0.0]
    assert seen == ["a b c d", "a b c d", "x a b c d."]
