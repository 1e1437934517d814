"""The lines of a prediction file, one at a time: bounded in length and number, each checked on its own."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from grue.core.errors import UsageError
from grue.core.text import nearest
from grue.runs.gunzip import MAGIC, gunzipped

MAX_LINE_BYTES = 4 << 20
MAX_FILE_BYTES = 2 << 30
# Python makes a value of each, of fifty bytes and more; a line of texts has few however long it is.
MAX_LINE_VALUES = 100_000
MAX_KEYS = 100
KEYS = ("task", "id", "prediction", "predictions")
_EXAMPLE = 'One line a row: {"task": "commongen", "id": "…", "prediction": "…"}.'
_SHORT_BYTES = 1 << 16
# A string that does not end counts as one to the end, or the search for its end would begin anew at every quote.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_KINDS = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list", dict: "an object"}


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a prediction file.

    Attributes:
        line: 1-based line; ``None`` where the fault is that something is not there.
        id: Row id, where the line has one.
        problem: What is wrong.
        fix: What to do about it.
    """

    line: int | None
    id: str | None
    problem: str
    fix: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A line that is sound on its own."""

    line: int
    task: str
    id: str
    predictions: tuple[str, ...]


def entries(path: Path, *, max_bytes: int | None = None) -> Iterator[Entry | list[Problem]]:
    """Yield for each line what it says, or what is wrong with it.

    Args:
        path: JSON lines, plain or gzip.
        max_bytes: How much is read, after decompression; ``MAX_FILE_BYTES`` where nothing is said.

    Raises:
        UsageError: where the file cannot be read at all.
    """
    with _open(path) as raw:
        is_zipped = raw.read(2) == MAGIC
        raw.seek(0)
        if not is_zipped and path.suffix == ".gz":
            yield [Problem(None, None, "The file is named .gz, but is not compressed.", "Compress it, or rename it.")]
            return
        yield from _lines(gunzipped(raw) if is_zipped else raw, MAX_FILE_BYTES if max_bytes is None else max_bytes)


def _open(path: Path) -> IO[bytes]:
    try:
        if path.is_dir():
            raise UsageError("is a folder, no prediction file.", "Give the file.", place=str(path))
        return path.open("rb")
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror or error}.", "Check the path.", place=str(path)) from error


def _lines(stream: IO[bytes], max_bytes: int) -> Iterator[Entry | list[Problem]]:
    number, total = 0, 0
    try:
        while line := stream.readline(MAX_LINE_BYTES + 1):
            number += 1
            total += len(line)
            if len(line) > MAX_LINE_BYTES:
                yield [Problem(number, None, f"The line is longer than {MAX_LINE_BYTES:,} bytes.", "Shorten it.")]
                while line and not line.endswith(b"\n") and total <= max_bytes:
                    line = stream.readline(MAX_LINE_BYTES)
                    total += len(line)
            else:
                yield _entry(line, number)
            if total > max_bytes:
                yield [Problem(number, None, f"The file holds more than {max_bytes:,} bytes.", "Split it by task.")]
                return
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        yield [Problem(number + 1, None, f"The compressed data is broken here: {error}.", "Compress the file again.")]
    except OSError as error:
        yield [Problem(number + 1, None, f"The file cannot be read on: {error}.", "Copy the file again.")]
    if number == 0:
        yield [Problem(None, None, "The file is empty.", _EXAMPLE)]


def _entry(line: bytes, number: int) -> Entry | list[Problem]:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        problem = f"Invalid Unicode: byte {error.start + 1} of the line is no UTF-8."
        return [Problem(number, _id_despite(line), problem, "Write the file in UTF-8.")]
    if text.startswith("\ufeff"):
        return [Problem(number, None, "The line begins with a byte order mark.", "Save as UTF-8 without BOM.")]
    if not text.strip():
        return [Problem(number, None, "The line is empty.", "Remove it.")]
    if len(line) > _SHORT_BYTES and _values(line) > MAX_LINE_VALUES:
        return [Problem(number, None, f"The line holds more than {MAX_LINE_VALUES:,} values.", _EXAMPLE)]
    try:
        pairs = json.loads(text, object_pairs_hook=_Pairs)
    except json.JSONDecodeError as error:
        return [Problem(number, None, f"Malformed JSON: {error.msg} at column {error.colno}.", _EXAMPLE)]
    except RecursionError:
        return [Problem(number, None, "Malformed JSON: nested too deeply.", _EXAMPLE)]
    except ValueError:  # Python reads no whole number of more than 4,300 digits
        return [Problem(number, None, "Malformed JSON: a number has too many digits.", _EXAMPLE)]
    if not isinstance(pairs, _Pairs):
        return [Problem(number, None, f"Wrong type: the line is {_kind(pairs)}, not an object.", _EXAMPLE)]
    return _checked(pairs, number)


def _values(line: bytes) -> int:
    """How many values the JSON of a line may hold at most."""
    marks = _STRING.sub(b"", line)
    return marks.count(b",") + marks.count(b"[") + marks.count(b"{")


def _id_despite(line: bytes) -> str | None:
    """The id of a line with bytes that are no UTF-8, where it can be made out."""
    if len(line) > _SHORT_BYTES:
        return None
    try:
        values = json.loads(line.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    row = values.get("id") if isinstance(values, dict) else None
    return shown(row) if isinstance(row, str) else None


class _Pairs(list[tuple[str, Any]]):
    """The members of a JSON object as they stand, repeated keys included."""


def _checked(pairs: _Pairs, number: int) -> Entry | list[Problem]:
    values = dict(pairs)
    row = values.get("id")
    known = shown(row) if isinstance(row, str) else None
    faults: list[tuple[str, str]] = []
    if len(pairs) > MAX_KEYS:
        return [Problem(number, known, f"The object has {len(pairs):,} keys.", _EXAMPLE)]
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        faults.append((f"The key {shown(repeated)!r} is there twice.", "Keep one."))
    for name in values:
        if name not in KEYS:
            faults.append((f"Extra key {shown(name)!r}.{nearest(shown(name), KEYS)}", "Remove it."))
    for name in ("task", "id"):
        faults.extend(_text_faults(values, name))
    if "prediction" in values and "predictions" in values:
        faults.append(("Both 'prediction' and 'predictions' are there.", "Keep one of them."))
    elif "predictions" in values:
        faults.extend(_list_faults(values["predictions"]))
    else:
        faults.extend(_text_faults(values, "prediction"))
    if faults:
        return [Problem(number, known, problem, fix) for problem, fix in faults]
    texts = tuple(values["predictions"]) if "predictions" in values else (values["prediction"],)
    return Entry(number, values["task"], values["id"], texts)


def _text_faults(values: dict[str, Any], name: str) -> Iterator[tuple[str, str]]:
    if name not in values:
        yield f"Missing key {name!r}.", f'Add "{name}".'
        return
    value = values[name]
    if not isinstance(value, str):
        fix = f'Write "{name}": "{shown(str(value))}".' if isinstance(value, int | float) else f"Give {name!r} as text."
        yield f"Wrong type: {name!r} is {_kind(value)}, not text.", fix
    elif not _is_unicode(value):
        yield f"Invalid Unicode: {name!r} holds half of a surrogate pair.", "Write whole characters."


def _list_faults(value: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(value, list) or isinstance(value, _Pairs):
        yield f"Wrong type: 'predictions' is {_kind(value)}, not a list.", "Give a list of texts."
        return
    if not value:
        yield "'predictions' is an empty list.", "Give at least one text; an empty text counts."
    for place, text in enumerate(value):
        if not isinstance(text, str):
            yield f"Wrong type: predictions[{place}] is {_kind(text)}, not text.", "Give a list of texts."
            return
        if not _is_unicode(text):
            yield f"Invalid Unicode: predictions[{place}] holds half of a surrogate pair.", "Write whole characters."
            return


def shown(text: str) -> str:
    """A text of the file as a message may show it: valid Unicode, at most 200 characters."""
    return text[:200].encode("utf-8", "backslashreplace").decode()


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _kind(value: Any) -> str:
    if isinstance(value, _Pairs):
        return "an object"
    return "null" if value is None else _KINDS[type(value)]
