"""The setting of a run: only runs on the same split, rows and profile stand together on a board."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from grue.core.run import TaskManifest
from grue.core.task import STANDARD

MIXED = "default splits"


@dataclass(frozen=True, slots=True)
class RunSetting:
    """What runs of one board have in common.

    Attributes:
        is_mini: Whether the rows are those embedded in the task packages.
        split: Name of the split; ``default splits`` where a run took each task's own.
        limit: Rows a task; ``None`` for whole splits.
        profile: Name of the profile; several are joined with ``and``.
    """

    is_mini: bool
    split: str
    limit: int | None
    profile: str

    @property
    def slug(self) -> str:
        """Its name in addresses: ``mini-test``, ``test-100``, ``default-splits-grue-paper``."""
        parts = ["mini"] if self.is_mini else []
        parts += [self.split.replace(" ", "-")] + ([str(self.limit)] if self.limit is not None else [])
        if self.profile != STANDARD:
            parts.append(self.profile.replace(" ", "-"))
        return "-".join(parts)


def run_setting(tasks: Iterable[TaskManifest]) -> RunSetting:
    """The setting of a run.

    Args:
        tasks: What was asked of the tasks that have results, at least one.
    """
    asked = list(tasks)
    splits = {task.split for task in asked}
    # A limit that no task reaches leaves every split whole.
    cut = [task.limit for task in asked if task.limit is not None and task.limit < task.data.rows]
    return RunSetting(
        is_mini=all(task.data.source == "mini" for task in asked),
        split=splits.pop() if len(splits) == 1 else MIXED,
        limit=max(cut, default=None),
        profile=" and ".join(sorted({task.profile for task in asked})),
    )
