"""The contract suite on a task given by name or folder; a plugin that cannot be loaded is its first problem."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from grue.core.errors import TaskContractError, UsageError
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
        task = load_named(text, include)
    except TaskContractError as error:
        return [Problem("structure", error.cause, error.fix, error.place)]
    return check_task(task, data)


def load_named(text: str, include: Sequence[Path] = ()) -> Task:
    """A task by name, or by its folder where no task has the name.

    Raises:
        UsageError: where there is neither such a task nor such a folder.
        TaskContractError: where the plugin raises or gives no proper task.
    """
    names = {entry.name for entry in list_tasks(include)}
    if {text, text.replace("-", "_")} & names:
        return load_task(text, include)
    path = Path(text)
    if path.is_dir() or len(path.parts) > 1:
        if not path.is_dir():
            raise UsageError(f"No such folder: {text}.", "Name a task, or the folder of one.")
        return load_folder(path)
    return load_task(text, include)
