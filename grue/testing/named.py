"""The contract suite on a task given by name or folder; a plugin that cannot be loaded is its first problem."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from grue.core.errors import TaskContractError
from grue.core.task import Task
from grue.registry.tasks import list_tasks, load_folder, load_task
from grue.testing.problems import Problem
from grue.testing.tasks import check_task


def check_named(text: str, include: Sequence[Path] = (), data: Path | None = None) -> list[Problem]:
    """All problems of a task.

    Args:
        text: A task's name; where no task has it, the task's folder.
        include: Folders of tasks outside the installed packages.
        data: A data folder to check with; the embedded rows where none is given.

    Raises:
        UsageError: where there is neither such a task nor such a folder.
    """
    try:
        task = _load(text, include)
    except TaskContractError as error:
        return [Problem("structure", error.cause, error.fix, error.place)]
    return check_task(task, data)


def _load(text: str, include: Sequence[Path]) -> Task:
    names = {entry.name for entry in list_tasks(include)}
    is_path = Path(text).is_dir() and text not in names and text.replace("-", "_") not in names
    return load_folder(Path(text)) if is_path else load_task(text, include)
