"""Writes the embedded DailyDialog rows, invented small talk: ``python -m grue_tasks.daily_dialog.make_rows``."""

from __future__ import annotations

import random
from collections.abc import Hashable

from grue_tasks._writing.splits import Record, data_folder, distinct, write_splits
from grue_tasks.daily_dialog.scripts import SCRIPTS

_COUNTS = {"train": 170, "validation": 12, "test": 20}
_FEWEST_TURNS = 6


def _draw(rng: random.Random) -> Record:
    script = rng.choice(SCRIPTS)
    filling = {slot: rng.choice(words) for slot, words in script.slots.items()}
    turns = script.turns[: rng.randint(_FEWEST_TURNS, len(script.turns))]
    dialog, act, emotion = [], [], []
    for place, turn in enumerate(turns):
        lead = " " if place else ""
        dialog.append(f"{lead}{rng.choice(turn.texts).format(**filling)} ")
        act.append(turn.act)
        emotion.append(turn.emotion)
    return {"dialog": dialog, "act": act, "emotion": emotion}


def _opening(record: Record) -> Hashable:
    """What makes a first context: dialogues that share it would give rows of equal prompt."""
    return tuple(record["dialog"][:5])


def make() -> dict[str, list[Record]]:
    """The three splits; no context of one occurs in another."""
    rng = random.Random("daily_dialog-1")
    taken: set[Hashable] = set()
    return {name: distinct(_draw, _opening, _COUNTS[name], rng, taken) for name in ("test", "validation", "train")}


if __name__ == "__main__":
    write_splits(data_folder(__file__), make())
