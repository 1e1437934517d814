"""Text of others (names, predictions, reasons) made safe for the formats that tables are written in."""

from __future__ import annotations

import re

_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"{\char34}",
    "–": "--",
    "—": "---",
    "−": r"$-$",
}
_LATEX_TABLE = str.maketrans(_LATEX)
# What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection), full-width forms among them.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]#|~$])")
_BLOCK_MARK = re.compile(r"^(\d*)([+\-=.)])(?=[\s\-=]|$)")
_MENTION = re.compile(r"(?<![\w.])@(?=\w)")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def latex_text(text: str) -> str:
    r"""A text for a LaTeX table cell: every special character escaped, on one line.

    >>> latex_text("50% of a_b & c")
    '50\\% of a\\_b \\& c'
    """
    return _one_line(text).translate(_LATEX_TABLE)


def csv_text(text: str) -> str:
    """A text for a CSV cell that no spreadsheet runs as a formula: it gets a leading apostrophe where it might.

    Numbers are written as numbers and do not pass here. Quoting is the CSV writer's.

    >>> csv_text("=1+1")
    "'=1+1"
    """
    return f"'{text}" if text.startswith(_FORMULA) else text


def markdown_text(text: str) -> str:
    r"""A text for a Markdown table cell: no markup, HTML, column break, line break or mention of a person in it.

    >>> markdown_text("a|b <b>*c*</b>")
    'a\\|b &lt;b&gt;\\*c\\*&lt;/b&gt;'
    """
    line = _one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    line = _BLOCK_MARK.sub(r"\1\\\2", _MARKDOWN.sub(r"\\\1", line))
    # A zero-width space keeps a code host from telling a stranger of it.
    return _MENTION.sub("@\u200b", line)


def _one_line(text: str) -> str:
    return _CONTROL.sub(" ", " ".join(text.split()))
