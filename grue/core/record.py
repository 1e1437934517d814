"""A record: one line of a data file, which knows its place and checks what is asked of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grue.core.errors import TaskDataError

_NAMES = {str: "a string", int: "a whole number", bool: "true or false", list: "a list", dict: "an object"}


@dataclass(frozen=True, slots=True)
class Record:
    """One data record. ``columns`` are the parsed values, ``place`` is ``file:line`` or ``file row N``."""

    columns: Mapping[str, Any]
    place: str

    def has(self, column: str) -> bool:
        """Whether the column is there and not null. Dots lead into nested objects."""
        value: Any = self.columns
        for key in column.split("."):
            if not isinstance(value, Mapping) or key not in value:
                return False
            value = value[key]
        return value is not None

    def value(self, column: str) -> Any:
        """The raw value; dots lead into nested objects (``document.summary.text``).

        Raises:
            TaskDataError: where the column is missing; names the columns present.
        """
        value: Any = self.columns
        for key in column.split("."):
            if not isinstance(value, Mapping) or key not in value:
                present = ", ".join(map(str, value)) if isinstance(value, Mapping) else _kind(value)
                raise self.fault(
                    f"Column {column!r} is missing. Found: {present}.",
                    "Add the column, or name the data set this folder holds.",
                )
            value = value[key]
        return value

    def string(self, column: str) -> str:
        """A string column, as it stands."""
        value: str = self._typed(column, str)
        return value

    def integer(self, column: str) -> int:
        """A whole-number column."""
        value: int = self._typed(column, int)
        return value

    def strings(self, column: str) -> tuple[str, ...]:
        """A column that is a list of strings."""
        return tuple(self._list(column, str))

    def integers(self, column: str) -> tuple[int, ...]:
        """A column that is a list of whole numbers."""
        return tuple(self._list(column, int))

    def records(self, column: str) -> list[Record]:
        """A column that is a list of objects, each as a record with its own place.

        Parallel lists (an object of equally long lists, as some hub files store a list of objects) are
        read as the list of objects they stand for.
        """
        value = self.value(column)
        if isinstance(value, Mapping):
            lengths = {
                len(items) if isinstance(items, Sequence) and not isinstance(items, str) else -1
                for items in value.values()
            }
            if len(lengths) != 1 or -1 in lengths:
                raise self.fault(f"Column {column!r} should be a list of objects or an object of equally long lists.")
            value = [dict(zip(value, items, strict=True)) for items in zip(*value.values(), strict=True)]
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise self._wrong(column, list, value)
        for index, item in enumerate(value):
            if not isinstance(item, Mapping):
                raise self._wrong(f"{column}[{index}]", dict, item)
        return [Record(item, f"{self.place}, {column}[{index}]") for index, item in enumerate(value)]

    def fault(self, cause: str, fix: str = "") -> TaskDataError:
        """An error at this record's place, for the caller to raise."""
        return TaskDataError(cause, fix, place=self.place)

    def _typed(self, column: str, kind: type[Any]) -> Any:
        value = self.value(column)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self._wrong(column, kind, value)
        return value

    def _list(self, column: str, kind: type[Any]) -> list[Any]:
        value = self.value(column)
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise self._wrong(column, list, value)
        for index, item in enumerate(value):
            if not isinstance(item, kind) or (kind is int and isinstance(item, bool)):
                raise self._wrong(f"{column}[{index}]", kind, item)
        return list(value)

    def _wrong(self, column: str, kind: type[Any], value: Any) -> TaskDataError:
        return self.fault(
            f"Column {column!r} should be {_NAMES[kind]}; found {_kind(value)}.",
            f"Write {_NAMES[kind]} there, or remove the record.",
        )


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return f"{kind.__name__} {str(value)[:40]!r}"
    return "an object" if isinstance(value, Mapping) else "a list"
