"""Sentences of a text by rule, without data: for summaries that come without line breaks.

A sentence ends at a newline, or after ``.``, ``!``, ``?`` or ``…`` (with closing quotes or brackets) before white
space and a capital, digit or opening mark, unless the word before is a known abbreviation or a single letter.
"""

from __future__ import annotations

import re

VERSION = 1

_BREAK = re.compile(r"(?<=[.!?…])(?P<close>[\"'”’)\]]*)\s+(?=[\"'“‘(\[]*[A-ZÄÖÜÀ-ÞЀ-Я0-9])")
_LAST_WORD = re.compile(r"(\S+)$")
# fmt: off
_ABBREVIATIONS = frozenset((
    "mr", "mrs", "ms", "dr", "prof", "sr", "jr", "st", "rev", "gen", "col", "lt", "sgt", "capt",
    "sen", "rep", "gov", "no", "vs", "etc", "e.g", "i.e", "approx", "dept", "est", "fig", "inc",
    "ltd", "co", "corp", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct",
    "nov", "dec", "u.s", "u.k", "u.n", "a.m", "p.m", "z.b", "d.h", "bzw", "usw", "nr",
))
# fmt: on


def split(text: str) -> list[str]:
    """Sentences in order, none of them empty."""
    return [piece for line in text.split("\n") for piece in _line(line)]


def _line(line: str) -> list[str]:
    pieces: list[str] = []
    start = 0
    for match in _BREAK.finditer(line):
        if _ends_sentence(line[start : match.start()]):
            pieces.append(line[start : match.end("close")].strip())
            start = match.end()
    pieces.append(line[start:].strip())
    return [piece for piece in pieces if piece]


def _ends_sentence(before: str) -> bool:
    found = _LAST_WORD.search(before)
    if not found or not before.endswith("."):
        return True
    word = found.group(1).rstrip(".").lstrip("\"'“‘([").lower()
    return not (word in _ABBREVIATIONS or (len(word) == 1 and word.isalpha()))
