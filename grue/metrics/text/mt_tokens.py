"""Words of a text by SacreBLEU's tokenisers, made word by word where their rules allow it.

The rules of ``13a`` (mteval-v13a) and ``intl`` (mteval-v14, international) look at most one character to either side
and treat white space as any character that is no digit, so what they make of a piece between blanks depends on that
piece alone, for ``intl`` also on whether a line begins or ends there. Each distinct piece is cut once a portion.
``none`` and ``char`` are plain; all other tokenisers are the library's own (`sacrebleu`, Post 2018).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

Cut = Callable[[str], list[str]]

# Brackets, quotes and signs of ASCII, without the apostrophe, comma, hyphen and full stop.
_SIGNS = re.compile(r"([{-~\[-`!-&(-+:-@/])")
_AFTER_NO_DIGIT = re.compile(r"([^0-9])([.,])")
_BEFORE_NO_DIGIT = re.compile(r"([.,])([^0-9])")
_DASH = re.compile(r"([0-9])(-)")
_PLAIN = re.compile(r"[^!-&(-/:-@\[-`{-~]*")
_ENTITIES = (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))


class Pieces(dict[str, tuple[str, ...]]):
    """What a rule makes of each piece between blanks, made when first asked for."""

    def __init__(self, rule: Callable[[str], Sequence[str]]) -> None:
        super().__init__()
        self._rule = rule

    def __missing__(self, piece: str) -> tuple[str, ...]:
        found = self[piece] = tuple(self._rule(piece))
        return found

    def of(self, pieces: Sequence[str]) -> list[str]:
        """The words of pieces in order."""
        return [word for piece in pieces for word in self[piece]]


def tokenizer(name: str, library: Any = None) -> Cut:
    """A function from a line to its words; it keeps what it met, so make one for each portion of texts.

    Args:
        name: Setting ``tokenize``.
        library: The `sacrebleu` tokeniser of that name, which reads what has no rule here; ``None`` for 13a, intl,
            none and char.
    """
    if name == "13a":
        pieces = Pieces(_cut_13a)
        return lambda line: pieces.of(_clean_13a(line).split())
    if name == "intl":
        return _international()
    if name == "none":
        return str.split
    if name == "char":
        return lambda line: list("".join(line.split()))
    return lambda line: uncached(library, line).split()


def uncached(library: Any, line: str) -> str:
    """What a `sacrebleu` tokeniser makes of a line, without the 65,536 lines that it would keep."""
    call = type(library).__call__
    return str(getattr(call, "__wrapped__", call)(library, line))


def _clean_13a(line: str) -> str:
    line = line.replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    if "&" in line:
        for entity, sign in _ENTITIES:
            line = line.replace(entity, sign)
    return line


def _cut_13a(piece: str) -> Sequence[str]:
    if _PLAIN.fullmatch(piece):
        return (piece,)
    text = _SIGNS.sub(r" \1 ", f" {piece} ")
    text = _AFTER_NO_DIGIT.sub(r"\1 \2 ", text)
    text = _BEFORE_NO_DIGIT.sub(r" \1 \2", text)
    return _DASH.sub(r"\1 \2 ", text).split()


@cache
def _international_rules() -> tuple[tuple[Any, str], ...]:
    import regex  # type: ignore[import-untyped]

    return (
        (regex.compile(r"(\P{N})(\p{P})"), r"\1 \2 "),
        (regex.compile(r"(\p{P})(\P{N})"), r" \1 \2"),
        (regex.compile(r"(\p{S})"), r" \1 "),
    )


def _cut_international(text: str) -> list[str]:
    if text.strip().isalpha():
        return [text.strip()]
    for rule, form in _international_rules():
        text = rule.sub(form, text)
    return text.split()


def _international() -> Cut:
    inside = Pieces(lambda piece: _cut_international(f" {piece} "))

    def cut(line: str) -> list[str]:
        pieces = line.split()
        if not pieces:
            return []
        blank_before, blank_after = line[:1].isspace(), line[-1:].isspace()
        if len(pieces) == 1:
            return _cut_international(f"{' ' * blank_before}{pieces[0]}{' ' * blank_after}")
        first = inside[pieces[0]] if blank_before else _cut_international(f"{pieces[0]} ")
        last = inside[pieces[-1]] if blank_after else _cut_international(f" {pieces[-1]}")
        return [*first, *inside.of(pieces[1:-1]), *last]

    return cut
