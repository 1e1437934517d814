"""``grue data verify``: hash again what a lock file names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from grue.core.errors import UsageError
from grue.core.task import Task
from grue.data.hashing import FileFacts, file_facts
from grue.data.hub_records import local_file
from grue.data.lock import LOCK_NAME, LockedTask, read_lock

State = Literal["ok", "missing", "changed", "other revision"]


@dataclass(frozen=True, slots=True)
class Verified:
    """One file of a lock file, as it is now."""

    task: str
    file: str
    state: State
    expected: str
    found: str | None


def verify(folder: Path, load: Callable[[str], Task], *, home: Path) -> list[Verified]:
    """Compare every file that the lock file names with the one on disk.

    Args:
        folder: Where ``data.lock`` is: ``home/data``, or a bundle that ``export`` wrote.
        load: Gives a task by name; asked only for files outside the folder.
        home: Folder of caches.

    Raises:
        UsageError: where there is no lock file, or it names no task.
        TaskDataError: where it is broken.
    """
    locked = read_lock(folder / LOCK_NAME)
    if not locked:
        raise UsageError(
            "There is no data.lock, or it names no task.",
            "Run 'grue data fetch' or 'grue data export' first, or give the folder of another.",
            place=str(folder),
        )
    found = []
    for name, entry in sorted(locked.items()):
        for file, facts in sorted(entry.files.items()):
            state, sha256 = _state(name, file, facts, folder, entry, load, home)
            found.append(Verified(name, file, state, facts.sha256, sha256))
    return found


def _state(
    task: str,
    file: str,
    facts: FileFacts,
    folder: Path,
    entry: LockedTask,
    load: Callable[[str], Task],
    home: Path,
) -> tuple[State, str | None]:
    path: Path | None = folder / file
    if not entry.bundled:
        source = load(task).source
        if source is None or source.revision != entry.revision:
            return "other revision", None
        path = local_file(source, file, home)
    if path is None or not path.is_file():
        return "missing", None
    sha256 = file_facts(path).sha256
    return ("ok" if sha256 == facts.sha256 else "changed"), sha256
