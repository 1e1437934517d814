"""Reads PTB tokens from a text, the longest at each place."""

from __future__ import annotations

import re
from dataclasses import dataclass

from grue.metrics.text import ptb_rules as rules
from grue.metrics.text.ptb_words import (
    ABBREVIATIONS,
    BEFORE_NAMES,
    CAPITAL_ABBREVIATIONS,
    NOT_IN_CAPITALS,
    NUMBER_ABBREVIATIONS,
    TWO_PARTS,
)

_BLANKS = " \t\n\r\f"
_SINGLE = {
    **dict.fromkeys("\"'`\u0091\u0092\u0093\u0094\u2018\u2019\u201b\u201c\u201d\u00ab\u00bb\u2039\u203a", "''"),
    **dict.fromkeys("\u0096\u0097\u2013\u2014\u2015", "--"),
    "\u00a2": "cents",
    "\u00a3": "#",
    "\u0080": "$",
    "\u00a4": "$",
    "\u20a0": "$",
    "\u20ac": "$",
    "\u00bc": "1/4",
    "\u00bd": "1/2",
    "\u00be": "3/4",
    "\u2153": "1/3",
    "\u2154": "2/3",
    "\u2026": "...",
    "(": "-lrb-",
    ")": "-rrb-",
    "[": "-lsb-",
    "]": "-rsb-",
    "{": "-lcb-",
    "}": "-rcb-",
    "\u00ad": "-",
}
_MARKUP = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&nbsp;": ""}
_MARKUP.update(dict.fromkeys(("&md;", "&mdash;", "&ndash;"), "--"))
_STRAIGHT_QUOTES = str.maketrans(
    {
        **dict.fromkeys("\u0091\u2018\u201b\u2039", "`"),
        **dict.fromkeys("\u0092\u2019\u203a", "'"),
        **dict.fromkeys("\u0093\u201c\u00ab", "``"),
        **dict.fromkeys("\u0094\u201d\u00bb", "''"),
    }
)
_BRACKETS = str.maketrans({"(": "-lrb-", ")": "-rrb-", " ": "\u00a0"})
_STRAIGHT = str.maketrans({**dict.fromkeys("\u0091\u2018\u201b", "`"), **dict.fromkeys("\u0092\u2019", "'")})

_PLAIN = re.compile("\u00ad*[A-Za-z][A-Za-z\u00ad]+")

_MAIL_HEAD = re.compile("[A-Za-z0-9]")
_LONGEST_ABBREVIATION = 9
_WITH_INNER_STOP = frozenset(("ph", "ed"))

Rule = re.Pattern[str]
_LETTER_RULES: tuple[Rule, ...] = (
    rules.PREFIX,
    rules.THING,
    rules.COMPOUND,
    rules.SLASHED,
    rules.JOINED,
    rules.ELIDED,
    rules.PLUS,
    rules.FILE_NAME,
    rules.DOLLARS,
    rules.URL,
    rules.WWW,
    rules.SITE,
    rules.MAIL,
    rules.FACE,
)
_DIGIT_RULES: tuple[Rule, ...] = (
    rules.THING,
    rules.COMPOUND,
    rules.SLASHED,
    rules.FILE_NAME,
    rules.NUMBER,
    rules.DATE,
    rules.FRACTION,
    rules.PHONE,
    rules.SITE,
    rules.MAIL,
)
_SIGN_RULES: tuple[Rule, ...] = (
    rules.RUN,
    rules.BRACKET,
    rules.ESCAPED,
    rules.QUOTE_PAIR,
    rules.NUMBER,
    rules.PHONE,
    rules.SHORT_FORM,
    rules.CLIPPED,
    rules.T_IS,
    rules.DOLLARS,
    rules.HANDLE,
    rules.SMILEY,
    rules.FACE,
    rules.TAG,
    rules.MARKUP,
    rules.SITE,
    rules.MAIL,
)
# Rules that may read far and fail, with the stretch over which they then fail for good.
_STRETCHES: dict[Rule, Rule] = {
    rules.MAIL: rules.STRETCH_OF_MAIL,
    rules.SITE: rules.STRETCH_OF_SITE,
    rules.FILE_NAME: rules.STRETCH_OF_FILE,
    rules.COMPOUND: rules.STRETCH_OF_COMPOUND,
}
# Rules whose token holds a certain text: not tried where the rest of the text does not have it.
_NEEDS: dict[Rule, Rule] = {
    rules.MAIL: re.compile("@"),
    rules.SITE: re.compile("\\.(?i:com|net|org|edu)"),
    rules.TAG: re.compile(">"),
}
_KEPT_AS_IS = {rules.MAIL, rules.URL, rules.SITE, rules.WWW, rules.FILE_NAME, rules.HANDLE}
_BEFORE_COMMA = {rules.THING, rules.COMPOUND, rules.JOINED}
_GOES_ON = frozenset(",;:\u3001")
_TRANSLATED = {rules.PHONE, rules.SMILEY, rules.FACE, rules.FRACTION}


