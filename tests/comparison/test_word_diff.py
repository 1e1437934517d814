"""Marked words, joined again, are the texts themselves."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grue.comparison.word_diff import word_diff

TEXTS = st.text(alphabet="ab \n.ä", max_size=40)


@given(TEXTS, TEXTS)
def test_pieces_join_to_the_texts_and_equal_pieces_are_equal(left: str, right: str) -> None:
    ours, theirs = word_diff(left, right)
    assert "".join(piece.text for piece in ours) == left
    assert "".join(piece.text for piece in theirs) == right
    for side in (ours, theirs):
        assert all(one.differs != other.differs for one, other in pairwise(side))


@given(TEXTS)
def test_a_text_and_itself_have_no_marks(text: str) -> None:
    assert not any(piece.differs for side in word_diff(text, text) for piece in side)


@pytest.mark.parametrize(
    ("left", "right", "gone", "new"),
    [
        ("a red cat", "a blue cat", ["red"], ["blue"]),
        ("a red cat sat", "a cat sat", [" red"], []),
        ("", "all new", [], ["all new"]),
        ("one two three", "four five six", ["one two three"], ["four five six"]),
    ],
)
def test_words_that_differ_are_marked_as_stretches(left: str, right: str, gone: list[str], new: list[str]) -> None:
    ours, theirs = word_diff(left, right)
    assert [piece.text for piece in ours if piece.differs] == gone
    assert [piece.text for piece in theirs if piece.differs] == new
