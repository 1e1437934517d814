"""SHA-256 and size of a file on disk."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from grue.core.errors import TaskDataError


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is recorded of a file."""

    sha256: str
    bytes: int


def file_facts(path: Path) -> FileFacts:
    """Read the whole file.

    Raises:
        TaskDataError: where it cannot be read.
    """
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
            return FileFacts(digest.hexdigest(), file.tell())
    except OSError as error:
        raise TaskDataError(
            f"The file cannot be read: {error.strerror or error}.", "Check its rights and the disk.", place=str(path)
        ) from error
