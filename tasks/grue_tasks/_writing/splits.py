"""Draws distinct records and writes the three embedded splits; the same code gives the same bytes."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

Record: TypeAlias = dict[str, Any]
T = TypeVar("T")

_MOST_TRIES = 200


def distinct(
    draw: Callable[[random.Random], T],
    key: Callable[[T], Hashable],
    count: int,
    rng: random.Random,
    taken: set[Hashable],
) -> list[T]:
    """``count`` draws whose keys are new; their keys are added to ``taken``, which splits share.

    Raises:
        RuntimeError: where the templates are too few for that many different draws.
    """
    drawn: list[T] = []
    failures = 0
    while len(drawn) < count:
        item = draw(rng)
        if key(item) in taken:
            failures += 1
            if failures > _MOST_TRIES * count:
                raise RuntimeError(f"only {len(drawn)} of {count} different records could be drawn")
            continue
        taken.add(key(item))
        drawn.append(item)
    return drawn


def write_splits(folder: Path, splits: Mapping[str, Sequence[Record]]) -> None:
    """Write ``folder/<split>.jsonl``: compact JSON, unescaped UTF-8, one record a line."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, records in splits.items():
        lines = (json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n" for record in records)
        (folder / f"{split}.jsonl").write_bytes("".join(lines).encode("utf-8"))


def data_folder(module_file: str) -> Path:
    """The ``data`` folder beside a generator."""
    return Path(module_file).resolve().parent / "data"


def article(noun_phrase: str) -> str:
    """The phrase with ``a`` or ``an`` before it, by its first letter."""
    return ("an " if noun_phrase[0].lower() in "aeiou" else "a ") + noun_phrase


def sentence_case(text: str) -> str:
    """The text with its first letter in upper case."""
    return text[:1].upper() + text[1:]
