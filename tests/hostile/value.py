"""What a hostile upload is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

Rows = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Hostile:
    """One upload.

    Attributes:
        name: Family, for messages.
        kind: ``predictions``, ``run``, ``model`` or ``text``.
        content: The file as it is sent; for ``text`` its UTF-8, surrogates let through.
        files: For ``model``: name -> content.
        is_wrong: Whether it has to be refused; else it may happen to be sound.
    """

    name: str
    kind: str
    content: bytes = b""
    files: Mapping[str, bytes] = field(default_factory=dict)
    is_wrong: bool = True

    def written(self, folder: Path) -> Path:
        """The upload on disk: the file, or for a checkpoint the folder, in which names that cannot be are left out."""
        if self.kind != "model":
            path = folder / "upload"
            path.write_bytes(self.content)
            return path
        top = folder / "model"
        top.mkdir(parents=True)
        for name, content in self.files.items():
            if can_be_written(name):
                (top / name).write_bytes(content)
        return top


def can_be_written(name: str) -> bool:
    """Whether a folder can hold a file of that name."""
    return "/" not in name and "\0" not in name and name not in ("", ".", "..") and len(name.encode()) < 255
