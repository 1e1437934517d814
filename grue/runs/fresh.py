"""``--fresh``: a new run grows beside the old one and takes its place when it is finished.

The swap is two renames. A kill between or around them leaves a state that ``recover`` completes, since a
finished new run is recognised by its ``results.json``.
"""

from __future__ import annotations

import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

from grue.core.errors import RunDirectoryError
from grue.runs.fields import read_document
from grue.runs.files import sync_folder
from grue.runs.identity import new_run_id
from grue.runs.lock import FolderLock
from grue.runs.read import MANIFEST, RESULTS

_ULID = "[0-9A-HJKMNP-TV-Z]{26}"


def beside(path: Path, identity: str) -> Path:
    """Where a new run grows beside the one at ``path``.

    An unfinished one of the same identity is taken up again, so that an interrupted ``--fresh`` goes on too.
    """
    for folder in _siblings(path, "fresh"):
        with suppress(RunDirectoryError):
            if read_document(folder / MANIFEST).values.get("identity") == identity:
                return folder
    return path.with_name(f"{path.name}.fresh-{new_run_id()}")


def swap(new: Path, path: Path) -> Path:
    """Put the finished run ``new`` in the place of ``path``; returns where the old one went."""
    old = path.with_name(f"{path.name}.old-{new_run_id()}")
    os.rename(path, old)
    os.rename(new, path)
    sync_folder(path.parent)
    return old


def recover(path: Path) -> None:
    """Complete a swap that was interrupted.

    Raises:
        RunDirectoryError: where another process is at it right now.
        OSError: where the folders cannot be changed.
    """
    for new in _siblings(path, "fresh"):
        if not _is_finished(new):
            continue
        lock = FolderLock.acquire(new)
        try:
            if path.exists():
                old_lock = FolderLock.acquire(path)
                old_lock.moved(swap(new, path))
                old_lock.release()
            else:
                os.rename(new, path)
            lock.moved(path)
        finally:
            lock.release()
    for old in _siblings(path, "old"):
        lock = FolderLock.acquire(old)
        try:
            if path.exists():
                shutil.rmtree(old)
            else:
                os.rename(old, path)
                lock.moved(path)
        finally:
            lock.release()


def _is_finished(folder: Path) -> bool:
    try:
        return read_document(folder / RESULTS).values.get("status") == "finished"
    except RunDirectoryError:
        return False


def _siblings(path: Path, kind: str) -> list[Path]:
    pattern = re.compile(rf"{re.escape(path.name)}\.{kind}-{_ULID}")
    if not path.parent.is_dir():
        return []
    return sorted(entry for entry in path.parent.iterdir() if pattern.fullmatch(entry.name) and entry.is_dir())
