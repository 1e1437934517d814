"""JSON of strangers: how many values it makes is known before they are made."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from grue.submissions.findings import Fault

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_AGAIN = "Save it again with the program that made it."


def bounded_json(raw: bytes, *, max_values: int, max_depth: int = 64) -> Any:
    """The value of a JSON text.

    Args:
        raw: The text, whose length the caller has bounded.
        max_values: How many values it may hold.
        max_depth: How deep they may be nested.

    Raises:
        Fault: where it is none, holds a key twice, half a surrogate pair, too many values or too deep ones.
    """
    marks = _STRING.sub(b'"', raw)
    count = marks.count(b",") + marks.count(b"[") + marks.count(b"{") + marks.count(b":")
    if count > max_values:
        raise Fault(f"The JSON holds more than {max_values:,} values.", _AGAIN)
    depth = 0
    for mark in re.findall(rb"[\[\]{}]+", marks):
        for sign in mark:
            depth += 1 if sign in b"[{" else -1
            if depth > max_depth:
                raise Fault(f"The JSON is nested more than {max_depth} deep.", _AGAIN)
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_object)
    except UnicodeDecodeError as error:
        raise Fault(f"Invalid Unicode: byte {error.start + 1:,} is no UTF-8.", _AGAIN) from error
    except json.JSONDecodeError as error:
        raise Fault(f"Malformed JSON: {error.msg} at line {error.lineno}, column {error.colno}.", _AGAIN) from error
    except RecursionError as error:
        raise Fault("The JSON is nested too deeply.", _AGAIN) from error
    except ValueError as error:  # Python reads no whole number of more than 4,300 digits
        raise Fault("Malformed JSON: a number has too many digits.", _AGAIN) from error
    if _SURROGATE.search(raw):
        for text in _texts(value):
            if any("\ud800" <= sign <= "\udfff" for sign in text):
                raise Fault("Invalid Unicode: a text holds half of a surrogate pair.", _AGAIN)
    return value


def bounded_object(raw: bytes, *, max_values: int, max_depth: int = 64) -> dict[str, Any]:
    """The object of a JSON text; raises as ``bounded_json``, and where it is another value."""
    value = bounded_json(raw, max_values=max_values, max_depth=max_depth)
    if not isinstance(value, dict):
        raise Fault("The JSON should be an object.", _AGAIN)
    return value


def walked(value: Any) -> Iterator[tuple[str, Any]]:
    """Every member of every object inside a value, as key and value."""
    waiting = [value]
    while waiting:
        here = waiting.pop()
        if isinstance(here, dict):
            yield from here.items()
            waiting.extend(here.values())
        elif isinstance(here, list):
            waiting.extend(here)


def _texts(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        here = waiting.pop()
        if isinstance(here, str):
            yield here
        elif isinstance(here, dict):
            yield from here
            waiting.extend(here.values())
        elif isinstance(here, list):
            waiting.extend(here)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise Fault(f"The key {key[:100]!r} is there twice.", _AGAIN)
            seen.add(key)
    return values
