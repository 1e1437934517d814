"""Tokens equal those of Stanford's PTBTokenizer as pycocoevalcap calls it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grue.metrics.text.ptb import tokenize

# What CoreNLP 3.4.1 printed with -preserveLines -lowerCase, without the tokens that pycocoevalcap drops.
PRINTED = {
    "The colour isn't good. Mr. Smith can't go etc.": "the colour is n't good mr. smith ca n't go etc.",
    "1 1/2 cups, ½ of it — $5.00 £5 €5": "1\u00a01/2 cups 1/2 of it $ 5.00 # 5 $ 5",
    "(555) 555-1234 or 020 7946 0958": "-lrb-555-rrb-\u00a0555-1234 or 020\u00a07946\u00a00958",
    "rock 'n' roll, 'tis d'you ol' 'em o'clock": "rock 'n' roll 't is d'you ol' 'em o'clock",
    "cannot gonna gotta lemme gimme wanna dunno": "can not gon na got ta lem me gim me wan na dunno",
    "&amp; &lt; &#39; AT&amp;T caf&eacute; &copy;": "& < &#39; at&t caf&eacute; & copy",
    "<br /> <a href='x y'> <3 a<b": "<br\u00a0/> <a\u00a0href='x\u00a0y'> < 3 a < b",
    "foo@bar.com http://foo.com/bar?a=b. www.foo.com": "foo@bar.com http://foo.com/bar?a=b www.foo.com",
    "@user #tag #tag1": "@user #tag #tag 1",
    "pre-1990s non-U.S.-based U.S.-led mid-'90s": "pre-1990s non-u.s.-based u.s.-led mid '90s",
    "l’eau d’Arc shouldn’t it’s ’tis": "l’eau d’arc should n't it 's tis",
    "X. The end. U.S. The X. Theodore No. 5 no. five": "x the end u.s. the x. theodore no. 5 no five",
    "a fish., b :) :( ^_^ C++ C# 10:30am 5½": "a fish. b :-rrb- :-lrb- ^_^ c++ c# 10:30 am 5 1/2",
    "中文字 ไทย 😀 e\u0301 naïve Straße \u200b": "中文字 ไทย e\u0301 naïve straße",
    "-LRB- x -rsb-foo a-LRB-b -LCB-'s": "-lrb- x -rsb- foo a-lrb-b -lcb- 's",
    "a&nbsp;b &NBSP; &LT; &QUOT; &quot; it&APOS;s AT&AMP;T": "a b < &quot; it &apos;s at&t",
    "<a_b> <a b_c='(d)'> <a b=c> </a/>": "<a_b> <a\u00a0b_c='(d)'> < a b = c > < / a / >",
    "d` l’ don‘t c’est e’er y'all ’N’ \\*x \\** ²² ⁵⁺": "d l’ do n`t c’est e er y' all ’n’ \\* x \\* * ²² ⁵ ⁺",
    "-3.5., 3.5., 27., AT&T., Inc.I'm Jan.@x": "-3.5 3.5 27. at&t. inc.i 'm jan.@x",
    "http://a.b/c#{x} http://a.b/c\u00a0d ~generation.CompileX": (
        "http://a.b/c# -lcb- x -rcb- http://a.b/c\u00a0d ~generation.com pilex"
    ),
    "X. <b> x X. <b>x \u00ad10:30 \u00adn't cannotn't": "x <b> x x. <b> x 10:30 n t cannot n't",
    "~foo.comno. 5 a/b/www.google.com/index": "~foo.com no. 5 a/b/www google.com/index",
    "Sep. 20 sep.2009 Ext. x PTY. Pty. x Ph. x elec.x": "sep. 20 sep. 2009 ext. x pty pty. x ph. x elec.x",
    "?! !!! ... -- ----- * ** / // [a] {b}": "?! !!! ----- * ** / / / -lsb- a -rsb- -lcb- b -rcb-",
}


@pytest.mark.parametrize("text", PRINTED, ids=range(len(PRINTED)))
def test_tokens_are_those_the_java_program_prints(text: str) -> None:
    assert tokenize(text) == PRINTED[text].split(" ")


def test_every_tokenised_text_of_the_reference_values_is_met(
    golden: Callable[[str], tuple[dict[str, Any], list[Any]]],
) -> None:
    checked = 0
    for case in golden("coco_ptb")[1]:
        expected = case.raw["tokenized"]
        for text, tokens in zip(case.predictions, expected["predictions"], strict=False):
            assert " ".join(tokenize(text)) == tokens, case.id
            checked += 1
        for texts, rows in zip(case.references, expected["references"], strict=False):
            assert [" ".join(tokenize(text)) for text in texts] == rows, case.id
            checked += len(rows)
    assert checked > 100


MORE = [
    "X. <!a ",
    "X. <a b='",
    "X. <a b ",
    "<a b",
    "-LRB-",
    "²",
    "a\u00a0",
    " \u3000",
    ".com.",
    ".comx",
    "ph. ",
    "\u00ad",
    "&nbsp;",
    "\\*",
    "~a.",
]


@pytest.mark.parametrize(
    "piece",
    [
        "x",
        "a ",
        "a;",
        "a.",
        "1a.",
        "a,",
        "<a ",
        "&",
        "'",
        "www.",
        "é.",
        "<!a ",
        "a@",
        "1.",
        "a-",
        "(5",
        "http://",
        "é",
        *MORE,
    ],
)
def test_long_texts_are_read_in_linear_time(piece: str) -> None:
    # A rule that looked to the end of the text from each place would take hours.
    assert tokenize(piece * 20_000) is not None


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_any_text_gives_lower_case_tokens_without_blanks(text: str) -> None:
    tokens = tokenize(text)
    assert all(token and " " not in token and "\n" not in token for token in tokens)
    assert all(token == token.lower() for token in tokens)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["A dog.", "don't", "no. 5", "X. The", "5 1/2", "<b>", "1990", "fish.,", "\u00ad"])))
def test_tokens_do_not_depend_on_what_was_read_before(pieces: list[str]) -> None:
    text = " ".join(pieces)
    first = tokenize(text)
    tokenize("no. 5 X. The <b> fish.,")
    assert tokenize(text) == first
