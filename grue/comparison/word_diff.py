"""Which words of two texts differ."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

_PIECES = re.compile(r"\s+|\w+|[^\w\s]")
# Beyond this many words the matcher leaves frequent ones out of account, which keeps its time linear.
_EXACT_PIECES = 1500


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a text; ``differs`` where the other text does not have it there."""

    text: str
    differs: bool


def word_diff(left: str, right: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts cut into equal and differing stretches; joined, each side's pieces are its text.

    >>> [piece.text for piece in word_diff("a red cat", "a blue cat")[1] if piece.differs]
    ['blue']
    """
    ours, theirs = _PIECES.findall(left), _PIECES.findall(right)
    matcher = SequenceMatcher(None, ours, theirs, autojunk=len(ours) + len(theirs) > _EXACT_PIECES)
    out: tuple[list[Piece], list[Piece]] = ([], [])
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        for side, pieces in zip(out, (ours[i1:i2], theirs[j1:j2]), strict=True):
            _add(side, "".join(pieces), differs=kind != "equal")
    return _joined(out[0]), _joined(out[1])


def _add(side: list[Piece], text: str, *, differs: bool) -> None:
    if text:
        side.append(Piece(text, differs))


def _joined(side: list[Piece]) -> list[Piece]:
    """A blank between two differing stretches differs too: marks of single words are hard to read."""
    out: list[Piece] = []
    for at, piece in enumerate(side):
        is_gap = piece.text.isspace() and 0 < at < len(side) - 1 and side[at - 1].differs and side[at + 1].differs
        differs = piece.differs or is_gap
        if out and out[-1].differs == differs:
            out[-1] = Piece(out[-1].text + piece.text, differs)
        else:
            out.append(Piece(piece.text, differs))
    return out
