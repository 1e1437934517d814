"""Rows for ``grue metrics compute``: JSON lines with predictions, references and inputs, all faults at once."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from grue.core.errors import UsageError
from grue.core.metric import Texts

MAX_FAULTS = 100
_EXAMPLE = '{"prediction": "a text", "references": ["another text"]}'


class _FaultError(Exception):
    """What is wrong with a line, and its fix."""


def read_rows(path: Path) -> Texts:
    """Read a file of rows, plain or ``.gz``; blank lines are passed over.

    Keys besides ``prediction`` and ``references`` are inputs of the row.

    Raises:
        UsageError: names each faulty line with its fix, the first hundred and then a count.
    """
    predictions: list[str] = []
    references: list[list[str]] = []
    inputs: list[Mapping[str, Any]] = []
    faults: list[str] = []
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        try:
            row = _row(line)
        except _FaultError as fault:
            faults.append(f"{path}:{number}: {fault}")
            continue
        predictions.append(row.pop("prediction"))
        references.append(row.pop("references", []))
        inputs.append(row)
    if faults:
        raise _joined(path, faults)
    if not predictions:
        raise UsageError("The file holds no rows.", f"Write one row a line: {_EXAMPLE}", place=str(path))
    return Texts(predictions, references, inputs)


def _lines(path: Path) -> Iterator[bytes]:
    try:
        data = path.read_bytes()
        if path.suffix == ".gz":
            data = gzip.decompress(data)
    except (OSError, EOFError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(
            f"The file cannot be read: {reason}.", "Name a file of JSON lines, plain or .gz.", place=str(path)
        ) from error
    yield from data.removeprefix(b"\xef\xbb\xbf").split(b"\n")


def _row(line: bytes) -> dict[str, Any]:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _FaultError(f"invalid UTF-8 at byte {error.start + 1}. Save the file as UTF-8.") from error
    try:
        row = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise _FaultError(f"no valid JSON: {error.msg} at column {error.colno}. Write {_EXAMPLE}") from error
    except (ValueError, RecursionError) as error:
        raise _FaultError(f"no valid JSON: {error}. Write {_EXAMPLE}") from error
    if not isinstance(row, dict):
        raise _FaultError(f"a row must be an object, found {_kind(row)}. Write {_EXAMPLE}")
    if "prediction" not in row:
        found = ", ".join(row) or "nothing"
        raise _FaultError(f'"prediction" is missing; found {found}. Add "prediction": "the text".')
    if not isinstance(row["prediction"], str):
        raise _FaultError(f'"prediction" must be text, found {_kind(row["prediction"])}. Put it in quotes.')
    references = row.get("references", [])
    if not isinstance(references, list):
        raise _FaultError(f'"references" must be a list of texts, found {_kind(references)}. Put it in [ ].')
    for index, reference in enumerate(references):
        if not isinstance(reference, str):
            raise _FaultError(f'"references"[{index}] must be text, found {_kind(reference)}. Put it in quotes.')
    try:
        json.dumps(row, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise _FaultError(
            "half a surrogate pair, which is no Unicode text. Remove the lone \\ud800–\\udfff."
        ) from error
    return row


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    words = ((bool, "true or false"), ((int, float), "a number"), (str, "text"), (list, "a list"), (dict, "an object"))
    return next(word for kind, word in words if isinstance(value, kind))


def _joined(path: Path, faults: list[str]) -> UsageError:
    shown = faults[:MAX_FAULTS]
    more = len(faults) - len(shown)
    lines = [f"{len(faults)} faulty {'line' if len(faults) == 1 else 'lines'}; nothing was computed.", *shown]
    if more:
        lines.append(f"… and {more} more.")
    return UsageError("\n  ".join(lines), "Mend these lines and run the command again.", place=str(path))
