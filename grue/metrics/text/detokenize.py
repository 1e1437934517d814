"""Joins English tokens as the Moses decoder's `detokenizer.perl -l en` does (Koehn et al. 2007; rules as of 2023).

Brackets and currency signs lean right, punctuation leans left, quotes by turns, `'s` and the like on the word before.
Only blanks part tokens: a tab stays inside one. The evaluation scripts of ToTTo run it over every text. Written from
the rules; a text without anything that they touch is recognised by one expression and only has its blanks merged.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_ENTITIES = (
    ("&bar;", "|"),
    ("&#124;", "|"),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&bra;", "["),
    ("&ket;", "]"),
    ("&quot;", '"'),
    ("&apos;", "'"),
    ("&#91;", "["),
    ("&#93;", "]"),
    ("&amp;", "&"),
)
_TAGS = re.compile(r"<[^\n]+>")
_BLANKS = re.compile(" +")
_CJK_RANGES = (
    (0x1100, 0x11FF),
    (0x2E80, 0xA4CF),
    (0xA840, 0xA87F),
    (0xAC00, 0xD7AF),
    (0xF900, 0xFAFF),
    (0xFE30, 0xFE4F),
    (0xFF65, 0xFFDC),
    (0x20000, 0x2FFFF),
)
_CJK = "".join(f"{chr(first)}-{chr(last)}" for first, last in _CJK_RANGES)
_STARTS_CJK, _ENDS_CJK = re.compile(f"[{_CJK}]"), re.compile(f"[{_CJK}]\\Z")
_LEFT = re.compile(r"[,.?!:;\\%}\])]+\Z")
_QUOTES = re.compile("['\"„“`]+\\Z")
_LOW_OR_HIGH_QUOTES = re.compile("[„“”]+\\Z")
_OPENING = frozenset("([{¿¡")


@lru_cache(maxsize=1)
def _touched() -> re.Pattern[str]:
    """Finds anything that a rule may act on, in a text between blanks."""
    currency = "".join(re.escape(sign) for sign in map(chr, range(0x20000)) if unicodedata.category(sign) == "Sc")
    return re.compile(f"&| @-@ | (?:[{currency}(\\[{{¿¡]+|[,.?!:;\\\\%}}\\])]+|['\"„“`]+)(?= )| '[^\\W\\d_]| [{_CJK}]")


def detokenize(text: str) -> str:
    """A tokenised line as plain text; a line that is one tag (`<null>`), or blank, stays as it is."""
    if _TAGS.fullmatch(text) or not text.strip():
        return text
    padded = f" {text} "
    if _touched().search(padded):
        padded = _joined(padded)
    return _BLANKS.sub(" ", padded).removeprefix(" ").removesuffix(" ")


def _joined(padded: str) -> str:
    padded = padded.replace(" @-@ ", "-")
    for entity, sign in _ENTITIES:
        padded = padded.replace(entity, sign)
    out: list[str] = []
    turns: dict[str, int] = {}
    gap, before = " ", ""
    for index, word in enumerate(padded.split(" ")):
        leans_left, next_gap = False, " "
        if _STARTS_CJK.match(word):
            leans_left = bool(_ENDS_CJK.search(before))
        elif word and all(letter in _OPENING or unicodedata.category(letter) == "Sc" for letter in word):
            next_gap = ""
        elif _LEFT.match(word) or (index and _is_contraction(word, before)):
            leans_left = True
        elif _QUOTES.match(word):
            kind = '"' if _LOW_OR_HIGH_QUOTES.match(word) else word
            if turns.get(kind, 0) % 2:
                leans_left = True
                turns[kind] += 1
            elif word == "'" and before.endswith("s"):
                leans_left = True  # a possessive: the Jones ' house
            else:
                next_gap = ""
                turns[kind] = turns.get(kind, 0) + 1
        out.append(word if leans_left else gap + word)
        gap, before = next_gap, word
    return "".join(out)


def _is_contraction(word: str, before: str) -> bool:
    return word[:1] == "'" and word[1:2].isalpha() and before[-1:].isalnum()
