"""From what a user asks for to tasks with their rows and metrics, every fault found before anything runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from grue.core import reach
from grue.core.errors import GrueError, TaskContractError, TaskDataError, UsageError
from grue.core.judging import Judging
from grue.core.rows import Row
from grue.core.run import DataInfo
from grue.core.settings import Settings, load_settings
from grue.core.task import PAPER, Setting, Suite, Task
from grue.core.text import nearest
from grue.data.location import DataLocation, TaskAbsentError, locate
from grue.data.split import SplitData, load_split
from grue.evaluation.call import RowsCall
from grue.evaluation.suite import BuiltSuite, build_suite
from grue.metrics.build import check_settings, entry
from grue.registry.tasks import expand, list_tasks, load_task
from grue.rewards.build import check_settings as check_rewards
from grue.rewards.build import own_settings

PAPER_SWITCH = "paper"
# Folder in GRUE_HOME that keeps what judges said of a text.
JUDGES = "judges"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRows:
    """A task as one run asks it.

    Attributes:
        task: The plugin's value.
        suite: The profile's suite, quirk switches applied.
        quirks: Keys of the active quirks.
        built: The suite's metrics as they can be computed here.
        rows: The rows asked for, in id order.
        split: Full name of the split.
        data: Fingerprint of the rows.
        prompts_sha256: Fingerprint of the prompts.
        judging: Where judges run.
    """

    task: Task
    suite: Suite
    quirks: tuple[str, ...]
    built: BuiltSuite
    rows: tuple[Row, ...]
    split: str
    data: DataInfo
    prompts_sha256: str
    judging: Judging = field(default_factory=Judging)

    @property
    def primary(self) -> tuple[str, ...]:
        """Primary metrics: the suite's among those computed, or all where the user named others."""
        return tuple(name for name in self.suite.primary if name in self.built.order) or self.built.order


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """All tasks of a run with their rows.

    Attributes:
        tasks: Name -> task, in the order asked for.
        passed_over: Tasks of a group that the data do not have.
        settings: Settings of the working folder and environment.
    """

    tasks: Mapping[str, TaskRows]
    passed_over: tuple[str, ...]
    settings: Settings


def working_settings() -> Settings:
    """Settings of this process: environment, then ``grue.toml`` of the working folder."""
    return load_settings(os.environ, Path.cwd())


def select(call: RowsCall, judging: Callable[[], Judging] = Judging) -> Selected:
    """Read the rows of all tasks asked for, then build their metrics.

    Args:
        call: What the user asks for.
        judging: Gives device and checkpoint of the run, for judges; asked when all rows are read. The rest of it is
            filled in here.

    Raises:
        UsageError: for an unknown task, split, metric or setting.
        TaskDataError: for a fault in the data, or where none of the tasks has rows there.
        TaskContractError: for a plugin that raises.
    """
    settings = working_settings()
    wanted = expand(call.tasks, call.include)
    check_names(call)
    reach.set_offline(call.offline)
    location = locate(call.data, settings["GRUE_DATA"])
    read: dict[str, _Read] = {}
    passed_over = []
    for name in wanted.names:
        try:
            read[name] = _read(name, call, location, settings.home)
        except TaskAbsentError:
            if name not in wanted.optional:
                raise
            passed_over.append(name)
    if not read:
        raise TaskDataError(
            f"None of the tasks has rows here: {', '.join(passed_over)}.",
            "Give --data a folder that holds TASK/SPLIT.jsonl, or --data mini.",
            place=str(location.path or location.kind),
        )
    judged = replace(judging(), offline=call.offline, cache=settings.home / JUDGES, embedded=location.kind == "mini")
    tasks = {name: _task_rows(task, call, judged) for name, task in read.items()}
    return Selected(tasks=tasks, passed_over=tuple(passed_over), settings=settings)


def check_names(call: RowsCall) -> None:
    """Check metric names and settings that need no task to be judged.

    Raises:
        UsageError: for an unknown metric, family, key or value.
    """
    of_rewards = own_settings(call.settings)
    check_rewards(of_rewards)
    others = {family: values for family, values in call.settings.items() if family not in of_rewards}
    check_settings(others, [task.name for task in list_tasks(call.include)])
    for name in call.metrics or ():
        entry(name)


