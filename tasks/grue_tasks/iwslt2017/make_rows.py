"""Writes the embedded IWSLT rows, sentences of invented talks: ``python -m grue_tasks.iwslt2017.make_rows``."""

from __future__ import annotations

import random
from collections.abc import Hashable

from grue_tasks._writing.german import Adjective, Noun, phrase
from grue_tasks._writing.splits import Record, data_folder, distinct, sentence_case, write_splits

_COUNTS = {"train": 700, "validation": 24, "test": 46}

_THINGS = (
    Noun("idea", "Idee", "f"),
    Noun("book", "Buch", "n"),
    Noun("machine", "Maschine", "f"),
    Noun("language", "Sprache", "f"),
    Noun("bridge", "Brücke", "f"),
    Noun("tree", "Baum", "m"),
    Noun("river", "Fluss", "m"),
    Noun("street", "Straße", "f"),
    Noun("school", "Schule", "f"),
    Noun("house", "Haus", "n"),
    Noun("garden", "Garten", "m"),
    Noun("village", "Dorf", "n"),
    Noun("cities", "Städte", "p", "Städten"),
    Noun("robot", "Roboter", "m"),
)
_LIVING = (
    Noun("teacher", "Lehrer", "m"),
    Noun("doctor", "Arzt", "m"),
    Noun("children", "Kinder", "p", "Kindern"),
    Noun("bees", "Bienen", "p"),
    Noun("animals", "Tiere", "p", "Tieren"),
    Noun("elephant", "Elefant", "m", "Elefanten"),
)
_OF_THINGS = (
    Adjective("old", "alt"),
    Adjective("new", "neu"),
    Adjective("small", "klein"),
    Adjective("big", "groß"),
    Adjective("beautiful", "schön"),
    Adjective("strange", "seltsam"),
)
_OF_LIVING = (Adjective("young", "jung"), Adjective("strange", "seltsam"), Adjective("first", "erst"))
_VERBS = (
    ("understand", "verstehen"),
    ("protect", "schützen"),
    ("save", "retten"),
    ("change", "verändern"),
    ("find", "finden"),
)
_FAMILY = (
    ("mother", "Meine Mutter"),
    ("father", "Mein Vater"),
    ("sister", "Meine Schwester"),
    ("brother", "Mein Bruder"),
    ("daughter", "Meine Tochter"),
    ("grandmother", "Meine Großmutter"),
)
_COUNT_WORDS = (("two", "zwei"), ("three", "drei"), ("five", "fünf"), ("ten", "zehn"), ("twelve", "zwölf"))
_FRAMES = (
    ("I want to tell you about {en}.", "Ich möchte Ihnen {von} erzählen."),
    ("This is a picture of {en}.", "Das ist ein Bild {von}."),
    ("When I was a child, I often thought of {en}.", "Als ich ein Kind war, dachte ich oft an {acc}."),
    ("And that is why {en} {is_} so important.", "Und deshalb {ist} {nom} so wichtig."),
    ("{Years} years ago, nobody talked about {en}.", "Vor {jahre} Jahren sprach niemand über {acc}."),
    ("How can we {verb} {en}?", "Wie können wir {acc} {inf}?"),
    ("We have to {verb} {en}.", "Wir müssen {acc} {inf}."),
    ("My {family} showed me {en}.", "{familie} zeigte mir {acc}."),
    ("We learned a lot about {en} in {years} years.", "Wir haben in {jahre} Jahren viel über {acc} gelernt."),
    (
        "We asked {number} people what they think of {en}.",
        "Wir haben {number} Menschen gefragt, was sie {von} halten.",
    ),
    ('"Why do we need {en}?" she asked.', "„Warum brauchen wir {acc}?“, fragte sie."),
    ("(Laughter) And then {en} {was} gone.", "(Lachen) Und dann {war} {nom} weg."),
    ("So what happened to {en}?", "Was ist also mit {dat} passiert?"),
    ("I'd like to show you {en}.", "Ich würde Ihnen gerne {acc} zeigen."),
    ("Today we know that {en} {was} not alone.", "Heute wissen wir, dass {nom} nicht allein {war}."),
    ("It all began with {en}.", "Alles begann mit {dat}."),
)
_CLOSING = {"en": "Thank you very much. (Applause)", "de": "Vielen Dank. (Applaus)"}


def _draw(rng: random.Random) -> dict[str, str]:
    english, german = rng.choice(_FRAMES)
    nouns, adjectives = (_LIVING, _OF_LIVING) if rng.random() < 0.3 else (_THINGS, _OF_THINGS)
    chosen = phrase(rng.choice(nouns), rng.choice((None, *adjectives)))
    verb, infinitive = rng.choice(_VERBS)
    family, familie = rng.choice(_FAMILY)
    years, jahre = rng.choice(_COUNT_WORDS)
    filling = {
        "en": chosen.en,
        "is_": chosen.is_,
        "was": chosen.was,
        "nom": chosen.nom,
        "acc": chosen.acc,
        "dat": chosen.dat,
        "von": chosen.von,
        "ist": chosen.ist,
        "war": chosen.war,
        "verb": verb,
        "inf": infinitive,
        "family": family,
        "familie": familie,
        "years": years,
        "Years": sentence_case(years),
        "jahre": jahre,
        "number": str(rng.choice((40, 50, 100, 120, 300, 500))),
    }
    return {"en": english.format(**filling), "de": german.format(**filling)}


def _english(pair: dict[str, str]) -> Hashable:
    return pair["en"]


def make() -> dict[str, list[Record]]:
    """The three splits; one sentence pair ends two talks of the test split."""
    rng = random.Random("iwslt2017-1")
    taken: set[Hashable] = {_CLOSING["en"]}
    pairs = {name: distinct(_draw, _english, _COUNTS[name], rng, taken) for name in ("test", "validation", "train")}
    half = _COUNTS["test"] // 2
    pairs["test"] = [*pairs["test"][:half], _CLOSING, *pairs["test"][half:], _CLOSING]
    return {name: [{"translation": pair} for pair in drawn] for name, drawn in pairs.items()}


if __name__ == "__main__":
    write_splits(data_folder(__file__), make())
