"""NLTK's ``word_tokenize`` in English mode, with a short way for plain sentences: the same words, several times faster.

A plain sentence is words of letters and digits (hyphens inside allowed) with one blank between them, the clitics that
NLTK splits off (``'s``, ``n't`` …), commas, and at most one mark at the end: there, none of NLTK's other rules applies
and Punkt sees one sentence. Everything else goes through NLTK, sentence by sentence.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

_WORD = r"[^\W_]++(?:-[^\W_]++)*+"
# "n't" needs a letter before it, and NLTK knows clitics in all small or all capital letters only.
_CLITIC = r"'(?:[sSmMdD]|ll|LL|re|RE|ve|VE|(?<=[^\W_]n')t|(?<=[^\W_]N')T)(?![\w'-])"
_PLAIN = re.compile(rf"(?>{_WORD}(?:{_CLITIC})?,? )*+{_WORD}(?:{_CLITIC})? ?[.!?]?")
_SPLIT_CLITIC = re.compile(r"n't|N'T|'")
# Words that NLTK cuts in two.
_CUT = re.compile("cannot|gimme|gonna|gotta|lemme|wanna", re.IGNORECASE)


def word_tokenize(text: str) -> list[str]:
    """The words of a text, case kept.

    Raises:
        LookupError: where Punkt's data are needed and missing.
    """
    if (plain := plain_words(text)) is not None:
        return plain
    from nltk.tokenize import sent_tokenize

    tokenizer = _tokenizer()
    words: list[str] = []
    for sentence in sent_tokenize(text):
        plain = plain_words(sentence)
        words += tokenizer.tokenize(sentence) if plain is None else plain
    return words


def plain_words(text: str) -> list[str] | None:
    """The words of a plain sentence; ``None`` for any other text."""
    if not _PLAIN.fullmatch(text) or _CUT.search(text):
        return None
    if "'" in text:
        text = _SPLIT_CLITIC.sub(r" \g<0>", text)
    if "," in text:
        text = text.replace(",", " ,")
    if text[-1] in ".!?":
        text = f"{text[:-1]} {text[-1]}"
    return text.split()


@lru_cache(maxsize=1)
def _tokenizer() -> Any:
    from nltk.tokenize import NLTKWordTokenizer

    return NLTKWordTokenizer()
