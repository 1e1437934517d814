"""Reads JSON documents of a run directory field by field, each fault with file and path of keys."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grue.core.errors import RunDirectoryError
from grue.core.run import SCHEMA_VERSION

_DAMAGED = "The file is damaged or was edited: restore it, or run again with --fresh."
_KINDS: Mapping[type, str] = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "an object",
    list: "a list",
}


class NewerSchemaError(RunDirectoryError):
    """A document is of a newer version than this grue reads."""


@dataclass(frozen=True, slots=True)
class Fields:
    """A JSON object that knows its file and its keys; keys that nobody asks for are ignored."""

    values: Mapping[str, Any]
    place: str

    def required(self, key: str, kind: type) -> Any:
        """A value of that kind that must be there; a whole number is a number too."""
        value: Any = self.values.get(key)
        if type(value) is kind:  # nearly always, and a board reads millions
            return value
        if not _is(value, kind):
            found = f"found {json.dumps(value)[:60]}" if key in self.values else "the key is missing"
            raise self.fault(f"{key} should be {_KINDS[kind]}: {found}.")
        try:
            return float(value) if kind is float else value
        except OverflowError:
            raise self.fault(f"{key} is larger than any number that a run writes.") from None

    def optional(self, key: str, kind: type) -> Any:
        """A value of that kind, or ``None`` where it is null or missing."""
        value: Any = self.values.get(key)
        return value if value is None or type(value) is kind else self.required(key, kind)

    def child(self, key: str) -> Fields:
        """The object under a key; an empty one where it is null or missing."""
        return Fields(self.optional(key, dict) or {}, f"{self.place}: {key}")

    def children(self, key: str) -> Iterator[tuple[str, Fields]]:
        """Names and objects of an object of objects, in file order."""
        inner = self.child(key)
        for name in inner.values:
            yield name, Fields(inner.required(name, dict), f"{inner.place}.{name}")

    def strings(self, key: str) -> tuple[str, ...]:
        """A list of strings; empty where it is null or missing."""
        values = self.optional(key, list) or []
        if not all(isinstance(value, str) for value in values):
            raise self.fault(f"{key} should be a list of strings.")
        return tuple(values)

    def fault(self, cause: str) -> RunDirectoryError:
        """An error at this place, for the caller to raise."""
        return RunDirectoryError(cause, _DAMAGED, place=self.place)


def read_document(path: Path) -> Fields:
    """Read a JSON object that carries a ``schema_version``.

    Raises:
        RunDirectoryError: for a file that cannot be read or broken JSON.
        NewerSchemaError: for a newer version.
    """
    place = str(path)
    try:
        value = json.loads(path.read_bytes())
    except OSError as error:
        raise RunDirectoryError(f"cannot be read: {error.strerror or error}.", place=place) from error
    except (ValueError, RecursionError) as error:
        raise RunDirectoryError(f"is no valid JSON: {error}.", _DAMAGED, place=place) from error
    if not isinstance(value, dict):
        raise RunDirectoryError("should hold a JSON object.", _DAMAGED, place=place)
    document = Fields(value, place)
    version = document.required("schema_version", int)
    if version > SCHEMA_VERSION:
        raise NewerSchemaError(
            f"schema_version is {version}; this version of grue reads up to {SCHEMA_VERSION}.",
            "Upgrade grue: pip install --upgrade grue",
            place=place,
        )
    if version < 1:
        raise document.fault(f"schema_version should be 1 or more: found {version}.")
    return document


def _is(value: Any, kind: type) -> bool:
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind)
