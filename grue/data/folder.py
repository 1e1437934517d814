"""Which file of a data folder, or of the package, holds a split of a task."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from grue.core.errors import TaskDataError, UsageError
from grue.core.rows import split_name
from grue.core.task import Task
from grue.core.text import nearest
from grue.data.location import TaskAbsentError

ENDINGS = (".jsonl", ".jsonl.gz", ".parquet")


def folder_file(task: Task, split: str, folder: Path) -> Path:
    """The file of a split in ``FOLDER/<task>/``; a folder named like the hub's set is taken too.

    Raises:
        TaskAbsentError: where the folder has no rows of the task at all.
        UsageError: for a split that is not there.
        TaskDataError: where several files claim the split.
    """
    for name in folder_names(task):
        if (folder / name).is_dir():
            return _split_file(task, split, folder / name)
    found = sorted(path.name for path in folder.iterdir() if path.is_dir())
    raise TaskAbsentError(
        f"No rows of task {task.name!r}: the folder holds {', '.join(found) or 'no task folders'}.",
        f"Put them into {folder / task.name}/SPLIT.jsonl.",
        place=str(folder),
    )


def folder_names(task: Task) -> tuple[str, ...]:
    """Names under which a data folder may hold a task: its own, its aliases, the hub's."""
    hub = (task.source.id.rpartition("/")[2],) if task.source else ()
    return tuple(dict.fromkeys((task.name, *task.folders, *hub)))


def embedded_file(task: Task, split: str) -> Path:
    """The file of a split inside the task's package.

    Raises:
        TaskAbsentError: where the package has no rows.
        UsageError: for a split that is not there.
    """
    folder = Path(str(files(task.package))) / "data"
    if not folder.is_dir():
        raise TaskAbsentError(
            f"Task {task.name!r} has no rows inside its package.", "Give --data a folder.", place=str(folder)
        )
    return _split_file(task, split, folder)


def _split_file(task: Task, split: str, folder: Path) -> Path:
    by_split: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        for ending in ENDINGS:
            if path.name.endswith(ending) and path.is_file():
                by_split.setdefault(split_name(path.name.removesuffix(ending)), []).append(path)
    if not by_split:
        raise TaskAbsentError(
            f"No rows of task {task.name!r}: no .jsonl or .parquet file here.",
            f"Put them into {folder}/SPLIT.jsonl.",
            place=str(folder),
        )
    claims = by_split.get(split_name(split), [])
    if not claims:
        raise UsageError(
            f"Task {task.name!r} has no split {split!r} here.{nearest(split, by_split)}",
            f"Splits: {', '.join(by_split)}.",
            place=str(folder),
        )
    if len(claims) > 1:
        raise TaskDataError(
            f"Several files claim split {split!r}: {', '.join(path.name for path in claims)}.",
            "Keep one of them.",
            place=str(folder),
        )
    return claims[0]
