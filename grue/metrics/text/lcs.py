"""Longest common subsequences on whole machine words: the same lengths and paths as the table, many times faster.

Hyyrö 2004's bit-vector recurrence: after each word of the reference, one integer holds a row of the usual table as
differences, a 0 bit where the length grows by one. ``indices`` walks back by the rule of `rouge-score`, so ties
fall as they do there.
"""

from __future__ import annotations

from collections.abc import Sequence


def length(reference: Sequence[str], hypothesis: Sequence[str]) -> int:
    """Length of the longest common subsequence."""
    rows = _rows(reference, hypothesis)
    return len(hypothesis) - rows[-1].bit_count()


def indices(reference: Sequence[str], hypothesis: Sequence[str]) -> list[int]:
    """Indices into ``reference`` of one longest common subsequence, ascending."""
    rows = _rows(reference, hypothesis)
    i, j = len(reference), len(hypothesis)
    found: list[int] = []
    while i > 0 and j > 0:
        if reference[i - 1] == hypothesis[j - 1]:
            i -= 1
            j -= 1
            found.append(i)
        elif _value(rows, i, j - 1) > _value(rows, i - 1, j):
            j -= 1
        else:
            i -= 1
    return found[::-1]


def _rows(reference: Sequence[str], hypothesis: Sequence[str]) -> list[int]:
    places: dict[str, int] = {}
    for position, word in enumerate(hypothesis):
        places[word] = places.get(word, 0) | (1 << position)
    everywhere = (1 << len(hypothesis)) - 1
    row = everywhere
    rows = [row]
    for word in reference:
        matches = row & places.get(word, 0)
        row = ((row + matches) | (row - matches)) & everywhere
        rows.append(row)
    return rows


def _value(rows: list[int], i: int, j: int) -> int:
    """Cell of the usual table: the length for the first i and j words."""
    return j - (rows[i] & ((1 << j) - 1)).bit_count()
