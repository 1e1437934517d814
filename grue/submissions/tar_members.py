"""The files of a tar archive, read as a stream.

The standard library's reader takes extended headers of any length into memory; only its parser of one block is used.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator

from grue.submissions.findings import Fault
from grue.submissions.member_names import BROKEN, PACK_AGAIN, Counted, Member, Names, Readable, broken

_BLOCK = 512
# Longer names and attributes come in a block of their own, which is read whole.
_MAX_EXTENSION_BYTES = 64 << 10


def tar_members(stream: Readable, max_bytes: int) -> Iterator[Member]:
    """The regular files of a tar stream.

    Raises:
        Fault: for a broken archive, one that unpacks to more than ``max_bytes``, and for links and devices.
    """
    counted = Counted(stream, [max_bytes])
    names, long_name, ended = Names(), "", 0
    try:
        while ended < 2 and (block := _exactly(counted, _BLOCK, is_end_allowed=True)):
            if not block.strip(b"\0"):
                ended += 1
                continue
            ended = 0
            header = _tar_header(block)
            if header.type in (tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.XGLTYPE):
                extension = _extension(counted, header)
                if header.type != tarfile.XGLTYPE:
                    long_name = _long_name(header, extension) or long_name
                elif _pax_path(extension):
                    raise Fault("The archive names all its members by one path.", PACK_AGAIN)
                continue
            raw, long_name = long_name or header.name, ""
            if header.isdir():
                names.add(raw)
                _skip(counted, _padded(header.size))
                continue
            if header.type not in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE):
                raise Fault(f"{raw[:200]!r} is a link, a device or no plain file.", PACK_AGAIN)
            member = _Part(counted, header.size)
            yield Member(names.add(raw), header.size, member)
            _skip(counted, member.left + _padded(header.size) - header.size)
    except BROKEN as error:
        raise broken(error) from error


def _tar_header(block: bytes) -> tarfile.TarInfo:
    header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    if header.size < 0:
        raise Fault("A member has a negative length.", PACK_AGAIN)
    return header


def _extension(stream: Readable, header: tarfile.TarInfo) -> bytes:
    if header.size > _MAX_EXTENSION_BYTES:
        raise Fault(f"A member's header has {header.size:,} bytes.", PACK_AGAIN)
    return _exactly(stream, _padded(header.size))[: header.size]


def _long_name(header: tarfile.TarInfo, extension: bytes) -> str:
    if header.type == tarfile.GNUTYPE_LONGNAME:
        return extension.rstrip(b"\0").decode("utf-8", "surrogateescape")
    return _pax_path(extension)


def _pax_path(extension: bytes) -> str:
    """The path of a PAX header, whose records are ``length key=value`` and a newline; empty where it has none."""
    place, path = 0, ""
    while place < len(extension) and extension[place] != 0:
        head = re.match(rb"([1-9][0-9]{0,5}) ([^=\n]+)=", extension[place : place + 1_000])
        if head is None:
            raise ValueError("a header is broken")
        length = int(head[1])
        if length < len(head[0]) + 1 or place + length > len(extension):
            raise ValueError("a header is broken")
        if head[2] in (b"size", b"linkpath") or head[2].startswith(b"GNU.sparse"):
            raise Fault(f"A header sets {head[2].decode()!r}, which no run directory needs.", PACK_AGAIN)
        if head[2] == b"path":
            path = extension[place + len(head[0]) : place + length - 1].decode("utf-8", "surrogateescape")
        place += length
    return path


class _Part:
    """The next bytes of a stream, so many of them."""

    def __init__(self, stream: Readable, size: int) -> None:
        self._stream = stream
        self.left = size

    def read(self, size: int = -1, /) -> bytes:
        wanted = self.left if size < 0 else min(size, self.left)
        block = self._stream.read(wanted) if wanted else b""
        if wanted and not block:
            raise broken(EOFError("it is cut off"))
        self.left -= len(block)
        return block


def _exactly(stream: Readable, size: int, *, is_end_allowed: bool = False) -> bytes:
    blocks: list[bytes] = []
    while size and (block := stream.read(size)):
        blocks.append(block)
        size -= len(block)
    if size and not (is_end_allowed and not blocks):
        raise EOFError("it is cut off")
    return b"".join(blocks)


def _skip(stream: Readable, size: int) -> None:
    while size:
        block = stream.read(size)
        if not block:
            raise EOFError("it is cut off")
        size -= len(block)


def _padded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK
