"""Words of captions as 64-bit numbers, and their n-grams as arrays: what the COCO metrics count with.

A word's number is the first 8 bytes of its BLAKE2b hash, an n-gram's a mix of its words' numbers. Two of a hundred
million different n-grams share a number with a chance below 1 in 1,000, and then one count is off by one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grue.core.metric import Texts
from grue.metrics.text import ptb

ORDERS = (1, 2, 3, 4)
WORD_BYTES = 8
_MOST_WORDS = 1 << 18
_LONGEST_KEPT = 64

Numbers = NDArray[np.uint64]
Whole = NDArray[np.int64]


class _Codes(dict[str, bytes]):
    def __missing__(self, word: str) -> bytes:
        code = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=WORD_BYTES).digest()
        if code == bytes(WORD_BYTES):  # zero separates references
            code = b"\1" * WORD_BYTES
        if len(word) <= _LONGEST_KEPT:
            if len(self) >= _MOST_WORDS:
                self.clear()
            self[word] = code
        return code


_codes = _Codes()
SEPARATOR = bytes(WORD_BYTES)


def caption(text: str, tokenize: str) -> str:
    """The text that the scorers read: PTB tokens joined by blanks, or the text itself."""
    return " ".join(ptb.tokenize(text)) if tokenize == "ptb" else text


def code(words: Sequence[str]) -> bytes:
    """Numbers of words, 8 bytes each."""
    codes = _codes
    return b"".join([codes[word] for word in words])


@dataclass(frozen=True, slots=True)
class Captions:
    """Tokenised texts of a portion, each distinct text once.

    Attributes:
        tokenize: ``ptb`` or ``whitespace``.
        captions: Text -> caption.
        coded: Text -> numbers of its words.
    """

    tokenize: str
    captions: dict[str, str]
    coded: dict[str, bytes]

    def caption(self, text: str) -> str:
        """The caption of a text."""
        known = self.captions.get(text)
        if known is None:
            known = self.captions[text] = caption(text, self.tokenize)
        return known

    def code(self, text: str) -> bytes:
        """The numbers of a text's words. Words end at any white space, also at one inside a PTB token."""
        known = self.coded.get(text)
        if known is None:
            known = self.coded[text] = code(self.caption(text).split())
        return known


def captions(texts: Texts, tokenize: str) -> Captions:
    """Captions of a portion, shared by all metrics of the family."""
    return texts.derived(("coco captions", tokenize), lambda: Captions(tokenize, {}, {}))


@dataclass(frozen=True, slots=True)
class Grams:
    """All n-grams of one order in a list of texts, in their order.

    Attributes:
        keys: Their numbers, shape (m,).
        unit: Index of the text each is of, shape (m,), ascending.
    """

    keys: Numbers
    unit: Whole


def lengths_of(coded: Sequence[bytes]) -> Whole:
    """Words a text, shape (n,)."""
    return np.fromiter((len(one) // WORD_BYTES for one in coded), dtype=np.int64, count=len(coded))


def grams_of(coded: Sequence[bytes], orders: Sequence[int] = ORDERS) -> Iterator[Grams]:
    """N-grams of texts, order by order from 1 to the last."""
    words = np.frombuffer(b"".join(coded), dtype="<u8").astype(np.uint64, copy=False)
    unit = np.repeat(np.arange(len(coded), dtype=np.int64), lengths_of(coded))
    keys = words
    for order in orders:
        if order > 1:
            keys = mixed(keys[:-1], words[order - 1 :])
        inside = unit[: len(keys)] == unit[order - 1 :] if len(keys) else np.zeros(0, dtype=bool)
        yield Grams(keys[inside], unit[: len(keys)][inside])


def mixed(keys: Numbers, words: Numbers) -> Numbers:
    """Numbers of n-grams one word longer."""
    out = keys * np.uint64(0x9E3779B97F4A7C15) + words
    out ^= out >> np.uint64(32)
    out *= np.uint64(0xD6E8FEB86659FD93)
    out ^= out >> np.uint64(29)
    return out


@dataclass(frozen=True, slots=True)
class Counted:
    """N-grams of one order, each text's own once with its count.

    Attributes:
        distinct: Numbers of all n-grams that occur, ascending, shape (g,).
        unit: Text of each entry, ascending, shape (m,).
        gram: Index into ``distinct``, shape (m,).
        count: How often the text has it, shape (m,).
    """

    distinct: Numbers
    unit: Whole
    gram: Whole
    count: Whole


def counted(grams: Grams) -> Counted:
    """Count n-grams a text."""
    distinct, gram = np.unique(grams.keys, return_inverse=True)
    size = max(len(distinct), 1)
    both, count = np.unique(grams.unit * size + gram, return_counts=True)
    return Counted(distinct, both // size, both % size, count)
