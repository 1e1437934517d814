"""Loading every listed task to see which are broken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from grue.core.errors import GrueError
from grue.registry.entries import TaskEntry
from grue.registry.tasks import load_task


def checked(entries: Sequence[TaskEntry], include: Sequence[Path] = ()) -> list[TaskEntry]:
    """The entries with the problem of each that cannot be loaded; one broken plugin does not stop the others."""
    return [replace(entry, problem=entry.problem or _problem(entry.name, include)) for entry in entries]


def _problem(name: str, include: Sequence[Path]) -> str | None:
    try:
        load_task(name, include)
    except GrueError as error:
        return error.cause
    return None
