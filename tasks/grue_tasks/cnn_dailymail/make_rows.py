"""Writes the embedded news articles, all invented: ``python -m grue_tasks.cnn_dailymail.make_rows``."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Hashable

from grue_tasks._writing.names import DAYS, MEN, SURNAMES, TOWNS, WOMEN
from grue_tasks._writing.splits import Record, data_folder, distinct, write_splits
from grue_tasks.cnn_dailymail.events import BACKGROUND, COMMENTS, EVENTS, INTRODUCTIONS, OFFICES

_COUNTS = {"train": 100, "validation": 20, "test": 42}
_LONG_SHARE = 0.2


def _draw(rng: random.Random) -> Record:
    event = rng.choice(EVENTS)
    first, surname = rng.choice(WOMEN + MEN), rng.choice(SURNAMES)
    other_surname = rng.choice([name for name in SURNAMES if name != surname])
    town, second_town = rng.sample(TOWNS, 2)
    filling = {
        "town": town,
        "second_town": second_town,
        "day": rng.choice(DAYS),
        "person": f"{first} {surname}",
        "surname": surname,
        "age": str(rng.randrange(19, 78)),
        "witness": f"{rng.choice(WOMEN + MEN)} {other_surname}",
        "office": rng.choice(OFFICES),
        "number": str(rng.randrange(12, 480)),
        "small": str(rng.randrange(2, 10)),
        "hour": str(rng.randrange(1, 12)),
        "money": str(rng.randrange(20, 950, 10)),
    }
    filling |= {slot: rng.choice(words) for slot, words in sorted(event.slots.items())}
    # A fifth of the articles run past any usual cut of the prompt.
    comments, background = (10, 20) if rng.random() < _LONG_SHARE else (2, 3)
    spoken = [rng.choice(INTRODUCTIONS), *rng.sample(COMMENTS, comments - 1)]
    body = [*event.story, *spoken, *rng.sample(BACKGROUND, background)]
    article = " ".join([rng.choice(event.leads), *body]).format(**filling)
    lines = rng.choice((2, 3, 4))
    highlights = "\n".join(event.highlights[:lines]).format(**filling)
    identity = hashlib.sha1(article.encode(), usedforsecurity=False).hexdigest()
    return {"article": article, "highlights": highlights, "id": identity}


def _article(record: Record) -> Hashable:
    return str(record["article"])


def make() -> dict[str, list[Record]]:
    """The three splits, no article twice."""
    rng = random.Random("cnn_dailymail-1")
    taken: set[Hashable] = set()
    return {name: distinct(_draw, _article, _COUNTS[name], rng, taken) for name in ("test", "validation", "train")}


if __name__ == "__main__":
    write_splits(data_folder(__file__), make())
