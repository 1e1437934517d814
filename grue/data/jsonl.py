"""JSON lines, plain or gzipped, as records that know their line."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from grue.core.errors import TaskDataError
from grue.core.record import Record


def read_jsonl(path: Path, name: str) -> Iterator[Record]:
    """Records of a file in order; blank lines are passed over.

    Args:
        path: The file.
        name: How messages call it.

    Raises:
        TaskDataError: for invalid UTF-8, broken JSON, a line that is no object, or a lone surrogate.
    """
    try:
        with _open(path) as lines:
            for number, line in enumerate(lines, start=1):
                place = f"{name}:{number}"
                if line.strip():
                    yield Record(_object(line, place), place)
    except (OSError, EOFError) as error:
        raise TaskDataError(f"The file cannot be read: {error}.", "Check the file.", place=name) from error


def _open(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _object(line: bytes, place: str) -> dict[str, Any]:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise TaskDataError(
            f"Byte {error.start + 1} of the line is no valid UTF-8.", "Save the file as UTF-8.", place=place
        ) from error
    try:
        value = json.loads(text.lstrip("\ufeff"), parse_constant=_no_constant)
    except (json.JSONDecodeError, _ConstantError, RecursionError) as error:
        why = f"{error.msg} at column {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)
        raise TaskDataError(f"The line is no valid JSON: {why}.", "Mend or remove the line.", place=place) from error
    if not isinstance(value, dict):
        raise TaskDataError(
            f"The line is no JSON object; found {type(value).__name__}.", "Write one object a line.", place=place
        )
    if "\\u" in text:
        _refuse_surrogates(value, place)
    return value


class _ConstantError(ValueError):
    pass


def _no_constant(name: str) -> float:
    raise _ConstantError(f"{name} is no JSON number")


def _refuse_surrogates(value: object, place: str) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise TaskDataError(
            "A text holds half of a surrogate pair, which is no character.", "Mend the escape.", place=place
        ) from error
