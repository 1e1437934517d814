"""Writes the embedded CommonGen rows: ``python -m grue_tasks.commongen.make_rows``."""

from __future__ import annotations

import random
from collections.abc import Hashable
from dataclasses import dataclass
from functools import partial

from grue_tasks._writing.splits import Record, data_folder, distinct, write_splits
from grue_tasks.commongen.scenes import SCENES, Scene

_COUNTS = {"train": 240, "validation": 24, "test": 48}
_REFERENCES = {"train": (1, 2), "validation": (2, 4), "test": (2, 4)}


@dataclass(frozen=True, slots=True)
class _Draw:
    concepts: tuple[str, ...]
    sentences: tuple[str, ...]


def _draw(rng: random.Random, references: tuple[int, int]) -> _Draw:
    scene: Scene = rng.choice(SCENES)
    filling = {slot: rng.choice(words) for slot, words in scene.slots.items()}
    concepts = sorted(filling.get(concept, concept) for concept in scene.concepts)
    count = rng.randint(references[0], min(references[1], len(scene.frames)))
    frames = rng.sample(scene.frames, count)
    return _Draw(tuple(concepts), tuple(_fixed_articles(frame.format(**filling)) for frame in frames))


def _fixed_articles(sentence: str) -> str:
    words = sentence.split(" ")
    for place, word in enumerate(words[:-1]):
        if word in ("a", "A") and words[place + 1][0] in "aeiou":
            words[place] = word + "n"
    return " ".join(words)


def _concepts(draw: _Draw) -> Hashable:
    return tuple(sorted(draw.concepts))


def make() -> dict[str, list[Record]]:
    """The three splits; a concept set occurs in one of them only."""
    rng = random.Random("commongen-1")
    taken: set[Hashable] = set()
    splits: dict[str, list[Record]] = {}
    index = 0
    for split in ("test", "validation", "train"):
        records: list[Record] = []
        for draw in distinct(partial(_draw, references=_REFERENCES[split]), _concepts, _COUNTS[split], rng, taken):
            for sentence in draw.sentences:
                records.append({"concept_set_idx": index, "concepts": list(draw.concepts), "target": sentence})
            index += 1
        splits[split] = records
    return splits


if __name__ == "__main__":
    write_splits(data_folder(__file__), make())
