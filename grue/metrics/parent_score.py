"""PARENT of one prediction from token lists: n-grams entailed by table or reference (Dhingra et al. 2019).

Word-overlap entailment with the mention probability by longest common subsequence, as the ToTTo evaluation runs it:
n-gram orders 1 to 4, zeros at the higher orders replaced by a small constant, and, unless a number is given, the
weight of the table taken from each reference: 1 minus the mean share of the highlighted values that it mentions.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Words = Sequence[str]
Counts = Counter[tuple[str, ...]]
_TINY = 1e-8  # keeps the F of nothing at 0
_SHORT = 1000  # words up to which a text's positions are bits from the start
MAX_BITS = 2**31  # words of a value times words of a text; more would take minutes and gigabytes


@dataclass(frozen=True, slots=True)
class Parent:
    """Precision, recall and F of a prediction against one reference and its table."""

    precision: float
    recall: float
    f: float


@dataclass(frozen=True, slots=True)
class Rule:
    """Settings of the metric.

    Attributes:
        weight: Weight of the table in the recall, 0 to 1; ``None`` takes it from each reference.
        max_order: Longest n-grams.
        smoothing: In the place of zeros at the higher orders.
    """

    weight: float | None = None
    max_order: int = 4
    smoothing: float = 1e-5


@dataclass(frozen=True, slots=True)
class Side:
    """A text prepared once: its n-grams by order, and where each word stands, as bits; as numbers in a long text."""

    n_words: int
    ngrams: tuple[Counts, ...]
    places: Mapping[str, int | list[int]]

    @classmethod
    def of(cls, words: Words, max_order: int) -> Side:
        """Prepare a text."""
        ngrams = tuple(
            Counter(zip(*(words[start:] for start in range(order)), strict=False)) for order in range(1, max_order + 1)
        )
        return cls(len(words), ngrams, _bits_of(words) if len(words) <= _SHORT else _numbers_of(words))

    def mentioned(self, value: Words) -> float:
        """Share of a value's words that a longest common subsequence with this text holds (Hyyrö 2004).

        Raises:
            ValueError: where value and text are too long for each other.
        """
        if len(value) * self.n_words > MAX_BITS:
            raise ValueError(
                f"parent: a value of {len(value):,} words against a text of {self.n_words:,}; the product may be "
                f"{MAX_BITS:,}"
            )
        everywhere = (1 << self.n_words) - 1
        row = everywhere
        places: Mapping[str, int | list[int]] = self.places
        if self.n_words > _SHORT:
            places = {word: _bits(places[word], self.n_words) for word in set(value) if word in places}
        for word in value:
            if matches := row & places.get(word, 0):  # type: ignore[operator]
                row = ((row + matches) | (row - matches)) & everywhere
        return (self.n_words - row.bit_count()) / len(value)


def _bits_of(words: Words) -> dict[str, int | list[int]]:
    places: dict[str, int] = {}
    for position, word in enumerate(words):
        places[word] = places.get(word, 0) | (1 << position)
    return dict(places)


def _numbers_of(words: Words) -> dict[str, int | list[int]]:
    places: dict[str, list[int]] = {}
    for position, word in enumerate(words):
        places.setdefault(word, []).append(position)
    return dict(places)


def _bits(positions: int | list[int], n_words: int) -> int:
    if isinstance(positions, int):
        return positions
    row = bytearray(n_words // 8 + 1)
    for position in positions:
        row[position >> 3] |= 1 << (position & 7)
    return int.from_bytes(row, "little")


@dataclass(frozen=True, slots=True)
class Facts:
    """A table prepared once.

    Attributes:
        words: All words of the whole table's values: what may be said.
        recalled: The words of each highlighted value and title: what should be said.
    """

    words: frozenset[str]
    recalled: tuple[tuple[str, ...], ...]
    shares: dict[tuple[str, ...], float] = field(default_factory=dict, compare=False, repr=False)

    def entailed(self, ngram: tuple[str, ...]) -> float:
        """Share of an n-gram's words that the table has."""
        share = self.shares.get(ngram)
        if share is None:
            share = self.shares[ngram] = sum(word in self.words for word in ngram) / len(ngram)
        return share

    def recall(self, text: Side) -> float:
        """Mean share of the recalled values that a text mentions; 1 where there is nothing to mention."""
        if not self.recalled:
            return 1.0
        return sum(map(text.mentioned, self.recalled)) / len(self.recalled)


def best(prediction: Side, references: Sequence[Side], facts: Facts, rule: Rule) -> tuple[Parent, int]:
    """The scores against the reference with the best F, and its index; the first among equals."""
    table_recall = max(facts.recall(prediction), rule.smoothing)
    scores = [score(prediction, reference, facts, rule, table_recall) for reference in references]
    index = max(range(len(scores)), key=lambda i: scores[i].f)
    return scores[index], index


def score(prediction: Side, reference: Side, facts: Facts, rule: Rule, table_recall: float) -> Parent:
    """The scores against one reference.

    Args:
        prediction: The text.
        reference: A reference.
        facts: The row's table.
        rule: Settings.
        table_recall: Share of the recalled values that the prediction mentions, at least the smoothing.
    """
    precision = _precision(prediction, reference, facts, rule)
    weight = 1.0 - facts.recall(reference) if rule.weight is None else rule.weight
    recall = _recall(prediction, reference, facts, rule) ** (1.0 - weight) * table_recall**weight
    return Parent(precision, recall, 2.0 * precision * recall / (precision + recall + _TINY))


def _precision(prediction: Side, reference: Side, facts: Facts, rule: Rule) -> float:
    shares = []
    for said, wanted in zip(prediction.ngrams, reference.ngrams, strict=True):
        total, credit = 0, 0.0
        for ngram, count in said.items():
            total += count
            known = min(1.0, wanted[ngram] / count) if ngram in wanted else 0.0
            credit += count * (known + (1.0 - known) * facts.entailed(ngram))
        shares.append(credit / total if total else 0.0)
    return _geometric(shares, rule) if shares[0] > 0.0 else 0.0


def _recall(prediction: Side, reference: Side, facts: Facts, rule: Rule) -> float:
    shares = []
    for said, wanted in zip(prediction.ngrams, reference.ngrams, strict=True):
        total, credit = 0.0, 0.0
        for ngram, count in wanted.items():
            weight = count * facts.entailed(ngram)
            total += weight
            if ngram in said:
                credit += weight * min(1.0, said[ngram] / count)
        shares.append(credit / total if total > 0.0 else 1.0)
    return _geometric(shares, rule) if shares[0] > 0.0 else rule.smoothing


def _geometric(shares: Sequence[float], rule: Rule) -> float:
    # A zero beyond single words would wipe out what the shorter ones found.
    kept = [share if share > 0.0 else rule.smoothing for share in shares]
    if min(kept) <= 0.0:
        return 0.0
    return math.exp(sum(map(math.log, kept)) / len(kept))
