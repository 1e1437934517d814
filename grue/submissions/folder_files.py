"""The files of a folder as a list of names, sizes and hashes; links and devices are none."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from grue.core.errors import StoreError
from grue.runs.files import is_temporary, sha256_file
from grue.submissions.keys import checked_key


@dataclass(frozen=True, slots=True)
class FolderFile:
    """A file inside a folder: its path with ``/``, bytes and SHA-256."""

    name: str
    size: int
    sha256: str


def folder_files(folder: Path) -> tuple[FolderFile, ...]:
    """All files below a folder by name; hidden files, which only a kill or a lock leaves there, are passed over.

    Raises:
        StoreError: where the folder cannot be read or holds a link or a device.
    """
    found = []
    try:
        for top, inner, names in os.walk(folder, onerror=_raise):
            inner[:] = sorted(name for name in inner if not name.startswith("."))
            for name in sorted(names) + inner:
                path = Path(top, name)
                mode = path.lstat().st_mode
                if name.startswith(".") or is_temporary(name) or stat.S_ISDIR(mode):
                    continue
                if not stat.S_ISREG(mode):
                    raise StoreError("is a link or a device, which is not stored.", "Remove it.", place=str(path))
                relative = checked_key(path.relative_to(folder).as_posix())
                found.append(FolderFile(relative, path.stat().st_size, sha256_file(path)))
    except OSError as error:
        raise StoreError(f"cannot be read: {error.strerror or error}.", place=str(folder)) from error
    return tuple(sorted(found, key=lambda file: file.name))


def _raise(error: OSError) -> None:
    raise error
