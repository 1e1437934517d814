"""Writes the embedded story questions, all invented: ``python -m grue_tasks.narrativeqa.make_rows``."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Hashable

from grue_tasks._writing.splits import Record, data_folder, distinct, write_splits
from grue_tasks.narrativeqa.stories import PLOTS, Story, told

_STORIES = {"train": 36, "validation": 6, "test": 12}
_QUESTIONS = 4


def _text(text: str) -> Record:
    return {"text": text, "tokens": text.split(" ")}


def _document(story: Story) -> Record:
    address = story.title.replace(" ", "_")
    return {
        "id": hashlib.sha1(story.summary.encode(), usedforsecurity=False).hexdigest(),
        "kind": "gutenberg" if story.is_book else "movie",
        "url": f"http://stories.example/{address}.txt",
        "file_size": 6 * story.words,
        "word_count": story.words,
        "start": story.title.split(" ")[0],
        "end": "THE END",
        "summary": {**_text(story.summary), "url": f"http://summaries.example/{address}", "title": story.title},
        "text": "",
    }


def _records(story: Story) -> list[Record]:
    document = _document(story)
    return [
        {"document": document, "question": _text(question), "answers": [_text(answer) for answer in answers]}
        for question, answers in story.questions
    ]


def _summary(story: Story) -> Hashable:
    return story.summary


def make() -> dict[str, list[Record]]:
    """The three splits; a story is in one of them only."""
    rng = random.Random("narrativeqa-1")
    taken: set[Hashable] = set()

    def draw(source: random.Random) -> Story:
        return told(source.choice(PLOTS), source, _QUESTIONS)

    return {
        split: [record for story in distinct(draw, _summary, _STORIES[split], rng, taken) for record in _records(story)]
        for split in ("test", "validation", "train")
    }


if __name__ == "__main__":
    write_splits(data_folder(__file__), make())
