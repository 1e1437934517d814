"""The PTB tokenisation of the COCO caption evaluation, without Java.

pycocoevalcap (1.2) hands texts to the PTBTokenizer of Stanford CoreNLP 3.4.1 with ``-preserveLines -lowerCase`` and
drops a list of punctuation tokens. This writes the same tokens from the rules of ``ptb_rules``: at each place the
longest token wins. Faults are kept: brackets stay as ``-lrb-`` and ``-rrb-``, since the list of dropped tokens holds
them in capitals, and characters that Unicode 6.1 does not know are no tokens. Each text is tokenised by itself; the
original reads one file of all texts, in which the last initial of a text (``X.``) can depend on the text after it.
"""

from __future__ import annotations

import re

from grue.metrics.text.ptb_chars import DIGITS
from grue.metrics.text.ptb_scanner import Scanner

VERSION = 1
DROPPED = frozenset(["''", "'", "``", "`", ".", "?", "!", ",", ":", "-", "--", "...", ";"])

_MOST_CHUNKS = 1 << 17
_LONGEST_KEPT = 64
_known: dict[str, tuple[str, ...]] = {}

# Wide blanks are passed over after a blank; elsewhere an address may hold them.
_CHUNK = re.compile("(?:(?<=[ \\t])[\\u00a0\\u2000-\\u200a\\u3000]+)?([^ \\t\\n\\r\\f]+)")
# What neighbours across a blank can change: numbers and tags that span blanks, the stop of initials and of "no. 5".
_DEPENDS = re.compile(f"[0-9<\\u00a0{DIGITS}]|(?<![A-Za-z]{{5}})\\.$|\\.(?i:com|net|org|edu)[a-zA-Z]{{1,4}}\\.$")


def tokenize(text: str) -> list[str]:
    """Lower-cased tokens without punctuation.

    >>> tokenize("Mr. Smith can't pay $5.50 (or more)!")
    ['mr.', 'smith', 'ca', "n't", 'pay', '$', '5.50', '-lrb-', 'or', 'more', '-rrb-']

    Blanks inside a token (a telephone number, ``1 1/2``) are no-break spaces, as in the original.
    """
    out: list[str] = []
    scanner = Scanner(text)
    position, known = 0, _known
    while found := _CHUNK.search(text, position):
        chunk = found[1]
        position = found.end()
        tokens = known.get(chunk)
        if tokens is None:
            if _DEPENDS.search(chunk):
                read, position = scanner.read(found.start(1))
                out += [token for token in read if token not in DROPPED]
                continue
            tokens = _read_alone(chunk)
        out += tokens
    return out


def _read_alone(chunk: str) -> tuple[str, ...]:
    tokens = tuple(token for token in Scanner(chunk).read(0)[0] if token not in DROPPED)
    if len(chunk) <= _LONGEST_KEPT:
        if len(_known) >= _MOST_CHUNKS:
            _known.clear()
        _known[chunk] = tokens
    return tokens