@dataclass(frozen=True, slots=True, eq=False)
class _Kind:
    """A rule with what is known of it before it is tried; compared by identity, as patterns are slow to hash."""

    rule: Rule
    needed: Rule | None
    stretch: Rule | None
    before_comma: bool


_KINDS = {
    rule: _Kind(rule, _NEEDS.get(rule), _STRETCHES.get(rule), rule in _BEFORE_COMMA)
    for rule in {*_LETTER_RULES, *_DIGIT_RULES, *_SIGN_RULES}
}
_LETTER_KINDS = tuple(_KINDS[rule] for rule in _LETTER_RULES)
_HYPHEN_KINDS = (*_LETTER_KINDS, _KINDS[rules.NUMBER])
_DIGIT_KINDS = tuple(_KINDS[rule] for rule in _DIGIT_RULES)
_SIGN_KINDS = tuple(_KINDS[rule] for rule in _SIGN_RULES)


class Scanner:
    """Reads one text; what it learns of the text on the way keeps it linear."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._hopeless: dict[_Kind, int] = {}
        self._needed: dict[_Kind, int] = {}

    def read(self, position: int) -> tuple[list[str], int]:
        """Tokens from a place to the next blank that no token spans, punctuation among them, and that blank's place."""
        tokens: list[str] = []
        text, size = self._text, len(self._text)
        while position < size and text[position] not in _BLANKS:
            position = self._next(position, tokens)
        return tokens, position

    def _next(self, start: int, tokens: list[str]) -> int:
        """Append the token at a place, or its two parts; its end."""
        text = self._text
        first = text[start]
        word = rules.WORD.match(text, start)
        if word is not None:
            end, total, rule = self._word(start, word.end())
            others = _LETTER_KINDS if first != "\u00ad" else _HYPHEN_KINDS
        else:
            end, total, rule = start, start, rules.SYMBOL
            others = _DIGIT_KINDS if rules.DIGIT.match(first) else _SIGN_KINDS
        for other in others:
            match = self._try(other, start)
            if match is None:
                continue
            reach = match.end() + 2 if other.before_comma and self._comma(match.end()) else match.end()
            # Of two equal ones an address goes before an abbreviation.
            if reach > total or (reach == total and rule is rules.INITIALS and other.rule is rules.MAIL):
                end, total, rule = match.end(1) + (reach > match.end()), reach, other.rule
        if end == start:
            if rules.SYMBOL.match(first):
                tokens.append(_SINGLE.get(first, first.lower()))
            return start + 1
        tokens.extend(_written(text[start:end], rule))
        return end

    def _comma(self, end: int) -> bool:
        """Whether a full stop and then a sign that goes on with the sentence follow, so that the stop is kept."""
        return self._text[end : end + 1] == "." and self._text[end + 1 : end + 2] in _GOES_ON

    def _word(self, start: int, end: int) -> tuple[int, int, Rule]:
        """End, end with context and rule of what a word begins: itself, a part of it or an abbreviation."""
        text = self._text
        if text[end - 1] in "nN" and (negation := rules.NOT.match(text, end - 1)):
            if end - 1 == start:
                return negation.end(), negation.end(), rules.NOT
            if _PLAIN.fullmatch(text, start, end):
                return end - 1, negation.end(), rules.THING
        if self._comma(end):
            return end + 1, end + 2, rules.INITIALS
        short = rules.SHORT_AFTER.match(text, end)
        best = (end, short.end() if short else end, rules.WORD)
        if (initials := rules.INITIALS.match(text, start)) and initials.end() > end:
            stop = initials.end()
            starter = rules.STARTER.match(text, stop)
            if starter is None and self._has(_KINDS[rules.TAG], _NEEDS[rules.TAG], stop):
                starter = rules.STARTING_TAG.match(text, stop)
            if starter:
                return (stop - 1 if stop == start + 2 else stop), starter.end(), rules.INITIALS
            return stop, stop, rules.INITIALS
        if (abbreviation := self._abbreviation(start, end)) and abbreviation[1] > best[1]:
            return abbreviation
        return best

    def _abbreviation(self, start: int, end: int) -> tuple[int, int, Rule] | None:
        """The same for an abbreviation with its full stop."""
        text = self._text
        stop = text.find(".", start, start + _LONGEST_ABBREVIATION)
        if stop > 0 and text[start:stop].lower() in _WITH_INNER_STOP:
            inner = text.find(".", stop + 1, stop + 3)
            stop = inner if inner > 0 and text[start:inner].lower() in ABBREVIATIONS else stop
        if stop < 0:
            return None
        word = text[start:stop]
        low = word.lower()
        if (low in ABBREVIATIONS and (word[1:] == low[1:] or low not in NOT_IN_CAPITALS)) or (
            low in CAPITAL_ABBREVIATIONS and word[0] != low[0]
        ):
            context = 0 if low in BEFORE_NAMES or stop + 2 > len(text) else 2
            return stop + 1, stop + 1 + context, rules.INITIALS
        if low in NUMBER_ABBREVIATIONS and end == stop and (number := rules.NUMBER_AFTER.match(text, end + 1)):
            return end + 1, number.end(), rules.INITIALS
        return None

    def _try(self, kind: _Kind, start: int) -> re.Match[str] | None:
        if kind.needed is not None and not self._has(kind, kind.needed, start):
            return None
        if kind.stretch is None:
            return kind.rule.match(self._text, start)
        if start < self._hopeless.get(kind, 0):
            return None
        match = kind.rule.match(self._text, start)
        if match is None and (kind.rule is not rules.MAIL or _MAIL_HEAD.match(self._text, start)):
            failed = kind.stretch.match(self._text, start)
            self._hopeless[kind] = failed.end() if failed else start
        return match

    def _has(self, kind: _Kind, needed: Rule, start: int) -> bool:
        place = self._needed.get(kind, -1)
        if place < start:
            found = needed.search(self._text, start)
            place = self._needed[kind] = found.start() if found else len(self._text)
        return place < len(self._text)


def _written(token: str, rule: Rule) -> tuple[str, ...]:
    """The token as the original prints it."""
    low = token.lower()
    if rule is rules.WORD:
        if low in TWO_PARTS:
            return TWO_PARTS[low]
        return (low.replace("\u00ad", "") or "-",)
    if rule in _TRANSLATED:
        return (low.translate(_BRACKETS),)
    if rule is rules.TAG:
        return (low.replace(" ", "\u00a0"),)
    if rule is rules.RUN:
        return ("--" if low[0] == "-" and len(low) <= 4 else "..." if low[0] == "." else low,)
    if rule is rules.QUOTE_PAIR:
        return (low.translate(_STRAIGHT_QUOTES),)
    if rule is rules.JOINED:
        return (low.replace("&amp;", "&"),)
    if rule is rules.MARKUP:
        # These two are signs only as written here.
        if token in ("&quot;", "&apos;"):
            return ("''",)
        written = _MARKUP.get(low, low)
        return (written,) if written else ()
    if rule in (rules.NOT, rules.SHORT_FORM):
        return (token.replace("&apos;", "'").lower().translate(_STRAIGHT),)
    return (low if rule in _KEPT_AS_IS else low.replace("\u00ad", ""),)
