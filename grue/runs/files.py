"""Files that survive a kill: written under a temporary name, synced, renamed; or appended and synced."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from grue.core.errors import RunDirectoryError
from grue.core.text import Json

_TEMPORARY = ".tmp"
_BLOCK_BYTES = 1 << 16


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """Turn an operating-system error while writing below ``path`` into one that says what to do.

    Raises:
        RunDirectoryError: names the path, the system's reason and the free space.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        place = str(error.filename or path)
        raise RunDirectoryError(
            f"cannot be written: {reason}; {_free_space(path)}.",
            "Make room or permit writing there, then run the same command: it goes on where it stopped. "
            "-o names another folder.",
            place=place,
        ) from error


def write_atomic(path: Path, content: bytes) -> None:
    """Replace a file so that a reader sees the old content or the new, whatever happens meanwhile."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}{_TEMPORARY}")
    try:
        with temporary.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_json(path: Path, document: Mapping[str, Json]) -> None:
    """Write a JSON document atomically, indented, floats at full precision."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2)
    write_atomic(path, f"{text}\n".encode())


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_temporary(name: str) -> bool:
    """Whether a file name is one that ``write_atomic`` makes and a kill may leave."""
    return name.startswith(".") and name.endswith(_TEMPORARY)


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes, as 64 hex digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class Appender:
    """Appends lines to one file, each call synced before it returns.

    A call that fails (a full disk) leaves the file as it was before.
    """

    def __init__(self, path: Path) -> None:
        is_new = not path.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        if is_new:
            sync_folder(path.parent)

    def write(self, content: bytes) -> None:
        """Append all of ``content``, or nothing."""
        size = os.fstat(self._descriptor).st_size
        rest = memoryview(content)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
            os.fsync(self._descriptor)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._descriptor, size)
            raise

    def close(self) -> None:
        """Close the file; closing twice does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def drop_torn_line(path: Path) -> None:
    """Cut a file after its last newline: what follows is a line that a kill interrupted."""
    with path.open("r+b") as stream:
        end = size = stream.seek(0, os.SEEK_END)
        keep = 0
        while end > 0:
            start = max(0, end - _BLOCK_BYTES)
            stream.seek(start)
            newline = stream.read(end - start).rfind(b"\n")
            if newline >= 0:
                keep = start + newline + 1
                break
            end = start
        if keep < size:
            stream.truncate(keep)
            os.fsync(stream.fileno())


def _free_space(path: Path) -> str:
    for folder in (path, *path.parents):
        if folder.is_dir():
            return f"{shutil.disk_usage(folder).free:,} bytes are free at {folder}"
    return "the free space is not known"
