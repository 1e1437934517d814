"""Artifacts in a bucket (or whatever else fsspec reaches): an object is there whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, cast
from weakref import WeakValueDictionary

from grue.core.errors import StoreError
from grue.core.run import SCHEMA_VERSION
from grue.core.text import Json, canonical_json, sha256_text
from grue.submissions.folder_files import FolderFile, folder_files

_LIST = ".files.json"
_BLOCK_BYTES = 1 << 20
_turns: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()
_turns_lock = threading.Lock()


class Bucket:
    """Keys are object names below ``root``; the list of a folder's files lies beside it and is written last."""

    def __init__(self, system: Any, root: str, cache: Path) -> None:
        self._system = system
        self._root = root
        self._cache = cache

    def put_file(self, local: Path, key: str) -> None:
        """An upload that breaks off leaves no object."""
        with self._reaching(key):
            self._system.put_file(str(local), self._name(key))

    def put_folder(self, local: Path, key: str) -> None:
        """The files, then their list."""
        files = folder_files(local)
        # Of two threads the second finds the list; between processes, a bucket replaces an object at once.
        with _turn(self._name(key)), self._reaching(key):
            stored = self._files(key)
            if stored == files:
                return
            if stored is not None:
                raise StoreError(f"Another folder has the key {key}.", "Delete it first.")
            for file in files:
                self._system.put_file(str(local / file.name), self._name(f"{key}/{file.name}"))
            self._system.pipe_file(self._name(key) + _LIST, _listed(files))

    def open(self, key: str) -> BinaryIO:
        """The object, opened."""
        with self._reaching(key):
            return cast(BinaryIO, self._system.open(self._name(key), "rb"))

    def exists(self, key: str) -> bool:
        """A folder is there when its list is."""
        with self._reaching(key):
            self._system.invalidate_cache()
            return bool(self._system.isfile(self._name(key)) or self._system.isfile(self._name(key) + _LIST))

    def delete(self, key: str) -> None:
        """The list first, so that no reader meets half a folder."""
        with self._reaching(key):
            self._system.invalidate_cache()
            for name in (self._name(key) + _LIST, self._name(key)):
                with suppress(FileNotFoundError):
                    if self._system.exists(name):
                        self._system.rm(name, recursive=True)
        self._forget(key)

    def local_folder(self, key: str) -> Path:
        """A copy in the cache, named by what is in it, so that a new folder of the same key is never mistaken."""
        with self._reaching(key):
            files = self._files(key)
            if files is None:
                self._forget(key)
                raise StoreError(f"No folder {key} in the artifact store.")
            target = self._cache / f"{_cached(key)}{sha256_text(_listed(files).decode())[:32]}"
            if not target.is_dir():
                self._fetch(key, files, target)
            return target

    def _forget(self, key: str) -> None:
        """Delete this machine's copies of what is there no more."""
        for folder in self._cache.glob(f"{_cached(key)}*"):
            shutil.rmtree(folder, ignore_errors=True)

    def _fetch(self, key: str, files: tuple[FolderFile, ...], target: Path) -> None:
        self._cache.mkdir(parents=True, exist_ok=True)
        waiting = Path(tempfile.mkdtemp(prefix=".waiting-", dir=self._cache))
        try:
            for file in files:
                place = waiting / file.name
                place.parent.mkdir(parents=True, exist_ok=True)
                if self._download(f"{key}/{file.name}", place, file.size) != file.sha256:
                    raise StoreError(
                        f"{key}/{file.name} is not what was stored.", "Restore the artifact store from its backup."
                    )
            os.rename(waiting, target)
        except OSError:
            if not target.is_dir():  # else another process was first with the same content
                raise
        finally:
            shutil.rmtree(waiting, ignore_errors=True)

    def _download(self, key: str, place: Path, size: int) -> str:
        digest, rest = hashlib.sha256(), size
        with self._system.open(self._name(key), "rb") as reading, place.open("wb") as writing:
            while rest >= 0 and (block := reading.read(_BLOCK_BYTES)):
                rest -= len(block)
                digest.update(block)
                writing.write(block)
        return digest.hexdigest()

    def _files(self, key: str) -> tuple[FolderFile, ...] | None:
        self._system.invalidate_cache()
        try:
            listed = json.loads(self._system.cat_file(self._name(key) + _LIST))
        except FileNotFoundError:
            return None
        return tuple(FolderFile(one["name"], one["size"], one["sha256"]) for one in listed["files"])

    def _name(self, key: str) -> str:
        return f"{self._root}/{key}"

    @contextmanager
    def _reaching(self, key: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise StoreError(f"No artifact {key}.") from error
        except OSError as error:
            raise StoreError(
                f"The artifact store does not answer for {key}: {error.strerror or error}.",
                "Check GRUE_ARTIFACTS and its credentials, then try again.",
            ) from error


def _turn(name: str) -> threading.Lock:
    with _turns_lock:
        lock = _turns.get(name) or threading.Lock()
        _turns[name] = lock
        return lock


def _cached(key: str) -> str:
    return f"{sha256_text(key)[:32]}-"


def _listed(files: tuple[FolderFile, ...]) -> bytes:
    listed: list[dict[str, Json]] = [{"name": file.name, "size": file.size, "sha256": file.sha256} for file in files]
    return canonical_json({"schema_version": SCHEMA_VERSION, "files": listed}).encode()
