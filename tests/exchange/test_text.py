"""Text of others in cells of LaTeX, CSV and Markdown."""

from __future__ import annotations

import pytest

from grue.exchange.text import csv_text, latex_text, markdown_text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("50% of a_b & c", r"50\% of a\_b \& c"),
        (r"\input{x}", r"\textbackslash{}input\{x\}"),
        ("~^#$<>|", r"\textasciitilde{}\textasciicircum{}\#\$\textless{}\textgreater{}\textbar{}"),
        ("two\nlines\tand\x00more", "two lines and more"),
        ("Größe", "Größe"),
        ("", ""),
    ],
)
def test_latex_cells_hold_no_command(text: str, wanted: str) -> None:
    assert latex_text(text) == wanted


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])
def test_csv_cells_that_begin_like_a_formula_get_an_apostrophe(start: str) -> None:
    assert csv_text(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize("text", ["", "plain", "a=b", "1 + 1", "'=x", "ünï"])
def test_other_csv_cells_stay_as_they_are(text: str) -> None:
    assert csv_text(text) == text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a|b", r"a\|b"),
        ("<b>&amp;", "&lt;b&gt;&amp;amp;"),
        ("*x* _y_ `z`", r"\*x\* \_y\_ \`z\`"),
        ("[a](http://x)", r"\[a\](http://x)"),
        ("- item", r"\- item"),
        ("12. item", r"12\. item"),
        ("0.25", "0.25"),
        ("two\nlines", "two lines"),
        ("hi @someone", "hi @\u200bsomeone"),
        ("me@host.example", "me@host.example"),
        ("", ""),
    ],
)
def test_markdown_cells_hold_no_markup_and_call_nobody(text: str, wanted: str) -> None:
    assert markdown_text(text) == wanted
