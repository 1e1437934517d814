"""The task registry: list, load and expand names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grue.core.errors import GrueError, TaskContractError, UsageError
from grue.core.task import Task
from grue.core.text import nearest
from grue.registry.entries import GROUPS_GROUP, Origin, TaskEntry, conflict, installed, origins, task_folders
from grue.registry.loading import load_origin

__all__ = ["Selection", "TaskEntry", "expand", "group_names", "known_groups", "list_tasks", "load_folder", "load_task"]

ALL = "all"
LIST_COMMAND = "Run 'grue tasks list' to see all."


@dataclass(frozen=True, slots=True)
class Selection:
    """The tasks that a user asked for.

    Attributes:
        names: Task names without repeats, in the order asked for.
        optional: Those that came from a group alone: passed over where a data folder does not have them.
    """

    names: tuple[str, ...]
    optional: frozenset[str]


def list_tasks(include: Sequence[Path] = ()) -> list[TaskEntry]:
    """All tasks by name; imports no plugin.

    Args:
        include: Task folders outside the installed packages, or folders of such.

    Raises:
        UsageError: where an included path holds no task.
    """
    return [
        TaskEntry(name, claims[0].module, claims[0].distribution, conflict(claims))
        for name, claims in sorted(origins(include).items())
    ]


def load_task(name: str, include: Sequence[Path] = ()) -> Task:
    """One task by name; no other plugin is imported.

    Raises:
        UsageError: for an unknown name, with the nearest known one.
        TaskContractError: where two plugins claim the name, the plugin raises, or it gives no proper task.
    """
    return load_origin(_single(name, origins(include)))


def load_folder(path: Path) -> Task:
    """The task in a folder, whatever plugins are installed.

    Raises:
        UsageError: where the path holds no task or several.
        TaskContractError: where the plugin raises or gives no proper task.
    """
    folders = task_folders(path)
    if len(folders) != 1:
        names = ", ".join(folder.name for folder in folders)
        raise UsageError(f"{path} holds several tasks: {names}.", "Name the folder of one of them.")
    folder = folders[0].resolve()
    return load_origin(Origin(folder.name, f"folder {folder}", folder))


def expand(text: str, include: Sequence[Path] = ()) -> Selection:
    """Read comma-separated tasks and groups.

    Args:
        text: Names of tasks, of groups (``grue``), or ``all``.
        include: As for ``list_tasks``.

    Raises:
        UsageError: for an unknown name, or where there is none at all.
        TaskContractError: where a named task or group is broken or claimed twice.
    """
    claims = origins(include)
    asked: dict[str, bool] = {}
    for part in (piece.strip() for piece in text.split(",")):
        if not part:
            continue
        name = _known(part, claims, known_groups())
        if name in claims:
            _single(name, claims)
            asked[name] = False
            continue
        members = _free_of_conflict(claims) if name == ALL else group_names(name)
        for member in members:
            _single(member, claims)
            asked.setdefault(member, True)
    if not asked:
        raise UsageError("No task is named.", "Name one with -t: a task, 'grue' or 'all'.")
    return Selection(tuple(asked), frozenset(name for name, optional in asked.items() if optional))


def known_groups() -> tuple[str, ...]:
    """Names of the task groups, ``all`` last; imports no plugin."""
    return (*sorted({origin.name for origin in installed(GROUPS_GROUP)} - {ALL}), ALL)


def group_names(group: str) -> tuple[str, ...]:
    """The tasks of a group, as its plugin lists them.

    Raises:
        TaskContractError: where the group is claimed twice, cannot be imported or is no tuple of names.
    """
    claims = [origin for origin in installed(GROUPS_GROUP) if origin.name == group]
    if len(claims) != 1:
        who = " and ".join(claim.distribution for claim in claims)
        raise TaskContractError(f"Task group {group!r} is claimed by {who or 'nobody'}.", "Uninstall one of them.")
    source = claims[0].source
    try:
        found = () if isinstance(source, Path) else source.load()
    except GrueError:
        raise
    except Exception as error:
        raise TaskContractError(
            f"Task group {group!r} of {claims[0].distribution} cannot be loaded: {type(error).__name__}: {error}",
            f"Mend or remove {claims[0].distribution}, or name its tasks one by one.",
        ) from error
    if isinstance(found, str) or not all(isinstance(name, str) for name in found):
        raise TaskContractError(
            f"Task group {group!r} of {claims[0].distribution} should be a tuple of task names.", "Mend the plugin."
        )
    return tuple(found)


def _known(name: str, claims: Mapping[str, list[Origin]], groups: Sequence[str]) -> str:
    """The name as registered; ``-`` is read as ``_``."""
    for form in (name, name.replace("-", "_")):
        if form in claims or form in groups:
            return form
    raise UsageError(f"Unknown task {name!r}.{nearest(name, [*claims, *groups])}", LIST_COMMAND)


def _single(name: str, claims: Mapping[str, list[Origin]]) -> Origin:
    known = claims[_known(name, claims, ())]
    if problem := conflict(known):
        raise TaskContractError(problem, "Uninstall one of them, or leave out the --include.")
    return known[0]


def _free_of_conflict(claims: Mapping[str, list[Origin]]) -> list[str]:
    return [name for name in sorted(claims) if conflict(claims[name]) is None]
