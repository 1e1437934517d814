"""Reads JSON lines, plain or gzip, into records that know their line."""

from __future__ import annotations

import gzip
import json
import math
import zlib
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from typing import IO, Any, NoReturn, cast

from grue.core.errors import TaskDataError
from grue.core.record import Record

_BOM = b"\xef\xbb\xbf"


def read_jsonl(file: Traversable) -> Iterator[Record]:
    """Records in file order; blank lines and a byte order mark are passed over.

    Raises:
        TaskDataError: for a broken line, with its number and the fix; for a file that is empty or cannot be read.
    """
    offset = 0
    number = 0
    try:
        with file.open("rb") as raw, _unpacked(raw, file.name) as lines:
            for number, line in enumerate(lines, start=1):
                start, offset = offset, offset + len(line)
                if number == 1:
                    line = line.removeprefix(_BOM)
                if line.strip():
                    place = f"{file}:{number}"
                    yield Record(parse_line(line, place, start), place)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise TaskDataError(
            f"The gzip file is broken or cut off: {error}.", "Copy it again.", place=f"{file}:{number + 1}"
        ) from error
    except OSError as error:
        raise TaskDataError(
            f"The file cannot be read: {error.strerror or error}.", "Check its rights and the disk.", place=str(file)
        ) from error


def parse_line(line: bytes, place: str, offset: int = 0) -> dict[str, Any]:
    """One line as an object.

    Args:
        line: Bytes of the line.
        place: ``file:line``, for the message.
        offset: Bytes of the file before the line.

    Raises:
        TaskDataError: for invalid UTF-8 or JSON, NaN, an infinite number, half a surrogate pair, or no object.
    """
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise TaskDataError(
            f"Invalid UTF-8: byte 0x{line[error.start]:02x} at byte {error.start + 1} of the line, "
            f"{offset + error.start} of the file.",
            "Save the file as UTF-8.",
            place=place,
        ) from error
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise TaskDataError(
            f"Broken JSON: {error.msg} at character {error.colno}.",
            "Write one JSON object a line.",
            place=place,
        ) from error
    except RecursionError as error:
        raise TaskDataError("The JSON is nested too deeply.", "Write a flatter object.", place=place) from error
    except ValueError as error:
        raise TaskDataError(
            f"Not a valid JSON number: {error}.", "Write a finite number of ordinary length, or null.", place=place
        ) from error
    if not isinstance(value, dict):
        raise TaskDataError(f"The line is {_kind(value)}, not an object.", "Write one JSON object a line.", place=place)
    if "\\ud" in text.lower():
        check_unicode(value, place)
    return value


def check_unicode(value: object, place: str) -> None:
    """Refuse half a surrogate pair anywhere in a JSON value.

    Raises:
        TaskDataError: names the code point.
    """
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise TaskDataError(
            f"Invalid Unicode: half a surrogate pair, U+{ord(error.object[error.start]):04X}.",
            "Write the whole character.",
            place=place,
        ) from error


def _unpacked(raw: IO[bytes], name: str) -> IO[bytes]:
    return cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if name.endswith(".gz") else raw


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} does not exist in JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:40]} is too large")
    return number


def _kind(value: object) -> str:
    if isinstance(value, list):
        return "a list"
    return "null" if value is None else f"{type(value).__name__} {str(value)[:40]!r}"
