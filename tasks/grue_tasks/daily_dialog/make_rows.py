"""Writes the embedded DailyDialog rows, invented small talk: ``python -m grue_tasks.daily_dialog.make_rows``."""

from __future__ import annotations

import random

from grue_tasks._writing.splits import Record, data_folder, write_splits
from grue_tasks.daily_dialog.scripts import SCRIPTS

_COUNTS = {"train": 170, "validation": 12, "test": 20}
_FEWEST_TURNS = 6
_CONTEXT = 5


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


def _contexts(record: Record) -> set[tuple[str, ...]]:
    """Every five turns that have a reply: the prompts of the dialogue."""
    dialog = record["dialog"]
    return {tuple(dialog[end - _CONTEXT : end]) for end in range(_CONTEXT, len(dialog))}


def make() -> dict[str, list[Record]]:
    """The three splits; no context occurs twice, in one split or in two."""
    rng = random.Random("daily_dialog-1")
    taken: set[tuple[str, ...]] = set()
    splits: dict[str, list[Record]] = {}
    for split in ("test", "validation", "train"):
        splits[split] = []
        while len(splits[split]) < _COUNTS[split]:
            record = _draw(rng)
            if taken.isdisjoint(_contexts(record)):
                taken |= _contexts(record)
                splits[split].append(record)
    return splits


if __name__ == "__main__":
    write_splits(data_folder(__file__), make())
