"""Words of a text by three tokenisers, lower-cased, for statistics of length and diversity.

``unicode`` needs no data and fits any language that puts spaces between words: a word is a run of letters, marks
and digits, with single apostrophes, full stops, commas, colons or hyphens inside it (``don't``, ``3.5``, ``U.S``,
``well-known``); every other character that is no space is a word of its own. It differs from NLTK's words in
contractions (``don't`` stays whole) and in quotation marks (kept as written). ``nltk`` is NLTK's ``word_tokenize``
in English mode, as GEM-metrics uses it for every language; ``whitespace`` splits on white space.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from grue.core.errors import MetricUnavailableError
from grue.core.metric import Texts
from grue.metrics.text.nltk_words import word_tokenize

UNICODE_VERSION = 1
Tokens = list[list[str]]
# What the rule of `_unicode_pattern` says of ASCII texts, by the faster of the two libraries.
_ASCII_WORDS = re.compile(r"[a-z0-9_]+(?:['.,:\-][a-z0-9_]+)*|[^ \t\n\r\f\va-z0-9_]")
_ASCII_PUNCTUATION = frozenset(string.punctuation)
# White space to str.split and characters like any other to the pattern of words.
_INFORMATION_SEPARATORS = ("\x1c", "\x1d", "\x1e", "\x1f")
_LONGEST_KEPT = 64
_INKLESS = {ord(char): None for char in string.punctuation} | {ord("ς"): "σ"}


def signature(tokenizer: str) -> str:
    """The tokeniser's name and version, for a metric's signature."""
    if tokenizer == "unicode":
        return f"unicode-v{UNICODE_VERSION}"
    if tokenizer == "nltk":
        import nltk

        return f"nltk-{nltk.__version__}"
    return tokenizer


def require(tokenizer: str) -> None:
    """Check that a tokeniser's data are there.

    Raises:
        MetricUnavailableError: for ``nltk`` without Punkt.
    """
    if tokenizer != "nltk":
        return
    import nltk

    try:
        nltk.data.find("tokenizers/punkt_tab/english/")
    except LookupError as error:
        raise MetricUnavailableError(
            "the tokeniser 'nltk' needs NLTK's Punkt data, which are not installed: run "
            "'python -m nltk.downloader punkt_tab', set NLTK_DATA to a folder that holds them, or use "
            "--set diversity.tokenize=unicode"
        ) from error


def tokens(texts: Texts, tokenizer: str, *, punctuation: bool) -> Tokens:
    """Words of each prediction, made once for all metrics that share the settings.

    Args:
        texts: What is scored.
        tokenizer: ``unicode``, ``nltk`` or ``whitespace``.
        punctuation: Whether words that are a single punctuation mark stay. With ``unicode`` these are all of
            Unicode's punctuation and symbols, else the ASCII ones, as in GEM-metrics.
    """
    return texts.derived(
        ("words", tokenizer, punctuation), lambda: split_all(texts.predictions, tokenizer, punctuation=punctuation)
    )


def split_all(lines: Sequence[str], tokenizer: str, *, punctuation: bool) -> Tokens:
    """Words of each text."""
    split = _SPLITTERS[tokenizer]
    rows = [split(line) for line in lines]
    if punctuation:
        return rows
    is_mark = _is_unicode_mark if tokenizer == "unicode" else _ASCII_PUNCTUATION.__contains__
    return [[word for word in row if not is_mark(word)] for row in rows]


def ink(text: str) -> str:
    """A text's letters alone: small, without ASCII punctuation and white space, one small sigma for both.

    Whatever the tokeniser, the ``ink`` of consecutive words stands in that of their text: tokenisers only cut, but for
    NLTK's exchange of double quotes, and a word lower-cased by itself differs in the sigma at most.
    """
    return "".join(text.lower().split()).translate(_INKLESS)


def ink_of_words(row: Sequence[str]) -> list[str]:
    """``ink`` of each of a text's words, which are small already."""
    return "\n".join(row).translate(_INKLESS).split("\n")


def _unicode(text: str) -> list[str]:
    text = text.lower()
    if not any(map(text.__contains__, _INFORMATION_SEPARATORS)):
        # No word spans white space, and most pieces between come again and again.
        pieces = text.split()
        if max(map(len, pieces), default=0) <= _LONGEST_KEPT:
            return list(chain.from_iterable(map(_cut, pieces)))
    return _find(text)


@lru_cache(maxsize=2**16)
def _cut(piece: str) -> tuple[str, ...]:
    return tuple(_find(piece))


def _find(text: str) -> list[str]:
    """Words of a small text."""
    if text.isascii():
        return _ASCII_WORDS.findall(text)
    found: list[str] = _unicode_pattern().findall(text)
    return found


def _whitespace(text: str) -> list[str]:
    return text.lower().split()


def _nltk(text: str) -> list[str]:
    # Lines, as no word holds a line's end, and lower case looks no further than that.
    found = word_tokenize(text)
    return "\n".join(found).lower().split("\n") if found else found


_SPLITTERS: dict[str, Callable[[str], list[str]]] = {"unicode": _unicode, "nltk": _nltk, "whitespace": _whitespace}


@lru_cache(maxsize=1)
def _unicode_pattern() -> Any:
    # The standard library's \w leaves out combining marks, which would cut Thai and Hindi words apart.
    import regex  # type: ignore[import-untyped]

    letters = r"[\p{L}\p{M}\p{N}_]+"
    return regex.compile(rf"{letters}(?:['’.,:\-‐‑]{letters})*|[^\s\p{{L}}\p{{M}}\p{{N}}_]")


def _is_unicode_mark(word: str) -> bool:
    return len(word) == 1 and unicodedata.category(word)[0] in "PS"
