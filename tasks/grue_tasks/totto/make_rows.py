"""Writes the embedded tables and their sentences, all invented: ``python -m grue_tasks.totto.make_rows``."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Hashable
from functools import partial

from grue_tasks._writing.splits import Record, data_folder, distinct, write_splits
from grue_tasks.totto.pages import SEEN, UNSEEN, Drawn

_COUNTS = {"train": 100, "validation": 20, "test": 40}
_ADDRESS = "http://tables.example/"


def _annotation(final: str, lead: str) -> dict[str, str]:
    """The stages of one sentence: with extra matter, without it, without pronouns, and final."""
    body = final[:1].lower() + final[1:] if final.startswith(("The ", "In ")) else final
    return {
        "original_sentence": f"{lead} {body}",
        "sentence_after_deletion": final,
        "sentence_after_ambiguity": final,
        "final_sentence": final,
    }


def _draw(rng: random.Random, split: str) -> Record:
    page = rng.choice(SEEN if split == "train" else SEEN + UNSEEN)
    drawn: Drawn = page(rng)
    count = 1 if split == "train" else rng.choice((2, 2, 2, 3))
    sentences = rng.sample(drawn.sentences, count)
    leads = ("As the record shows,", "According to the list,", "In the end,")
    digest = hashlib.sha256(f"{drawn.page}/{drawn.section}/{sentences[0]}".encode()).hexdigest()
    return {
        "table_page_title": drawn.page,
        "table_webpage_url": _ADDRESS + drawn.page.replace(" ", "_"),
        "table_section_title": drawn.section,
        "table_section_text": drawn.text,
        "table": drawn.table,
        "highlighted_cells": drawn.highlighted,
        "example_id": str(int(digest[:15], 16)),
        "sentence_annotations": [_annotation(text, rng.choice(leads)) for text in sentences],
        "overlap_subset": "none" if split == "train" else str(page in SEEN),
        "target": sentences[0],
        "references": sentences,
    }


def _prompt(record: Record) -> Hashable:
    table, cells = record["table"], record["highlighted_cells"]
    return (
        record["table_page_title"],
        record["table_section_title"],
        tuple(table[row][column]["value"] for row, column in cells),
    )


def make() -> dict[str, list[Record]]:
    """The three splits; no page with the same highlighted values occurs twice."""
    rng = random.Random("totto-1")
    taken: set[Hashable] = set()
    return {
        split: distinct(partial(_draw, split=split), _prompt, _COUNTS[split], rng, taken)
        for split in ("test", "validation", "train")
    }


if __name__ == "__main__":
    write_splits(data_folder(__file__), make())
