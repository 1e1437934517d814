"""Outputs of judges on disk, by what was judged: a text is read once by the same weights with the same settings."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from grue.core.metric import Floats

FILE_NAME = "judges.sqlite3"
MAX_ROWS = 1_000_000  # about 100 MB; the oldest go first
WAIT_SECONDS = 60.0
_ASK = 500  # keys a question; SQLite bounds the variables of a statement

# Files that could not be used: judges go on without them, as a cache must never decide whether there is a number.
_unusable: set[Path] = set()


def output_key(judge: str, settings: str, parts: Sequence[str]) -> bytes:
    """Key of one output.

    Args:
        judge: The judge's ``key``.
        settings: Whatever else the output depends on.
        parts: The texts that were read, in order.
    """
    digest = hashlib.sha256(f"1\n{judge}\n{settings}\n".encode())
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        digest.update(f"{len(raw)}\n".encode())
        digest.update(raw)
    return digest.digest()[:20]


def lookup(folder: Path, keys: Iterable[bytes]) -> dict[bytes, Floats]:
    """The outputs that are there."""
    found: dict[bytes, Floats] = {}
    wanted = list(keys)
    path = folder / FILE_NAME
    if path in _unusable or not path.is_file():
        return found
    try:
        with closing(_open(path)) as connection:
            for start in range(0, len(wanted), _ASK):
                some = wanted[start : start + _ASK]
                marks = ",".join("?" * len(some))
                rows = connection.execute(f"SELECT key, value FROM outputs WHERE key IN ({marks})", some)
                found |= {bytes(key): np.frombuffer(value, dtype="<f8") for key, value in rows}
    except sqlite3.Error:
        _unusable.add(path)
    return found


def store(folder: Path, outputs: Mapping[bytes, Floats]) -> None:
    """Keep outputs; several processes may do so at once."""
    path = folder / FILE_NAME
    if path in _unusable or not outputs:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with closing(_open(path)) as connection, connection:
            connection.executemany(
                "INSERT OR IGNORE INTO outputs (key, value) VALUES (?, ?)",
                [(key, np.asarray(value, dtype="<f8").tobytes()) for key, value in outputs.items()],
            )
            first, last = connection.execute("SELECT min(id), max(id) FROM outputs").fetchone()
            if last - first >= MAX_ROWS:
                connection.execute("DELETE FROM outputs WHERE id <= ?", (last - MAX_ROWS,))
    except (sqlite3.Error, OSError):
        _unusable.add(path)


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=WAIT_SECONDS)
    connection.execute("PRAGMA synchronous = OFF")  # outputs can be made again; speed matters more
    connection.execute(
        "CREATE TABLE IF NOT EXISTS outputs (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, value BLOB NOT NULL)"
    )
    return connection
