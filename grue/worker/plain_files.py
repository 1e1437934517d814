"""Takes files out of a folder that a program wrote which is not trusted: never through a link, a pipe or a device."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import BinaryIO

MOST_FILES = 1000
MOST_BYTES = 8 << 30


class ForeignFileError(Exception):
    """A folder holds what no program of ours writes: a link, a device, or far too much."""


def open_plain(folder: Path, name: str) -> BinaryIO | None:
    """Open a file below a folder; ``None`` where there is none.

    Args:
        folder: A folder of ours.
        name: Relative path; each of its parts is looked at as it is, not at what it may point to.

    Raises:
        ForeignFileError: where a part of the path is a link, or the file is none.
    """
    *parents, last = name.split("/")
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for parent in parents:
            inner = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
            os.close(at)
            at = inner
        # A pipe without a writer would block an ordinary opening.
        descriptor = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=at)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ForeignFileError(f"{name}: {error.strerror}") from error
    finally:
        os.close(at)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ForeignFileError(f"{name} is no file")
    return os.fdopen(descriptor, "rb")


def copy_plain(folder: Path, name: str, target: Path) -> int:
    """Copy a file from below a folder; its size, 0 where there is none.

    Raises:
        ForeignFileError: as ``open_plain``.
    """
    source = open_plain(folder, name)
    if source is None:
        return 0
    target.parent.mkdir(parents=True, exist_ok=True)
    with source, target.open("wb") as file:
        shutil.copyfileobj(source, file, 1 << 20)
        return file.tell()


def copy_folder(folder: Path, target: Path) -> None:
    """Copy all files of a folder.

    Raises:
        ForeignFileError: where something in it is neither file nor folder, or it holds too much.
    """
    total = 0
    for name in plain_names(folder):
        total += copy_plain(folder, name, target / name)
        if total > MOST_BYTES:
            raise ForeignFileError("more than it may hold")


def plain_names(folder: Path) -> list[str]:
    """Relative paths of all files of a folder.

    Raises:
        ForeignFileError: as ``copy_folder``.
    """
    names: list[str] = []
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(place, name)
            mode = os.lstat(path).st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise ForeignFileError(f"{os.path.relpath(path, folder)} is no file")
        names += [os.path.relpath(os.path.join(place, name), folder) for name in files]
        if len(names) > MOST_FILES:
            raise ForeignFileError("too many files")
    return sorted(names)


def size_of(folder: Path) -> int:
    """Bytes that a folder holds, as far as it can be seen while it is written; many files count as too much."""
    total = seen = 0
    for place, _, files in os.walk(folder):
        for name in files:
            seen += 1
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except OSError:
                continue
        if seen > MOST_FILES * 10:
            return MOST_BYTES + 1
    return total
