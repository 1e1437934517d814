"""The files of a zip archive, whose directory is bounded before it is read."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from collections.abc import Iterator
from typing import IO

from grue.submissions.findings import Fault
from grue.submissions.member_names import BROKEN, MAX_MEMBERS, PACK_AGAIN, Counted, Member, Names, broken

_END_BYTES = 76 + 22 + 65_535
_DIRECTORY_BYTES = 1_200


def zip_members(file: IO[bytes], max_bytes: int) -> Iterator[Member]:
    """The regular files of a zip archive; only those that are read are unpacked.

    Raises:
        Fault: for a broken archive, one that unpacks to more than ``max_bytes``, and for links and devices.
    """
    _bound_directory(file)
    left, names = [max_bytes], Names()
    try:
        with zipfile.ZipFile(file) as archive:
            for info in archive.infolist():
                name = names.add(info.orig_filename)
                kind = stat.S_IFMT(info.external_attr >> 16) if info.create_system == 3 else 0
                if info.is_dir() or kind == stat.S_IFDIR:
                    continue
                if kind not in (0, stat.S_IFREG):
                    raise Fault(f"{name[:200]!r} is a link, a device or no plain file.", PACK_AGAIN)
                if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise Fault(f"{name[:200]!r} is compressed in a way that is not read.", "Use plain zip.")
                if info.flag_bits & 1:
                    raise Fault(f"{name[:200]!r} is encrypted.", "Pack it without a password.")
                with archive.open(info) as stream:
                    yield Member(name, info.file_size, Counted(stream, left))
    except BROKEN as error:
        raise broken(error) from error


def _bound_directory(file: IO[bytes]) -> None:
    """Refuse a directory of too many members before it is read, which the library does as a whole."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - _END_BYTES))
    tail = file.read()
    file.seek(0)
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or len(tail) - place < 22:
        raise Fault("This is no whole archive: its directory is missing.", PACK_AGAIN)
    entries, directory = struct.unpack("<HI", tail[place + 10 : place + 16])
    larger = tail[max(0, place - 76) : place]
    if len(larger) == 76 and larger.startswith(b"PK\x06\x06") and larger[56:60] == b"PK\x06\x07":
        # Counts of 64 bits, which the library prefers to the others.
        entries, directory = struct.unpack("<QQ", larger[32:48])
    if entries > MAX_MEMBERS or directory > MAX_MEMBERS * _DIRECTORY_BYTES:
        raise Fault(f"The archive has more than {MAX_MEMBERS:,} members.", PACK_AGAIN)
