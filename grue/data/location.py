"""Where rows are read: the package, the hub, or a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from grue.core.errors import TaskDataError, UsageError


class TaskAbsentError(TaskDataError):
    """A data location has no rows of a task at all; a group of tasks passes over it."""


@dataclass(frozen=True, slots=True)
class DataLocation:
    """``kind`` is ``mini`` (rows inside the package), ``hub`` or ``folder``, which alone has a path."""

    kind: Literal["mini", "hub", "folder"]
    path: Path | None = None


def locate(data: str | None, default: str) -> DataLocation:
    """Read what a user gave for ``--data``.

    Args:
        data: ``mini``, ``hub`` or a folder; ``None`` takes the default.
        default: The setting ``GRUE_DATA``.

    Raises:
        UsageError: where the folder does not exist.
    """
    text = data or default
    if text == "mini":
        return DataLocation("mini")
    if text == "hub":
        return DataLocation("hub")
    path = Path(text).expanduser()
    if not path.is_dir():
        what = "is not a folder" if path.exists() else "does not exist"
        raise UsageError(f"--data: {text} {what}.", "Name a folder that holds TASK/SPLIT.jsonl, or mini, or hub.")
    return DataLocation("folder", path)