def suite_of(task: Task, profile: str, settings: Mapping[str, Mapping[str, Setting]]) -> tuple[Suite, tuple[str, ...]]:
    """The suite of a profile with the user's quirk switches, and the keys of the active quirks.

    ``TASK.paper`` switches all of a task's quirks, ``TASK.KEY`` one.

    Raises:
        UsageError: for an unknown switch or a value that is not true or false.
        TaskContractError: where the plugin raises.
    """
    keys = [quirk.key for quirk in task.quirks]
    given = settings.get(task.name, {})
    for key, value in given.items():
        if key not in (*keys, PAPER_SWITCH):
            known = ", ".join(f"{task.name}.{known}" for known in (PAPER_SWITCH, *keys))
            raise UsageError(
                f"--set: task {task.name!r} has no switch {key!r}.{nearest(key, [*keys, PAPER_SWITCH])}",
                f"It has: {known}.",
            )
        if not isinstance(value, bool):
            raise UsageError(
                f"--set: {task.name}.{key}={value!r} is not allowed.", f"Write {task.name}.{key}=true or =false."
            )
    start = bool(given.get(PAPER_SWITCH, profile == PAPER))
    active = tuple(key for key in keys if given.get(key, start))
    with plugin_faults(task.name, "its suite"):
        suite = task.profile(profile, {key: key in active for key in keys})
    return suite, active


class plugin_faults:  # noqa: N801 - reads as a statement: `with plugin_faults(...)`
    """Turns what a task plugin raises into a ``TaskContractError`` that names it; errors with a fix pass."""

    def __init__(self, task: str, doing: str) -> None:
        self.task = task
        self.doing = doing

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, GrueError):
            raise TaskContractError(
                f"Task {self.task!r} raised {type(error).__name__} in {self.doing}: {error}",
                f"Mend the plugin; 'grue tasks validate {self.task}' shows where.",
            ) from error


@dataclass(frozen=True, slots=True)
class _Read:
    """A task whose rows are read."""

    task: Task
    suite: Suite
    quirks: tuple[str, ...]
    data: SplitData


def _read(name: str, call: RowsCall, location: DataLocation, home: Path) -> _Read:
    task = load_task(name, call.include)
    suite, quirks = suite_of(task, call.profile, call.settings)
    with plugin_faults(name, "reading its rows"):
        data = load_split(task, suite, call.split, location, home=home, limit=call.limit, offline=call.offline)
    return _Read(task, suite, quirks, data)


def _task_rows(read: _Read, call: RowsCall, judging: Judging) -> TaskRows:
    data = read.data
    return TaskRows(
        task=read.task,
        suite=read.suite,
        quirks=read.quirks,
        built=build_suite(
            read.suite,
            metrics=call.metrics,
            settings=metric_settings(call),
            model_metrics=call.model_metrics,
            judging=judging,
        ),
        rows=tuple(data.rows),
        split=data.split,
        data=data.info,
        prompts_sha256=data.prompts_sha256,
        judging=judging,
    )


def metric_settings(call: RowsCall) -> dict[str, Mapping[str, Setting]]:
    """The user's settings of metric families, task switches left out."""
    tasks = {task.name for task in list_tasks(call.include)}
    return {family: values for family, values in call.settings.items() if family not in tasks}


def prompt_rows(selected: Selected) -> list[tuple[str, Row]]:
    """(task, row) of every prompt, tasks in the order asked for, rows in id order."""
    return [(name, row) for name, task in selected.tasks.items() for row in task.rows]


def names_of(text: str | Sequence[str] | None) -> tuple[str, ...] | None:
    """Comma-separated names, or names already apart; ``None`` stays ``None``."""
    if text is None:
        return None
    parts = text.split(",") if isinstance(text, str) else text
    names = tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))
    if not names:
        raise UsageError("--metrics names no metric.", "Give names, comma-separated, or leave the flag out.")
    return names
