"""Rows for ``grue metrics compute``: JSON lines with predictions, references and inputs, all faults at once."""

from __future__ import annotations

import atexit
import gzip
import json
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from grue.core.errors import UsageError
from grue.core.metric import Texts

MAX_FAULTS = 100
PORTION = 2000
_EXAMPLE = '{"prediction": "a text", "references": ["another text"]}'


class _FaultError(Exception):
    """What is wrong with a line, and its fix."""


def read_portions(path: Path) -> Iterator[Texts]:
    """Check a whole file of rows, plain or ``.gz``, and then hand it out in portions; blank lines are passed over.

    Keys besides ``prediction`` and ``references`` are inputs of the row. The file is read twice, so that a fault in
    its last line is found before anything is computed and no more than a portion is in memory.

    Returns:
        Portions of at most ``PORTION`` rows, in file order.

    Raises:
        UsageError: names each faulty line with its fix, the first hundred and then a count.
    """
    path = _readable_twice(path)
    faults: list[str] = []
    n_rows = n_faults = 0
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        try:
            _row(line)
            n_rows += 1
        except _FaultError as fault:
            n_faults += 1
            if len(faults) < MAX_FAULTS:
                faults.append(f"{path}:{number}: {fault}")
    if faults:
        raise _joined(path, faults, n_faults)
    if not n_rows:
        raise UsageError("The file holds no rows.", f"Write one row a line: {_EXAMPLE}", place=str(path))
    return _portions(path)


def read_rows(path: Path) -> Texts:
    """All rows of a file at once.

    Raises:
        UsageError: as ``read_portions``.
    """
    portions = list(read_portions(path))
    return Texts(
        [text for portion in portions for text in portion.predictions],
        [row for portion in portions for row in portion.references],
        [row for portion in portions for row in portion.inputs],
    )


def _readable_twice(path: Path) -> Path:
    """The file itself, or a copy of what a pipe gives, removed with this process."""
    if not path.is_fifo():
        return path
    with tempfile.NamedTemporaryFile(suffix=path.suffix, delete=False) as copy, path.open("rb") as pipe:
        atexit.register(Path(copy.name).unlink, missing_ok=True)
        shutil.copyfileobj(pipe, copy)
    return Path(copy.name)


def _portions(path: Path) -> Iterator[Texts]:
    rows = (_row(line) for line in _lines(path) if line.strip())
    while group := list(islice(rows, PORTION)):
        predictions = [row.pop("prediction") for row in group]
        references = [row.pop("references", []) for row in group]
        yield Texts(predictions, references, group)


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for number, line in enumerate(file):
                yield line.removeprefix(b"\xef\xbb\xbf") if number == 0 else line
    except (OSError, EOFError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(
            f"The file cannot be read: {reason}.", "Name a file of JSON lines, plain or .gz.", place=str(path)
        ) from error


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


def _joined(path: Path, faults: list[str], n_faults: int) -> UsageError:
    lines = [f"{n_faults} faulty {'line' if n_faults == 1 else 'lines'}; nothing was computed.", *faults]
    if n_faults > len(faults):
        lines.append(f"… and {n_faults - len(faults)} more.")
    return UsageError("\n  ".join(lines), "Mend these lines and run the command again.", place=str(path))
