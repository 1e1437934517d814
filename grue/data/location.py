"""Where rows come from: inside the package, the hub, or a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from grue.core.errors import TaskDataError, UsageError
from grue.core.text import nearest

Kind = Literal["mini", "hub", "folder"]
DATA_SUFFIXES = (".jsonl", ".jsonl.gz", ".parquet")


class TaskAbsentError(TaskDataError):
    """The folder, hub or package holds no rows file of this task at all."""


@dataclass(frozen=True, slots=True)
class DataLocation:
    """``mini`` (rows inside the package), ``hub`` (the pinned revision), or a folder with its path."""

    kind: Kind
    path: Path | None = None


def locate(data: str | None, default: str) -> DataLocation:
    """Read ``--data``.

    Args:
        data: What the user wrote, or ``None``.
        default: ``$GRUE_DATA``, else ``hub``.

    Raises:
        UsageError: where the folder does not exist or is no folder.
        TaskDataError: where the folder is empty.
    """
    text = data or default
    if text == "mini":
        return DataLocation("mini")
    if text == "hub":
        return DataLocation("hub")
    path = Path(text).expanduser()
    origin = "--data" if data else "GRUE_DATA"
    try:
        if not path.exists():
            raise UsageError(
                f"{origin}: there is no folder {text!r}.{nearest(text, ('mini', 'hub'))}",
                "Give mini, hub, or a folder that holds TASK/SPLIT.jsonl.",
            )
        if not path.is_dir():
            raise UsageError(
                f"{origin}: {text!r} is a file.", "Give the folder that holds TASK/SPLIT.jsonl, not a file in it."
            )
        if not any(path.iterdir()):
            raise TaskDataError(f"The data folder {text!r} is empty.", "It should hold TASK/SPLIT.jsonl.")
    except OSError as error:
        raise UsageError(
            f"{origin}: {text!r} cannot be read: {error.strerror or error}.", "Check its rights."
        ) from error
    return DataLocation("folder", path)
