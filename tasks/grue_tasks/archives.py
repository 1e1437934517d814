"""Reads members of a publisher's zip archive: known names only, sizes counted as they are unpacked."""

from __future__ import annotations

import csv
import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from grue.core.errors import TaskDataError
from grue.core.record import Record


class _Bounded(io.RawIOBase):
    """Counts the bytes that come out, whatever the archive's directory claims."""

    def __init__(self, inner: IO[bytes], limit_bytes: int, place: str) -> None:
        self._inner = inner
        self._left = limit_bytes
        self._place = place

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._inner.read(len(buffer))
        self._left -= len(data)
        if self._left < 0:
            raise TaskDataError(
                "The member is larger than this file can be.", "Fetch the archive again.", place=self._place
            )
        buffer[: len(data)] = data
        return len(data)


def member_lines(archive: Path, member: str, limit_bytes: int) -> Iterator[str]:
    """Lines of a UTF-8 member, line ends kept.

    Args:
        archive: The zip file.
        member: Name in it.
        limit_bytes: Most bytes that may come out of it.

    Raises:
        TaskDataError: for a broken archive, a missing or oversized member, or invalid UTF-8.
    """
    place = f"{archive}/{member}"
    try:
        with zipfile.ZipFile(archive) as opened, opened.open(member) as raw:
            bounded = io.BufferedReader(_Bounded(raw, limit_bytes, place))
            yield from io.TextIOWrapper(bounded, encoding="utf-8", newline="")
    except KeyError as error:
        raise TaskDataError("The archive lacks this member.", "Fetch the archive again.", place=place) from error
    except UnicodeDecodeError as error:
        raise TaskDataError("The member is no valid UTF-8.", "Fetch the archive again.", place=place) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise TaskDataError(f"The archive is broken: {error}.", "Fetch it again.", place=place) from error


def member_json(archive: Path, member: str, limit_bytes: int) -> Iterator[Record]:
    """Records of a JSON-lines member, with their lines.

    Raises:
        TaskDataError: as ``member_lines``, and for a line that is no JSON object.
    """
    for number, line in enumerate(member_lines(archive, member, limit_bytes), start=1):
        place = f"{archive}/{member}:{number}"
        try:
            value = json.loads(line)
        except ValueError as error:
            raise TaskDataError(f"Broken JSON: {error}.", "Fetch the archive again.", place=place) from error
        if not isinstance(value, dict):
            raise TaskDataError("The line is no JSON object.", "Fetch the archive again.", place=place)
        yield Record(value, place)


def member_csv(archive: Path, member: str, limit_bytes: int) -> Iterator[Record]:
    """Records of a CSV member with a header, values as strings; places count records from 1.

    Raises:
        TaskDataError: as ``member_lines``, and for a record that is no CSV.
    """
    reader = csv.DictReader(member_lines(archive, member, limit_bytes))
    try:
        for number, columns in enumerate(reader, start=1):
            yield Record(columns, f"{archive}/{member} row {number}")
    except csv.Error as error:
        raise TaskDataError(f"Broken CSV: {error}.", "Fetch the archive again.", place=f"{archive}/{member}") from error
