"""Which words, word pairs and subsequences of two texts match, in the words of the texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from grue.core.metric import Part
from grue.metrics.rouge_words import stemmed, surface
from grue.metrics.text import lcs, sentences

MOST = 40


def gram_part(reference: str, prediction: str, order: int, *, use_stemmer: bool) -> Part:
    """Matched, missing and extra n-grams, at most 40 of each, in the order of the texts."""
    form = stemmed if use_stemmer else str
    mine, theirs = _grams(prediction, order, form), _grams(reference, order, form)
    matched, extra = _sorted_out(mine, Counter(key for key, _ in theirs))
    _, missing = _sorted_out(theirs, Counter(key for key, _ in mine))
    return Part("words" if order == 1 else f"{order}-grams", matched, missing, extra)


def subsequence_part(reference: str, prediction: str, rule: str, *, use_stemmer: bool) -> Part:
    """The subsequence that counted, and the words of either side outside it, at most 40 of each.

    Args:
        reference: A text.
        prediction: A text.
        rule: How texts are cut into lines, ``newline`` or ``sentence``; empty for one line.
        use_stemmer: Whether stems are compared.
    """
    form = stemmed if use_stemmer else str
    mine = [surface(line) for line in _lines(prediction, rule)]
    stems = [[form(word) for word in line] for line in mine]
    left = Counter(word for line in stems for word in line)
    matched: list[str] = []
    missing: list[str] = []
    for line in _lines(reference, rule):
        words = surface(line)
        keys = [form(word) for word in words]
        union = {index for other in stems for index in lcs.indices(keys, other)}
        for index, key in enumerate(keys):
            hit = index in union and left[key] > 0
            left[key] -= hit
            (matched if hit else missing).append(words[index])
    extra = [word for line in mine for word in line if _take(left, form(word))]
    return Part("subsequence words", tuple(matched[:MOST]), tuple(missing[:MOST]), tuple(extra[:MOST]))


def _lines(text: str, rule: str) -> list[str]:
    if not rule:
        return [text]
    return sentences.split(text) if rule == "sentence" else text.split("\n")


def _take(left: Counter[str], key: str) -> bool:
    left[key] -= 1
    return left[key] >= 0


def _grams(text: str, order: int, form: Callable[[str], str]) -> list[tuple[tuple[str, ...], str]]:
    words = surface(text)
    keys = [form(word) for word in words]
    return [
        (tuple(keys[start : start + order]), " ".join(words[start : start + order]))
        for start in range(len(words) - order + 1)
    ]


def _sorted_out(
    grams: Sequence[tuple[tuple[str, ...], str]], others: Counter[tuple[str, ...]]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """N-grams that the other side has, each as often as there, and those that it has not."""
    found: list[str] = []
    lacking: list[str] = []
    for key, words in grams:
        others[key] -= 1
        (found if others[key] >= 0 else lacking).append(words)
    return tuple(found[:MOST]), tuple(lacking[:MOST])
