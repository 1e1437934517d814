"""Finds a task's rows file in a data folder or inside the task's package."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from grue.core.errors import TaskDataError, UsageError
from grue.core.rows import split_name
from grue.core.task import Task
from grue.core.text import nearest
from grue.data.location import DATA_SUFFIXES, DataLocation, TaskAbsentError

ORDER = {"train": 0, "validation": 1, "test": 2}


def folder_names(task: Task) -> tuple[str, ...]:
    """Names under which a data folder may hold the task: its own, its others, those of its hub set."""
    names = [task.name, *task.folders]
    if task.source and not task.source.url:
        whole = task.source.id
        names += [whole.rpartition("/")[2], whole.replace("/", "_"), whole.replace("/", "__"), whole]
    return tuple(dict.fromkeys(names))


def rows_file(task: Task, split: str, location: DataLocation) -> Traversable:
    """The file of a split.

    Raises:
        TaskAbsentError: where there is no rows file of the task at all.
        UsageError: for a split that is not there; lists those that are.
        TaskDataError: where two files hold the split.
    """
    splits = split_files(task, location)
    wanted = split_name(split)
    if wanted not in splits:
        present = ", ".join(splits)
        raise UsageError(
            f"Task {task.name!r} has no split {split!r} here.{nearest(split, splits)}",
            f"Splits there: {present}.",
            place=_where(task, location),
        )
    found = splits[wanted]
    if len(found) > 1:
        names = " and ".join(sorted(file.name for file in found))
        raise TaskDataError(
            f"Split {wanted!r} of task {task.name!r} is there twice: {names}.",
            "Keep one of them.",
            place=_where(task, location),
        )
    return found[0]


def split_files(task: Task, location: DataLocation) -> dict[str, list[Traversable]]:
    """Split -> its files (more than one is a fault), ``train``, ``validation`` and ``test`` first.

    Raises:
        TaskAbsentError: where there is none.
    """
    folder = _task_folder(task, location)
    splits: dict[str, list[Traversable]] = {}
    for file in _entries(folder):
        suffix = next((suffix for suffix in DATA_SUFFIXES if file.name.endswith(suffix)), "")
        stem = file.name.removesuffix(suffix)
        if suffix and stem and not stem.startswith(".") and file.is_file():
            splits.setdefault(split_name(stem), []).append(file)
    if not splits:
        raise TaskAbsentError(
            f"There is no rows file of task {task.name!r}.",
            "It should be SPLIT.jsonl, SPLIT.jsonl.gz or SPLIT.parquet.",
            place=str(folder),
        )
    return {split: splits[split] for split in sorted(splits, key=lambda name: (ORDER.get(name, len(ORDER)), name))}


def _task_folder(task: Task, location: DataLocation) -> Traversable:
    if location.path is None:
        try:
            inside = files(task.package) / "data"
        except (ModuleNotFoundError, TypeError) as error:
            raise TaskAbsentError(f"The package {task.package!r} of task {task.name!r} is not there.") from error
        if not inside.is_dir():
            raise TaskAbsentError(
                f"Task {task.name!r} has no embedded rows.", "Give --data hub or a folder.", place=task.package
            )
        return inside
    present = {entry.name: entry for entry in _entries(location.path) if entry.is_dir()}
    folded = {_folded(name): entry for name, entry in sorted(present.items(), reverse=True)}
    for name in folder_names(task):
        nested = location.path / name
        if "/" in name and nested.is_dir():
            return nested
        if name in present:
            return present[name]
        if _folded(name) in folded:
            return folded[_folded(name)]
    raise TaskAbsentError(
        f"The data folder has no rows of task {task.name!r}. {_holds(location.path, present)}",
        f"Put them at {task.name}/SPLIT.jsonl in it.",
        place=str(location.path),
    )


def _holds(folder: Path, present: Iterable[str]) -> str:
    names = sorted(name for name in present if not name.startswith("."))
    if names:
        shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
        return f"It holds: {shown}."
    loose = sorted(entry.name for entry in _entries(folder) if entry.name.endswith(DATA_SUFFIXES))
    if loose:
        return f"It holds files alone ({', '.join(loose[:5])}): give the folder above it if this is a task's folder."
    return "It holds no folder."


def _entries(folder: Traversable) -> list[Traversable]:
    try:
        return sorted(folder.iterdir(), key=lambda entry: entry.name)
    except OSError as error:
        raise TaskDataError(
            f"The folder cannot be read: {error.strerror or error}.", "Check its rights.", place=str(folder)
        ) from error


def _folded(name: str) -> str:
    return name.casefold().replace("-", "_")


def _where(task: Task, location: DataLocation) -> str:
    return str(_task_folder(task, location))
