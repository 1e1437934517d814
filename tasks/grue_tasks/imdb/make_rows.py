"""Writes the embedded film reviews, all invented: ``python -m grue_tasks.imdb.make_rows``."""

from __future__ import annotations

import random
from collections.abc import Hashable
from functools import partial

from grue_tasks._writing.names import MEN, SURNAMES, WOMEN
from grue_tasks._writing.splits import Record, data_folder, distinct, sentence_case, write_splits
from grue_tasks.imdb.phrases import ASPECTS, CLOSINGS, HEROES, KINDS, OPENINGS, PLACES, STORY, TITLES

_COUNTS = {"train": 200, "validation": 24, "test": 48}


def _draw(rng: random.Random, label: int) -> Record:
    woman, man, director = rng.choice(WOMEN), rng.choice(MEN), rng.choice(SURNAMES)
    surnames = rng.sample(SURNAMES, 2)
    filling = {
        "title": rng.choice(TITLES),
        "kind": rng.choice(KINDS),
        "hero": rng.choice(HEROES),
        "place": rng.choice(PLACES),
        "actor": f"{woman} {surnames[0]}",
        "second": f"{man} {surnames[1]}",
        "director": director,
        "minutes": str(rng.randrange(85, 150, 5)),
        "stars_good": str(rng.choice((8, 9, 10))),
        "stars_bad": str(rng.choice((1, 2, 3))),
    }
    # The aspects keep one order, from the acting to the ending, so that both halves carry the verdict.
    pools = ASPECTS[label]
    kept = sorted(rng.sample(range(len(pools)), rng.choice((4, 5, 6))))
    aspects = [sentence for place in kept for sentence in rng.sample(pools[place], rng.choice((1, 1, 2)))]
    middle = len(aspects) // 2
    first = [rng.choice(OPENINGS[label]), rng.choice(STORY), *aspects[:middle]]
    second = [*aspects[middle:], rng.choice(CLOSINGS[label])]
    joint = rng.choice((" ", "<br /><br />"))
    text = " ".join(first) + joint + " ".join(second)
    return {"text": sentence_case(text.format(**filling)), "label": label}


def _prompt(record: Record) -> Hashable:
    words = record["text"].split(" ")
    return " ".join(words[: len(words) // 2])


def make() -> dict[str, list[Record]]:
    """The three splits, negatives first as on the hub, no first half twice."""
    rng = random.Random("imdb-1")
    taken: set[Hashable] = set()
    splits: dict[str, list[Record]] = {}
    for split in ("test", "validation", "train"):
        splits[split] = [
            record
            for label in (0, 1)
            for record in distinct(partial(_draw, label=label), _prompt, _COUNTS[split] // 2, rng, taken)
        ]
    return splits


if __name__ == "__main__":
    write_splits(data_folder(__file__), make())
