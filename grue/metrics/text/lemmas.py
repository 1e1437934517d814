"""Lemmas of English words by rule: irregular forms from a table, the others by their endings.

A word's part of speech is not looked at, so a word may have several lemmas ("left": left, leave); a rule that gives
no word does no harm where a lemma is only looked up among given ones. Nouns in -ing and the like that are no longer
felt as verb forms ("evening", "morning") stand for themselves alone.
"""

from __future__ import annotations

from grue.metrics.text.kept import kept
from grue.metrics.text.lemma_table import ADJECTIVES, IRREGULAR, THEMSELVES

VERSION = 1
_VOWELS = "aeiou"


@kept(2**16)
def lemmas(word: str) -> frozenset[str]:
    """All lemmas that a lower-cased word may have, itself among them."""
    found = {word, *IRREGULAR.get(word, ())}
    if word in THEMSELVES or len(word) < 3:
        return frozenset(found)
    found.update(_plural(word))
    found.update(_past(word))
    found.update(_progressive(word))
    for ending in ("er", "est"):
        if word.endswith(ending):
            found.update(base for base in _bases(word[: -len(ending)]) if base in ADJECTIVES)
    return frozenset(found)


def _plural(word: str) -> set[str]:
    """Nouns in the plural and verbs of the third person."""
    if word.endswith("men"):
        return {word[:-2] + "an"}
    if not word.endswith("s") or word.endswith("ss"):
        return set()
    found = {word[:-1]}
    if word.endswith("es"):
        stem = word[:-2]
        if stem.endswith(("s", "x", "z", "ch", "sh", "o")):
            found.add(stem)
        if stem.endswith(("ss", "zz")):
            found.add(stem[:-1])
        if stem.endswith("i"):
            found.add(stem[:-1] + "y")
        if stem.endswith("v"):
            found.update((stem[:-1] + "f", stem[:-1] + "fe"))
    return found


def _past(word: str) -> set[str]:
    if not word.endswith("ed") or len(word) < 4:
        return set()
    stem = word[:-2]
    if stem.endswith("i"):
        return {stem[:-1] + "y", stem + "e"}
    return _bases(stem)


def _progressive(word: str) -> set[str]:
    if not word.endswith("ing") or len(word) < 5:
        return set()
    stem = word[:-3]
    found = _bases(stem)
    if stem.endswith("y") and len(stem) < 4:
        found.add(stem[:-1] + "ie")
    return found


def _bases(stem: str) -> set[str]:
    """What a stem before -ed, -ing, -er or -est may be short for."""
    if not any(letter in _VOWELS or letter == "y" for letter in stem):
        return set()
    found = {stem, stem + "e"}
    if len(stem) > 2 and stem[-1] == stem[-2] and stem[-1] not in _VOWELS:
        found.add(stem[:-1])
    if stem.endswith("ck"):
        found.add(stem[:-1])
    if stem.endswith("i"):
        found.add(stem[:-1] + "y")
    return found
