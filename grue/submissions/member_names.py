"""What a member of an archive is, however it is packed: a plain name and bytes that are counted."""

from __future__ import annotations

import re
import struct
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from typing import Protocol

from grue.submissions.findings import Fault

MAX_MEMBERS = 10_000
PACK_AGAIN = "Pack the run directory again, with tar or zip."
# What the libraries raise for a broken archive, wherever in it they are.
BROKEN = (
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
    struct.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
)
_BLOCK_BYTES = 1 << 20
_CLIMBING = re.compile(r"(^|/)\.\.(/|$)")
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\]|^/|^[A-Za-z]:|[\ud800-\udfff]")


def broken(error: Exception) -> Fault:
    """What to say of an archive that cannot be read on."""
    return Fault(f"This is no whole archive: {str(error)[:200] or type(error).__name__}.", PACK_AGAIN)


class Readable(Protocol):
    """A stream as far as it is needed here."""

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes, empty at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Member:
    """A file of the archive: its name, made of plain parts, and its bytes, to be read before the next one."""

    name: str
    size: int
    stream: Readable


def checked_name(raw: str) -> str:
    """The name of a member without ``./`` before it.

    Raises:
        Fault: where it is absolute, climbs out of the archive or holds signs that no name of a run does.
    """
    if not raw or len(raw) > 1_000 or _FORBIDDEN.search(raw) or _CLIMBING.search(raw):
        raise Fault(f"A member is named {raw[:200]!r}, which lies in no folder.", PACK_AGAIN)
    return "/".join(part for part in raw.split("/") if part not in ("", "."))


class Names:
    """Counts members and finds repeated names."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def add(self, raw: str) -> str:
        """The plain form of the next member's name.

        Raises:
            Fault: for a name that no run directory has, a repeated one, or one too many.
        """
        name = checked_name(raw)
        if name in self._seen:
            raise Fault(f"The archive holds {name[:200]!r} twice.", PACK_AGAIN)
        if name:
            self._seen.add(name)
        if len(self._seen) > MAX_MEMBERS:
            raise Fault(f"The archive has more than {MAX_MEMBERS:,} members.", PACK_AGAIN)
        return name


class Counted:
    """A stream that says how much was read of it, and no more than it may."""

    def __init__(self, stream: Readable, left: list[int]) -> None:
        self._stream = stream
        self._left = left

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes, empty at the end.

        Raises:
            Fault: where more is read than may be.
        """
        try:
            block = self._stream.read(min(size, _BLOCK_BYTES) if size >= 0 else _BLOCK_BYTES)
        except BROKEN as error:
            raise broken(error) from error
        self._left[0] -= len(block)
        if self._left[0] < 0:
            raise Fault(
                "The archive unpacks to more than is allowed.", "Leave out the statistics, or split it by task."
            )
        return block
