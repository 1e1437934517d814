"""Writes the embedded WMT rows, sentences of invented news: ``python -m grue_tasks.wmt16.make_rows``."""

from __future__ import annotations

import random
from collections.abc import Hashable

from grue_tasks._writing.german import Adjective, Noun, phrase
from grue_tasks._writing.splits import Record, data_folder, distinct, sentence_case, write_splits

_COUNTS = {"train": 700, "validation": 24, "test": 48}

_ACTORS = (
    Noun("mayor", "Bürgermeister", "m"),
    Noun("minister", "Minister", "m"),
    Noun("government", "Regierung", "f"),
    Noun("authority", "Behörde", "f"),
    Noun("company", "Firma", "f"),
    Noun("university", "Universität", "f"),
    Noun("court", "Gericht", "n"),
    Noun("council", "Rat", "m"),
    Noun("club", "Verein", "m"),
    Noun("party", "Partei", "f"),
    Noun("president", "Präsident", "m", "Präsidenten"),
)
_PLACES = (
    Noun("bridge", "Brücke", "f"),
    Noun("station", "Bahnhof", "m"),
    Noun("airport", "Flughafen", "m"),
    Noun("factory", "Fabrik", "f"),
    Noun("hospital", "Krankenhaus", "n"),
    Noun("museum", "Museum", "n"),
    Noun("road", "Straße", "f"),
    Noun("stadium", "Stadion", "n"),
    Noun("schools", "Schulen", "p"),
)
_MATTERS = (
    Noun("law", "Gesetz", "n"),
    Noun("tax", "Steuer", "f"),
    Noun("plan", "Plan", "m"),
    Noun("prices", "Preise", "p", "Preisen"),
    Noun("rules", "Regeln", "p"),
)
_ADJECTIVES = (Adjective("new", "neu"), Adjective("old", "alt"), Adjective("controversial", "umstritten"))
_CITIES = (
    ("Munich", "München"),
    ("Cologne", "Köln"),
    ("Berlin", "Berlin"),
    ("Vienna", "Wien"),
    ("Zurich", "Zürich"),
    ("Hamburg", "Hamburg"),
    ("Nuremberg", "Nürnberg"),
    ("Geneva", "Genf"),
)
_DAYS = (
    ("Monday", "Montag"),
    ("Tuesday", "Dienstag"),
    ("Wednesday", "Mittwoch"),
    ("Thursday", "Donnerstag"),
    ("Friday", "Freitag"),
    ("Saturday", "Samstag"),
)
_MONTHS = (("March", "März"), ("May", "Mai"), ("June", "Juni"), ("August", "August"), ("October", "Oktober"))
_GENERAL_FRAMES = (
    ("{Actor} criticised {thing} on {day}.", "{akteur} kritisierte am {tag} {acc}."),
    ("On {day}, {actor} spoke about {thing}.", "Am {tag} sprach {akteur_klein} über {acc}."),
    ("{Actor} in {city} wants to keep {thing}.", "{akteur} in {stadt} will {acc} behalten."),
    ("According to {actor}, {thing} {is_} important for {city}.", "Laut {akteur_dat} {ist} {nom} wichtig für {stadt}."),
    (
        "{percent} percent of the people in {city} are against {thing}.",
        "{percent} Prozent der Menschen in {stadt} sind gegen {acc}.",
    ),
    ("In {month}, {actor} will decide on {thing}.", "Im {monat} wird {akteur_klein} über {acc} entscheiden."),
    ("Why {is_} {thing} so important?", "Warum {ist} {nom} so wichtig?"),
    ('"We need {thing}," said {actor}.', "„Wir brauchen {acc}“, sagte {akteur_klein}."),
    ("{number} people protested against {thing} in {city}.", "{number} Menschen protestierten in {stadt} gegen {acc}."),
    ("{Actor} has known about {thing} since {month}.", "{akteur} weiß seit {monat} {von}."),
)
_PLACE_FRAMES = (
    ("{Thing} in {city} {was} closed on {day}.", "{Nom} in {stadt} {wurde} am {tag} geschlossen."),
    ("{Thing} will cost {million} million euros.", "{Nom} {wird} {million} Millionen Euro kosten."),
    ("{Actor} said that {thing} {was} too expensive.", "{akteur} sagte, dass {nom} zu teuer {sei}."),
    ("{number} people came to see {thing} in {city}.", "{number} Menschen kamen, um {acc} in {stadt} zu sehen."),
)
_WURDE = {False: "wurde", True: "wurden"}
_SEI = {False: "sei", True: "seien"}


def _draw(rng: random.Random) -> dict[str, str]:
    place = rng.random() < 0.6
    english, german = rng.choice(_GENERAL_FRAMES + _PLACE_FRAMES if place else _GENERAL_FRAMES)
    actor = phrase(rng.choice(_ACTORS))
    thing = phrase(rng.choice(_PLACES if place else _MATTERS), rng.choice((None, *_ADJECTIVES)))
    city, stadt = rng.choice(_CITIES)
    day, tag = rng.choice(_DAYS)
    month, monat = rng.choice(_MONTHS)
    filling = {
        "actor": actor.en,
        "Actor": sentence_case(actor.en),
        "akteur": sentence_case(actor.nom),
        "akteur_klein": actor.nom,
        "akteur_dat": actor.dat,
        "thing": thing.en,
        "Thing": sentence_case(thing.en),
        "nom": thing.nom,
        "Nom": sentence_case(thing.nom),
        "acc": thing.acc,
        "von": thing.von,
        "ist": thing.ist,
        "is_": thing.is_,
        "was": thing.was,
        "wird": thing.wird,
        "wurde": _WURDE[thing.plural],
        "sei": _SEI[thing.plural],
        "city": city,
        "stadt": stadt,
        "day": day,
        "tag": tag,
        "month": month,
        "monat": monat,
        "million": str(rng.choice((12, 20, 35, 40, 80, 150))),
        "percent": str(rng.choice((31, 42, 55, 63, 70, 81))),
        "number": str(rng.choice((200, 300, 450, 600, 800))),
    }
    return {"en": english.format(**filling), "de": german.format(**filling)}


def _english(pair: dict[str, str]) -> Hashable:
    return pair["en"]


def make() -> dict[str, list[Record]]:
    """The three splits, English sentences distinct over all of them."""
    rng = random.Random("wmt16-1")
    taken: set[Hashable] = set()
    pairs = {name: distinct(_draw, _english, _COUNTS[name], rng, taken) for name in ("test", "validation", "train")}
    return {name: [{"translation": pair} for pair in drawn] for name, drawn in pairs.items()}


if __name__ == "__main__":
    write_splits(data_folder(__file__), make())
