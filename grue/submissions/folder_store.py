"""Artifacts in a folder of this machine, or one that several mount."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from grue.core.errors import StoreError
from grue.runs.files import sync_folder
from grue.submissions.folder_files import folder_files

# No key begins with a dot, so that nobody can name what is on its way.
_WAITING = ".waiting"
_LEFT_SECONDS = 86_400.0


class FolderStore:
    """Keys are paths below ``root``."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put_file(self, local: Path, key: str) -> None:
        """Copy beside the place, sync, rename."""
        with self._storing(key):
            waiting = self._waiting()
            try:
                _copy(local, waiting)
                target = self._root / key
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(waiting, target)
                sync_folder(target.parent)
            finally:
                waiting.unlink(missing_ok=True)

    def put_folder(self, local: Path, key: str) -> None:
        """Copy beside the place, sync, rename; who comes second finds the same files there."""
        files = folder_files(local)
        target = self._root / key
        with self._storing(key):
            if target.is_dir() and folder_files(target) == files:
                return
            waiting = self._waiting()
            try:
                waiting.mkdir()
                for file in files:
                    place = waiting / file.name
                    place.parent.mkdir(parents=True, exist_ok=True)
                    _copy(local / file.name, place)
                for folder, _, _ in os.walk(waiting):
                    sync_folder(Path(folder))
                if folder_files(waiting) != files:
                    raise StoreError("changed while it was stored.", "Store it again.", place=str(local))
                target.parent.mkdir(parents=True, exist_ok=True)
                self._into_place(waiting, target)
                sync_folder(target.parent)
            finally:
                shutil.rmtree(waiting, ignore_errors=True)

    def open(self, key: str) -> BinaryIO:
        """The file, opened."""
        try:
            return (self._root / key).open("rb")
        except OSError as error:
            raise StoreError(f"No artifact {key}: {error.strerror or error}.") from error

    def exists(self, key: str) -> bool:
        """A folder has its name only when it is whole."""
        return (self._root / key).exists()

    def delete(self, key: str) -> None:
        """Rename out of sight, then delete, so that no reader meets half a folder."""
        with self._storing(key):
            waiting = self._waiting()
            with suppress(FileNotFoundError, NotADirectoryError):
                os.rename(self._root / key, waiting)
            if waiting.is_dir():
                shutil.rmtree(waiting, ignore_errors=True)
            else:
                waiting.unlink(missing_ok=True)

    def local_folder(self, key: str) -> Path:
        """The folder itself."""
        folder = self._root / key
        if not folder.is_dir():
            raise StoreError(f"No folder {key} in the artifact store.")
        return folder

    def _waiting(self) -> Path:
        folder = self._root / _WAITING
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.iterdir():  # by a kill
            with suppress(OSError):
                if time.time() - left.stat().st_mtime > _LEFT_SECONDS:
                    shutil.rmtree(left) if left.is_dir() else left.unlink()
        return folder / secrets.token_hex(12)

    def _into_place(self, waiting: Path, target: Path) -> None:
        try:
            os.rename(waiting, target)
        except OSError:
            if not target.is_dir() or folder_files(target) != folder_files(waiting):
                raise StoreError(
                    f"Another folder has the key {target.relative_to(self._root)}.", "Delete it first."
                ) from None

    @contextmanager
    def _storing(self, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(
                f"The artifact {key} cannot be stored: {error.strerror or error}.",
                "Make room there, or permit writing.",
                place=str(self._root),
            ) from error


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as reading, target.open("wb") as writing:
        shutil.copyfileobj(reading, writing, 1 << 20)
        writing.flush()
        os.fsync(writing.fileno())
