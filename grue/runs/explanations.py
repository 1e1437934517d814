"""``samples/<task>.explain.jsonl``: why single rows got their values, as they were computed at scoring."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grue.core.errors import RunDirectoryError
from grue.core.metric import Explanation, Part
from grue.core.text import Json
from grue.runs.directory import EXPLAIN
from grue.runs.fields import Fields
from grue.runs.read import StoredRun

SCHEMA_VERSION = 1
Explanations = Mapping[str, Explanation]
_WORD = re.compile(r"\w+(?:['’\-]\w+)*")
_SHORTEST_STEM = 3
# What stemming takes off, so that a word is found by its stem: ``walk`` in ``walking``, ``pleas`` in ``pleased``.
_ENDINGS = frozenset(
    [
        "s",
        "es",
        "d",
        "ed",
        "ing",
        "e",
        "y",
        "ies",
        "ied",
        "ly",
        "er",
        "ers",
        "est",
        "en",
        "ation",
        "ations",
        "ment",
        "ness",
        "ful",
        "ant",
        "ent",
        "ive",
        "able",
    ]
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a text, and whether its word is one that matched."""

    text: str
    is_matched: bool


def line_of(row_id: str, sample: int, explanations: Explanations) -> dict[str, Json]:
    """One line of the file."""
    return {
        "schema_version": SCHEMA_VERSION,
        "id": row_id,
        "sample": sample,
        "explanations": {name: one.to_json() for name, one in explanations.items()},
    }


def read_explanations(stored: StoredRun, task: str) -> dict[tuple[str, int], Explanations]:
    """The stored explanations of a task by (id, sample), each by metric; empty where the run has none.

    Raises:
        RunDirectoryError: where a line is damaged or of a newer version.
    """
    name = f"samples/{task}{EXPLAIN}"
    if name not in stored.results["files"]:
        return {}
    path = stored.path / name
    found: dict[tuple[str, int], Explanations] = {}
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            line = _line(raw, f"{path}:{number}")
            key = (line.required("id", str), line.required("sample", int))
            found[key] = {metric: _explanation(one) for metric, one in line.children("explanations")}
    return found


def pieces(text: str, explanation: Explanation) -> tuple[Piece, ...]:
    """A prediction cut where its matched words begin and end.

    A matched thing may be a word, a stem or several words; a word of the text counts where it is one of its words, or
    one of them with an ending.
    """
    matched = {word.lower() for part in explanation.parts for thing in part.matched for word in _WORD.findall(thing)}
    stems = tuple(word for word in matched if len(word) >= _SHORTEST_STEM)

    def is_matched(word: str) -> bool:
        return word in matched or any(word.startswith(stem) and word[len(stem) :] in _ENDINGS for stem in stems)

    found: list[Piece] = []
    end = 0
    known: dict[str, bool] = {}
    for match in _WORD.finditer(text):
        word = match.group().lower()
        if word not in known:
            known[word] = is_matched(word)
        if known[word]:
            found += [Piece(text[end : match.start()], False)] if match.start() > end else []
            found.append(Piece(match.group(), True))
            end = match.end()
    return (*found, Piece(text[end:], False)) if end < len(text) else tuple(found)


def _line(raw: bytes, place: str) -> Fields:
    try:
        values = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise RunDirectoryError(f"is no valid JSON: {error}.", place=place) from error
    if not isinstance(values, dict):
        raise RunDirectoryError("should hold a JSON object.", place=place)
    line = Fields(values, place)
    version = line.required("schema_version", int)
    if version > SCHEMA_VERSION:
        raise RunDirectoryError(
            f"schema_version is {version}; this version of grue reads up to {SCHEMA_VERSION}.",
            "Upgrade grue: pip install --upgrade grue",
            place=place,
        )
    return line


def _explanation(one: Fields) -> Explanation:
    parts: Sequence[Any] = one.optional("parts", list) or []
    if not all(isinstance(part, dict) for part in parts):
        raise one.fault("parts should be a list of objects.")
    read = [Fields(part, f"{one.place}: parts[{index}]") for index, part in enumerate(parts)]
    return Explanation(
        value=one.optional("value", float),
        summary=one.required("summary", str),
        reference=one.optional("reference", int),
        parts=tuple(
            Part(part.required("kind", str), part.strings("matched"), part.strings("missing"), part.strings("extra"))
            for part in read
        ),
    )
