"""Our Porter stemmer against NLTK's, which it stands in for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.stem.porter import PorterStemmer

from grue.metrics.text.stems import porter

# Every suffix of the algorithm's steps, of NLTK's extensions, and some that look like one.
SUFFIXES = tuple(
    re.findall(
        "[a-z]+",
        "ational tional enci anci izer bli alli entli eli ousli ization ation ator alism iveness fulness ousness aliti "
        "iviti biliti fulli logi icate ative alize iciti ical ful ness al ance ence er ic able ible ant ement ment ent "
        "ion ou ism ate iti ous ive ize ed ing eed ies ied sses ss s y e ll at bl iz",
    )
)
MADE = st.builds(
    lambda head, one, two: head + one + two,
    st.text("aeiouybdlstzwx0", max_size=6),
    st.sampled_from(SUFFIXES),
    st.sampled_from(["", *SUFFIXES]),
)
NLTK = PorterStemmer()


@given(MADE)
@settings(max_examples=300)
def test_stems_of_made_up_words_are_nltks(word: str) -> None:
    assert porter(word) == NLTK.stem(word)


@given(st.text(max_size=12))
def test_stems_of_any_text_are_nltks(word: str) -> None:
    assert porter(word) == NLTK.stem(word)


def test_stems_of_real_words_are_nltks(material: Path) -> None:
    text = (material / "data" / "cnn_dailymail" / "validation.jsonl").read_text(encoding="utf-8")
    words = sorted(set(re.findall("[A-Za-z0-9]+", text)))[::4]
    assert len(words) > 2000
    assert [porter(word) for word in words] == [NLTK.stem(word) for word in words]


@pytest.mark.long
@given(MADE)
@settings(max_examples=20_000, deadline=None)
def test_stems_of_many_made_up_words_are_nltks(word: str) -> None:
    assert porter(word) == NLTK.stem(word)
