"""A gzip stream that is read as it comes, with bounds that the standard library's reader lacks.

Its time is bounded by the bytes that are there: a name in a header is read in C, and a file of a million empty parts
is refused, which the library reads at a tenth of a millisecond each.
"""

from __future__ import annotations

import gzip
import io
import zlib
from typing import IO, Any

MAGIC = b"\x1f\x8b"
# Tools that compress in blocks begin a new part every 64 KiB of text.
MAX_PARTS = 100_000
_BLOCK_BYTES = 1 << 16
_GZIP_WINDOW = 31


def gunzipped(stream: IO[bytes]) -> IO[bytes]:
    """The text of a gzip stream, as a stream.

    Reading it raises ``EOFError``, ``zlib.error`` or ``gzip.BadGzipFile`` where the stream is cut off or broken.
    """
    return io.BufferedReader(_Gunzip(stream), _BLOCK_BYTES)


class _Gunzip(io.RawIOBase):
    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._packed = b""
        self._parts = 0
        self._part: Any = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while True:
            if not self._packed:
                self._packed = self._stream.read(_BLOCK_BYTES)
            if self._part is None and not self._begun():
                return 0
            if not self._packed and self._part is not None:
                raise EOFError("it is cut off")
            text = self._part.decompress(self._packed, len(buffer))
            self._packed = self._part.unconsumed_tail
            if self._part.eof:
                self._packed = self._part.unused_data
                self._part = None
            if text:
                buffer[: len(text)] = text
                return len(text)

    def _begun(self) -> bool:
        """Whether another part begins here; zeros after the last one are padding."""
        while self._parts and self._packed and not self._packed.strip(b"\0"):
            self._packed = self._stream.read(_BLOCK_BYTES)
        if not self._packed:
            return False
        if self._parts:
            self._packed = self._packed.lstrip(b"\0")
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise gzip.BadGzipFile(f"it has more than {MAX_PARTS:,} parts")
        self._part = zlib.decompressobj(_GZIP_WINDOW)
        return True
