"""What is known of plugins before any is imported: entry-point metadata and folders given by the user."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path

from grue.core.errors import UsageError
from grue.core.plugins import points

TASKS_GROUP = "grue.tasks"
GROUPS_GROUP = "grue.task_groups"
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class TaskEntry:
    """A task that some plugin claims.

    Attributes:
        name: The task's name.
        module: Where its ``TASK`` stands: ``package.module:TASK``, or the folder of an included one.
        distribution: Who brings it: name and version of the distribution, or ``--include FOLDER``.
        problem: Why it cannot be used, as far as this is known without importing it.
    """

    name: str
    module: str
    distribution: str
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """One claim of a name: an entry point, or the folder of an included task."""

    name: str
    distribution: str
    source: EntryPoint | Path

    @property
    def module(self) -> str:
        """Where the object stands, for messages."""
        return str(self.source) if isinstance(self.source, Path) else self.source.value


def origins(include: Sequence[Path] = ()) -> dict[str, list[Origin]]:
    """All claims by task name: included folders first, then installed plugins in the order of their names.

    Raises:
        UsageError: where an included path is neither a task folder nor a folder of task folders.
    """
    claims: dict[str, list[Origin]] = defaultdict(list)
    folders: dict[Path, None] = {}
    for path in include:
        folders.update(dict.fromkeys(folder.resolve() for folder in task_folders(path)))
    for folder in folders:
        claims[folder.name].append(Origin(folder.name, f"--include {folder}", folder))
    for origin in installed(TASKS_GROUP):
        if origin not in claims[origin.name]:
            claims[origin.name].append(origin)
    return dict(claims)


def installed(group: str) -> list[Origin]:
    """Claims of an entry point group, by name and distribution; one distribution found twice on the path is one."""
    found: dict[tuple[str, str, str], Origin] = {}
    for point in points(group):
        distribution = f"{point.dist.name} {point.dist.version}" if point.dist else "an unnamed distribution"
        found.setdefault((point.name, distribution, point.value), Origin(point.name, distribution, point))
    return [found[key] for key in sorted(found)]


def task_folders(path: Path) -> list[Path]:
    """The task folders that a path names: itself, or the folders in it.

    Raises:
        UsageError: where there is none.
    """
    if not path.is_dir():
        raise UsageError(
            f"--include: no such folder: {path}.", "Name the folder of a task, or a folder of such folders."
        )
    if (path / "__init__.py").is_file():
        return [checked_name(path)]
    inside = sorted(folder for folder in path.iterdir() if (folder / "__init__.py").is_file())
    # The folder of an import package (src/NAME) is not a task where it holds no name a task may have.
    folders = [folder for folder in inside if _NAME.fullmatch(folder.name)]
    if not folders:
        raise UsageError(
            f"Folder {path} holds no task: neither it nor a folder in it has an __init__.py.",
            "Make a task with 'grue tasks new NAME --dir FOLDER'.",
        )
    return folders


def checked_name(folder: Path) -> Path:
    """The folder, whose name is the task's.

    Raises:
        UsageError: where the name cannot be a task's.
    """
    if not _NAME.fullmatch(folder.resolve().name):
        raise UsageError(
            f"Folder {folder.resolve().name!r} cannot be a task's name.",
            "Rename the folder: lower-case letters, digits and underscores, a letter first.",
        )
    return folder


def conflict(claims: Sequence[Origin]) -> str | None:
    """Why a name with these claims cannot be used, or ``None`` where one plugin claims it."""
    if len(claims) == 1:
        return None
    who = " and ".join(f"{claim.distribution} ({claim.module})" for claim in claims)
    return f"Task {claims[0].name!r} is claimed by {who}."
