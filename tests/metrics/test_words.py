"""Words by the ``unicode`` rule: the short way for ASCII is the long way."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from grue.metrics.text import words


@settings(max_examples=500, deadline=None)
@given(st.text(st.characters(max_codepoint=127), max_size=60) | st.text("aB3_'.,:- \t\n", max_size=40))
def test_ascii_texts_have_the_words_of_the_general_rule(text: str) -> None:
    [found] = words.split_all([text], "unicode", punctuation=True)
    assert found == words._unicode_pattern().findall(text.lower())


def test_words_keep_what_stands_inside_them() -> None:
    [found] = words.split_all(["Don't pay $3.50, well-known U.S. firm (yes)!"], "unicode", punctuation=True)
    assert found == ["don't", "pay", "$", "3.50", ",", "well-known", "u.s", ".", "firm", "(", "yes", ")", "!"]
