"""Results that are kept: those of short texts, so many and no more, and the same as made anew."""

from __future__ import annotations

import gc
import weakref

from grue.metrics import parent_inputs
from grue.metrics.text import lemmas, stems
from grue.metrics.text.kept import LONGEST_WORD, kept


class Made:
    """A result whose end can be watched."""


def test_short_texts_are_made_once_and_long_ones_every_time():
    asked = []

    @kept(2)
    def made(text: str) -> Made:
        asked.append(text)
        return Made()

    long = "x" * (LONGEST_WORD + 1)
    whole = "x" * LONGEST_WORD
    assert made(whole) is made(whole)
    assert made(long) is not made(long)
    assert asked == [whole, long, long]
    gone = weakref.ref(made(long))
    gc.collect()
    assert gone() is None
    for text in ("one", "two", "one"):
        made(text)
    # The third of two that are kept took the first one's place.
    made(whole)
    assert asked[4:] == ["one", "two", whole]


def test_a_long_word_is_made_by_the_same_rules():
    # Only the last letters change.
    assert stems.porter("ab" * 3000 + "ations") == "ab" * 2980 + stems.porter("ab" * 20 + "ations")
    assert stems.original_porter("ab" * 300 + "ing") == "ab" * 280 + stems.original_porter("ab" * 20 + "ing")
    assert "a" * 3000 in lemmas.lemmas("a" * 3000 + "s")
    assert parent_inputs.tokens("Zwei , " * 3000)[:2] == ["zwei", ","]
