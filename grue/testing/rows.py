"""The checks of a task's rows as values: ids, prompts, references, inputs, splits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from grue.core.errors import UsageError
from grue.core.rows import Row
from grue.core.task import Suite
from grue.core.text import canonical_json
from grue.metrics.build import entry
from grue.testing.problems import Problem
from grue.testing.repeat import Rows

# What a metric family reads from a row's inputs.
INPUTS: Mapping[str, tuple[str, ...]] = {
    "coverage": ("concepts",),
    "parent": (
        "table",
        "highlighted_cells",
        "table_page_title",
        "table_section_title",
        "table_section_text",
        "overlap_subset",
    ),
}


def check_rows(suite: Suite, rows: Rows, place: str) -> Iterator[Problem]:
    """All checks of one split's rows as values."""
    if wrong := _types(rows, place):
        yield wrong
        return
    yield from _ids(rows, place)
    yield from _prompts(rows, place)
    yield from _references(rows, place)
    yield from _inputs(suite, rows, place)


def check_splits(loaded: Mapping[str, Rows], profile: str, *, tolerated: float = 0.0) -> Iterator[Problem]:
    """A prompt must not stand in two splits: what is trained on is not tested on.

    Args:
        loaded: Rows by split.
        profile: For the message.
        tolerated: Share of the smaller split's prompts, 0 to 1, that may also stand in the other.
    """
    prompts = {split: {row.prompt: row.id for row in rows} for split, rows in loaded.items()}
    for first, second in combinations(loaded, 2):
        shared = prompts[first].keys() & prompts[second].keys()
        if len(shared) > tolerated * min(len(prompts[first]), len(prompts[second])):
            example = min(prompts[first][prompt] for prompt in shared)
            yield Problem(
                "splits",
                f"Prompts stand in both {first} and {second}: {len(shared)}, one of them row {example} of {first}.",
                "Make the splits disjoint.",
                profile,
            )


def _types(rows: Rows, place: str) -> Problem | None:
    for row in rows:
        found: tuple[tuple[str, object], ...] = (("id", row.id), ("prompt", row.prompt), *_texts(row))
        for name, value in found:
            if not isinstance(value, str):
                return Problem(
                    "rows",
                    f"Row {row.id!r}: {name} is a {type(value).__name__}.",
                    "Row(id=str, prompt=str, references=tuple of str).",
                    place,
                )
    return None


def _texts(row: Row) -> list[tuple[str, object]]:
    references: object = row.references
    if not isinstance(references, tuple):
        return [("references", references if not isinstance(references, str) else None)]
    return [("a reference", text) for text in references]


def _ids(rows: Rows, place: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for row in rows:
        if not row.id.strip():
            yield Problem("ids", "A row's id is empty.", "Give every row an id of its own.", place)
            return
        if row.id in seen:
            yield Problem("ids", f"Id {row.id!r} occurs twice.", "Give every row of a split an id of its own.", place)
            return
        seen.add(row.id)


def _prompts(rows: Rows, place: str) -> Iterator[Problem]:
    empty = [row.id for row in rows if not row.prompt.strip()]
    if empty:
        yield Problem(
            "prompts",
            f"{len(empty)} of {len(rows)} prompts are empty; one is row {empty[0]}.",
            "Yield no row where there is nothing to ask.",
            place,
        )


def _references(rows: Rows, place: str) -> Iterator[Problem]:
    without = [row.id for row in rows if not row.references]
    if without and len(without) < len(rows):
        yield Problem(
            "references",
            f"{len(without)} of {len(rows)} rows have no reference; one is row {without[0]}.",
            "Give every row of a split references, or none of them where they are withheld.",
            place,
        )
    for row in rows:
        if not all(text.strip() for text in row.references):
            yield Problem(
                "references", f"Row {row.id} has an empty reference.", "Leave empty references out of the tuple.", place
            )
            return


def _inputs(suite: Suite, rows: Rows, place: str) -> Iterator[Problem]:
    wanted = {key for spec in suite.metrics for key in INPUTS.get(_family(spec.name), ())}
    for row in rows:
        try:
            canonical_json(dict(row.inputs))
        except (TypeError, ValueError) as error:
            yield Problem("inputs", f"Row {row.id}: inputs are no JSON: {error}.", "Use JSON values only.", place)
            return
        missing = sorted(wanted - row.inputs.keys())
        if missing:
            yield Problem(
                "inputs",
                f"Row {row.id} lacks inputs that the task's metrics read: {', '.join(missing)}.",
                "Add them to Row(inputs=...).",
                place,
            )
            return


def _family(metric: str) -> str:
    """The metric's family; empty for an unknown name, which another check reports."""
    try:
        return entry(metric).family
    except UsageError:
        return ""
