"""Longest common subsequences on bit vectors: the lengths and paths of the usual table, many times faster.

Hyyrö 2004's recurrence: after each word of the reference, one integer holds a row of the table as differences, a 0 bit
where the length grows by one. ``indices`` walks back by the rule of `rouge-score` and `py-rouge` (a match is always
taken; else left only where that is strictly longer), so ties fall as they do there.

Words are any values that can be compared and hashed; integers are fastest.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

Places = Mapping[Hashable, int]

# Up to so many words, all their bits are small; longer texts are reduced first.
SHORT = 4096
# Product of the two lengths: bits that are worked through in seconds, and that may be kept in memory.
MOST_CELLS = 4 * 10**9


def places(hypothesis: Sequence[Hashable]) -> dict[Hashable, int]:
    """For each word, a bit for every position at which it stands."""
    found: dict[Hashable, int] = {}
    if len(hypothesis) <= SHORT:
        bit = 1
        for word in hypothesis:
            found[word] = found.get(word, 0) | bit
            bit <<= 1
        return found
    return _places_of(set(hypothesis), hypothesis)


def _places_of(wanted: set[Hashable], hypothesis: Sequence[Hashable]) -> dict[Hashable, int]:
    """The places of some words; setting bits one by one in long integers would be quadratic in the length."""
    found: dict[Hashable, int] = {}
    spots: dict[Hashable, list[int]] = {}
    for position, word in enumerate(hypothesis):
        if word in wanted:
            spots.setdefault(word, []).append(position)
    for word, positions in spots.items():
        row = bytearray(positions[-1] // 8 + 1)
        for position in positions:
            row[position >> 3] |= 1 << (position & 7)
        found[word] = int.from_bytes(row, "little")
    return found


def length(reference: Sequence[Hashable], hypothesis: Sequence[Hashable], where: Places | None = None) -> int:
    """Length of the longest common subsequence.

    Args:
        reference: Words.
        hypothesis: Words.
        where: ``places(hypothesis)`` where it is known already; not read for more than ``SHORT`` words.

    Raises:
        ValueError: where both have so many common words that the comparison is beyond reach.
    """
    if len(hypothesis) > SHORT:
        return _long(reference, hypothesis)
    where = places(hypothesis) if where is None else where
    row = everywhere = (1 << len(hypothesis)) - 1
    get = where.get
    for word in reference:
        if at := get(word):
            common = row & at
            row = (row + common) | (row - common)
    # Carries leave bits above the last position.
    return len(hypothesis) - (row & everywhere).bit_count()


def indices(reference: Sequence[Hashable], hypothesis: Sequence[Hashable], where: Places | None = None) -> list[int]:
    """Indices into ``reference`` of one longest common subsequence, descending.

    Args:
        reference: Words.
        hypothesis: Words.
        where: ``places(hypothesis)`` where it is known already; not read for more than ``SHORT`` words.

    Raises:
        ValueError: where both have so many common words that the comparison is beyond reach.
    """
    found: list[int] = []
    end = len(hypothesis)
    if end > SHORT:
        # At the end of both, the walk takes equal words whatever stands before.
        tail = _same_end(reference, hypothesis)
        found.extend(range(len(reference) - 1, len(reference) - 1 - tail, -1))
        reference, hypothesis = reference[: len(reference) - tail], hypothesis[: end - tail]
        end = len(hypothesis)
        theirs = set(hypothesis)
        _check(sum(word in theirs for word in reference), end)
        where = _places_of(set(reference), hypothesis)
    where = places(hypothesis) if where is None else where
    kept = [(index, at) for index, word in enumerate(reference) if (at := where.get(word))]
    _check(len(kept), end)
    everywhere = (1 << end) - 1
    row = everywhere
    changes = []
    for _, at in kept:
        common = row & at
        new = ((row + common) | (row - common)) & everywhere
        changes.append(row ^ new)
        row = new
    below = everywhere
    for (index, at), change in zip(reversed(kept), reversed(changes), strict=True):
        last = (at & below).bit_length()
        # A row is longer than the one above at those columns that have an odd number of changes up to them. There the
        # walk goes left to the nearest match; at a match it takes it; else it goes up.
        if last and (last == end or (change & below).bit_count() & 1):
            found.append(index)
            end = last - 1
            below = (1 << end) - 1
    return found


def _long(reference: Sequence[Hashable], hypothesis: Sequence[Hashable]) -> int:
    """The length for long texts: equal ends and words that the other side lacks need no table."""
    tail = _same_end(reference, hypothesis)
    reference, hypothesis = reference[: len(reference) - tail], hypothesis[: len(hypothesis) - tail]
    head = _same_end(reference[::-1], hypothesis[::-1])
    reference, hypothesis = reference[head:], hypothesis[head:]
    common = set(reference) & set(hypothesis)
    reference = [word for word in reference if word in common]
    hypothesis = [word for word in hypothesis if word in common]
    _check(len(reference), len(hypothesis))
    if len(hypothesis) > len(reference):
        reference, hypothesis = hypothesis, reference
    where = places(hypothesis)
    row = everywhere = (1 << len(hypothesis)) - 1
    for word in reference:
        matches = row & where[word]
        row = ((row + matches) | (row - matches)) & everywhere
    return head + tail + len(hypothesis) - row.bit_count()


def _same_end(reference: Sequence[Hashable], hypothesis: Sequence[Hashable]) -> int:
    count = 0
    for left, right in zip(reversed(reference), reversed(hypothesis), strict=False):
        if left != right:
            break
        count += 1
    return count


def _check(n_reference: int, n_hypothesis: int) -> None:
    if n_reference * n_hypothesis > MOST_CELLS:
        raise ValueError(
            f"texts of {n_reference} and {n_hypothesis} words that both have are too long for a longest common "
            f"subsequence: the product of the two numbers may be {MOST_CELLS}"
        )
