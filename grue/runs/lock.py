"""One process a run directory: a lock that the system frees with its holder, however that one ends."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from contextlib import suppress
from pathlib import Path

from grue.core.errors import RunDirectoryError

LOCK_FILE = ".lock"


class FolderLock:
    """An exclusive lock on a folder, held until ``release``; the file of a dead process blocks nobody.

    Attributes:
        folder: The locked folder, under its present name.
    """

    def __init__(self, folder: Path, descriptor: int) -> None:
        self.folder = folder
        self._descriptor = descriptor

    @classmethod
    def acquire(cls, folder: Path) -> FolderLock:
        """Lock a folder that exists.

        Raises:
            RunDirectoryError: where a living process holds it; names process and host.
            OSError: where the lock file cannot be written.
        """
        path = folder / LOCK_FILE
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = _holder(descriptor)
                os.close(descriptor)
                raise RunDirectoryError(
                    f"another process is working in this run directory ({holder}).",
                    "Wait until it is done, stop it, or choose another folder with -o.",
                    place=str(folder),
                ) from None
            except OSError:
                os.close(descriptor)
                raise
            # The holder before us removes its file when it is done: a lock on a removed file guards nothing.
            if _same_file(path, descriptor):
                lock = cls(folder, descriptor)
                try:
                    os.ftruncate(descriptor, 0)
                    os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode(), 0)
                except OSError:
                    lock.release()
                    raise
                return lock
            os.close(descriptor)

    def moved(self, folder: Path) -> None:
        """Say that the locked folder has a new name."""
        self.folder = folder

    def release(self) -> None:
        """Free the folder; releasing twice does nothing."""
        if self._descriptor < 0:
            return
        path = self.folder / LOCK_FILE
        with suppress(OSError):
            if _same_file(path, self._descriptor):
                path.unlink()
        os.close(self._descriptor)
        self._descriptor = -1


def _same_file(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _holder(descriptor: int) -> str:
    try:
        known = json.loads(os.pread(descriptor, 4096, 0))
        return f"process {int(known['pid'])} on {known['host']}"
    except (ValueError, KeyError, TypeError):
        return "process unknown"
