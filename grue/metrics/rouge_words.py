"""What ROUGE compares: a text's words, its word pairs and its lines, made once for all metrics of the family.

Words are runs of a-z and 0-9 in the lower-cased text, those of more than three letters stemmed by NLTK's Porter
stemmer, as `rouge-score` 0.1.2 makes them. They are numbered, and the k-th occurrence of one is a value of its own, so
that counting common words or n-grams is an intersection of sets.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from grue.core.metric import Texts
from grue.metrics.text import lcs, sentences
from grue.metrics.text.stems import porter

Grams = frozenset[int] | set[int]

# Words of one text times distinct lines of the other that take some seconds.
MOST_STEPS = 10**7
_NUMBER_BITS = 32
_TIMES = 1 << 96
# Every byte but a-z and 0-9 is a blank.
_BLANKS = bytes(byte if chr(byte) in "abcdefghijklmnopqrstuvwxyz0123456789" else 32 for byte in range(256))


def surface(text: str) -> list[str]:
    """The words of a text before stemming."""
    return text.lower().encode("ascii", "replace").translate(_BLANKS).decode("ascii").split()


def stemmed(word: str) -> str:
    """The form of a word that is compared where stems are."""
    return porter(word) if len(word) > 3 else word


def split_words(text: str, *, use_stemmer: bool) -> list[str]:
    """The words of a text as they are compared."""
    found = surface(text)
    return [stemmed(word) for word in found] if use_stemmer else found


class Numbers(dict[bytes, int]):
    """Numbers of words: forms with one stem share theirs."""

    def __init__(self, *, use_stemmer: bool) -> None:
        super().__init__()
        self._use_stemmer = use_stemmer
        self._known: dict[str, int] = {}

    def __missing__(self, word: bytes) -> int:
        form = word.decode("ascii")
        number = self._known.setdefault(stemmed(form) if self._use_stemmer else form, len(self._known))
        self[word] = number
        return number

    def of(self, text: str) -> list[int]:
        """The numbers of a text's words, in order."""
        return [self[word] for word in text.lower().encode("ascii", "replace").translate(_BLANKS).split()]


class Line:
    """The words of a text or of one of its lines."""

    __slots__ = ("_places", "numbers")

    def __init__(self, numbers: list[int]) -> None:
        self.numbers = numbers
        self._places: dict[Hashable, int] | None = None

    @property
    def places(self) -> dict[Hashable, int] | None:
        """For each word, a bit for every position at which it stands; ``None`` for a long text, too large to keep."""
        if self._places is None and len(self.numbers) <= lcs.SHORT:
            self._places = lcs.places(self.numbers)
        return self._places


class Words(Line):
    """All that the metrics ask of one text."""

    __slots__ = ("_grams", "_lines", "_text")

    def __init__(self, numbers: list[int], text: str) -> None:
        super().__init__(numbers)
        self._text = text
        self._grams: dict[int, Grams] = {}
        self._lines: dict[str, list[Line]] = {}

    def grams(self, order: int) -> Grams:
        """The n-grams as a set: repeated ones with their count of earlier occurrences."""
        if order not in self._grams:
            self._grams[order] = _occurrences(self._joined(order))
        return self._grams[order]

    def lines(self, rule: str, numbers: Numbers) -> list[Line]:
        """The lines that have words, by ``newline`` or ``sentence``."""
        if rule not in self._lines:
            pieces = sentences.split(self._text) if rule == "sentence" else self._text.split("\n")
            lines = [Line(found) for piece in pieces if (found := numbers.of(piece))] if len(pieces) > 1 else [self]
            self._lines[rule] = [line for line in lines if line.numbers]
        return self._lines[rule]

    def _joined(self, order: int) -> Sequence[int]:
        joined: Sequence[int] = self.numbers
        for start in range(1, order):
            joined = [(left << _NUMBER_BITS) | right for left, right in zip(joined, self.numbers[start:], strict=False)]
        return joined


class Compared:
    """Pairs of texts under one choice of stemming."""

    def __init__(self, *, use_stemmer: bool) -> None:
        self.numbers = Numbers(use_stemmer=use_stemmer)
        self._words: dict[str, Words] = {}
        self._subsequences: dict[tuple[str, str], int] = {}

    def words(self, text: str) -> Words:
        """A text's words."""
        found = self._words.get(text)
        if found is None:
            found = self._words[text] = Words(self.numbers.of(text), text)
        return found

    def subsequence(self, reference: str, prediction: str) -> int:
        """Length of the longest common subsequence of two texts."""
        key = (reference, prediction)
        if key not in self._subsequences:
            left, right = self.words(reference), self.words(prediction)
            self._subsequences[key] = lcs.length(left.numbers, right.numbers, right.places)
        return self._subsequences[key]

    def union(self, reference: str, prediction: str, rule: str) -> int:
        """Words in the union of subsequences over lines, none counted oftener than the prediction has it."""
        left, right = self.words(reference), self.words(prediction)
        mine, theirs = left.lines(rule, self.numbers), right.lines(rule, self.numbers)
        if len(mine) == len(theirs) == 1:
            # One subsequence: no word of it is counted twice.
            return self.subsequence(reference, prediction)
        return len(_occurrences([number for line in unions(mine, theirs) for number in line]) & right.grams(1))


def unions(reference: Sequence[Line], prediction: Sequence[Line]) -> list[list[int]]:
    """For each line of the reference, its words in a longest common subsequence with any line of the prediction.

    Raises:
        ValueError: where the lines are so many, or so long, that the comparison is beyond reach.
    """
    # Equal lines have equal subsequences.
    others = list({tuple(line.numbers): line for line in prediction}.values())
    known: dict[tuple[int, ...], list[int]] = {}
    work = 0
    for line in reference:
        key = tuple(line.numbers)
        if key in known:
            continue
        work += (len(key) + 1) * len(others)
        if work > MOST_STEPS:
            raise ValueError(
                f"texts of {len(reference)} and {len(prediction)} lines are too long for subsequences of all pairs of "
                f"lines: words of one times lines of the other may be {MOST_STEPS}"
            )
        distinct = set(key)
        spots: set[int] = set()
        for other in others:
            if not distinct.isdisjoint(other.numbers):
                spots.update(lcs.indices(line.numbers, other.numbers, other.places))
        known[key] = [key[spot] for spot in sorted(spots)]
    return [known[tuple(line.numbers)] for line in reference]


def union_size(united: Sequence[Sequence[int]], prediction: Sequence[int]) -> int:
    """Words of the unions of all lines, none counted oftener than the prediction has it."""
    return len(_occurrences([number for line in united for number in line]) & _occurrences(prediction))


def compared(texts: Texts, *, use_stemmer: bool) -> Compared:
    """What all ROUGE metrics of one choice of stemming share of a portion."""
    make: Callable[[], Compared] = lambda: Compared(use_stemmer=use_stemmer)  # noqa: E731
    return texts.derived(("rouge", use_stemmer), make)


def _occurrences(values: Sequence[int]) -> Grams:
    distinct = set(values)
    if len(distinct) == len(values):
        return distinct
    seen: dict[int, int] = {}
    tagged = set()
    for value in values:
        times = seen.get(value, 0)
        seen[value] = times + 1
        tagged.add(value + times * _TIMES if times else value)
    return tagged
