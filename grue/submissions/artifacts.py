"""Uploads, run directories and rows behind one address: a folder of this machine, or a bucket.

In a folder, an artifact is renamed into its place when it is whole. In a bucket, where nothing can be renamed, an
object is there once it is whole, and a folder once the list of its files is, which is written last, beside it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO, cast

from grue.core.errors import MissingExtraError, StoreError
from grue.core.text import sha256_text
from grue.submissions.bucket import Bucket
from grue.submissions.folder_store import FolderStore
from grue.submissions.keys import checked_key


class Artifacts:
    """Files and folders by key; put whole or not at all, and as often as one likes.

    Args:
        address: A folder, or any address that fsspec knows: ``s3://bucket/prefix``, ``memory://name``.
        cache: Where copies of what lies elsewhere are kept.
    """

    def __init__(self, address: str, cache: Path) -> None:
        self.address = address
        self._place = _place(address, cache)

    def put_file(self, local: Path, key: str) -> None:
        """Store a file; what was there before is replaced.

        Raises:
            StoreError: where it cannot be read or stored, or the key is none.
        """
        self._place.put_file(local, checked_key(key))

    def put_folder(self, local: Path, key: str) -> None:
        """Store a folder with all its files; putting the same folder again changes nothing.

        Raises:
            StoreError: where another folder has this key, it holds a link or device, or it cannot be stored.
        """
        self._place.put_folder(local, checked_key(key))

    def open(self, key: str) -> BinaryIO:
        """A file's bytes, to be closed by the caller; one inside a folder by the folder's key and its path.

        Raises:
            StoreError: where there is none.
        """
        return self._place.open(checked_key(key))

    def exists(self, key: str) -> bool:
        """Whether there is such a file or whole folder."""
        return self._place.exists(checked_key(key))

    def delete(self, key: str) -> None:
        """Delete a file or folder; nothing happens where there is none."""
        self._place.delete(checked_key(key))

    def local_folder(self, key: str) -> Path:
        """The folder on this machine: itself where the address is a folder, else a copy whose hashes were checked.

        Raises:
            StoreError: where there is none, or it is not what was stored.
        """
        return self._place.local_folder(checked_key(key))


def _place(address: str, cache: Path) -> FolderStore | Bucket:
    from fsspec.core import url_to_fs
    from fsspec.implementations.local import LocalFileSystem

    try:
        system, root = cast("tuple[Any, str]", url_to_fs(address))
    except ImportError as error:
        raise MissingExtraError(
            f"Artifacts at {address.partition('://')[0]}:// need a package that is not installed: {error}.",
            "For s3:// install it with: pip install 'grue[s3]'.",
        ) from error
    except (ValueError, OSError) as error:
        raise StoreError(f"{address!r} is no address of an artifact store: {error}.", "Set GRUE_ARTIFACTS.") from error
    if isinstance(system, LocalFileSystem):
        return FolderStore(Path(root))
    return Bucket(system, root.rstrip("/"), cache / "artifacts" / sha256_text(address)[:16])
