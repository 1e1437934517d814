"""English and German noun phrases with definite article, adjective and case, for the translation rows."""

from __future__ import annotations

from dataclasses import dataclass

_ARTICLES = {
    "m": {"nom": "der", "acc": "den", "dat": "dem"},
    "f": {"nom": "die", "acc": "die", "dat": "der"},
    "n": {"nom": "das", "acc": "das", "dat": "dem"},
    "p": {"nom": "die", "acc": "die", "dat": "den"},
}
_CONTRACTIONS = {"von dem": "vom", "zu dem": "zum", "zu der": "zur", "in dem": "im", "an dem": "am", "bei dem": "beim"}


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun in both languages; German case endings are given where the bare form does not serve.

    Attributes:
        en: English noun.
        de: German noun, nominative (of a plural noun: nominative plural).
        gender: ``m``, ``f``, ``n`` or ``p`` for a plural noun in both languages.
        oblique: Accusative and dative of a weak masculine noun, or the dative of a plural.
    """

    en: str
    de: str
    gender: str
    oblique: str = ""


@dataclass(frozen=True, slots=True)
class Adjective:
    """An adjective; ``de`` is the stem that takes the weak endings."""

    en: str
    de: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """``the`` + adjective (where there is one) + noun, in the cases that the frames use."""

    en: str
    nom: str
    acc: str
    dat: str
    plural: bool

    @property
    def von(self) -> str:
        """With ``von`` before it, contracted as it is spoken."""
        return contracted("von", self.dat)

    @property
    def zu(self) -> str:
        """With ``zu`` before it, contracted as it is spoken."""
        return contracted("zu", self.dat)

    @property
    def ist(self) -> str:
        """``ist`` or ``sind``, as the number asks."""
        return "sind" if self.plural else "ist"

    @property
    def wird(self) -> str:
        """``wird`` or ``werden``, as the number asks."""
        return "werden" if self.plural else "wird"

    @property
    def war(self) -> str:
        """``war`` or ``waren``, as the number asks."""
        return "waren" if self.plural else "war"

    @property
    def is_(self) -> str:
        """``is`` or ``are``, as the number asks."""
        return "are" if self.plural else "is"

    @property
    def was(self) -> str:
        """``was`` or ``were``, as the number asks."""
        return "were" if self.plural else "was"


def phrase(noun: Noun, adjective: Adjective | None = None) -> Phrase:
    """The definite noun phrase of a noun, with an adjective between article and noun where one is given."""
    forms = {case: _form(noun, adjective, case) for case in ("nom", "acc", "dat")}
    english = f"the {adjective.en} {noun.en}" if adjective else f"the {noun.en}"
    return Phrase(english, forms["nom"], forms["acc"], forms["dat"], noun.gender == "p")


def contracted(preposition: str, dative: str) -> str:
    """Preposition and dative phrase, with the article drawn in where German does so."""
    word, _, rest = dative.partition(" ")
    joined = f"{preposition} {word}"
    return f"{_CONTRACTIONS.get(joined, joined)} {rest}"


def _form(noun: Noun, adjective: Adjective | None, case: str) -> str:
    bends = case == "dat" or (case == "acc" and noun.gender == "m")
    bare = noun.oblique if noun.oblique and bends else noun.de
    ending = "en" if noun.gender == "p" or case == "dat" or (case == "acc" and noun.gender == "m") else "e"
    middle = f"{adjective.de}{ending} " if adjective else ""
    return f"{_ARTICLES[noun.gender][case]} {middle}{bare}"
