"""How tasks read ids and references from records: the same rules for all of them."""

from __future__ import annotations

from collections.abc import Iterable

from grue.core.record import Record


def own_id(record: Record, column: str) -> str:
    """The data set's own id as a string; integers as decimal strings.

    Raises:
        TaskDataError: where the column is missing, empty, or neither a string nor a whole number.
    """
    value = record.value(column)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    identifier = record.string(column)
    if not identifier:
        raise record.fault(f"Column {column!r} is an empty string; it is the row's id.", "Give each row an id.")
    return identifier


def stated(texts: Iterable[str]) -> tuple[str, ...]:
    """The references among texts: an empty or blank one means that there is none."""
    return tuple(text for text in texts if text.strip())
