"""Settings: what a board shows at a time, since only runs on the same split, rows and profile stand together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grue.core.task import STANDARD
from leaderboard_site.numbers import count
from leaderboard_site.results import BoardRun

MIXED = "default splits"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Runs that were made in one setting.

    Attributes:
        slug: Part of addresses.
        is_mini: Whether the rows are those embedded in the task packages.
        split: Name of the split; ``default splits`` where a run took each task's own.
        limit: Rows a task; ``None`` for whole splits.
        runs: By run id.
    """

    slug: str
    is_mini: bool
    split: str
    limit: int | None
    profile: str
    runs: tuple[BoardRun, ...]

    @property
    def label(self) -> str:
        """The setting in words: ``test split, 100 rows a task``."""
        rows = "whole" if self.limit is None else f"{count(self.limit)} rows a task"
        split = self.split if self.split == MIXED else f"{self.split} split"
        parts = [f"mini rows, {split}" if self.is_mini else split, rows]
        if self.profile != STANDARD:
            parts.append(self.profile)
        return ", ".join(parts)

    @property
    def ranked(self) -> tuple[BoardRun, ...]:
        """Runs that are no yardsticks."""
        return tuple(run for run in self.runs if not run.is_yardstick)


def settings(runs: Sequence[BoardRun]) -> tuple[Setting, ...]:
    """Group runs by setting, the one to show by default first.

    That is the whole split with most runs, else the largest subset; runs count before yardsticks.
    """
    groups: dict[tuple[bool, str, int | None, str], list[BoardRun]] = {}
    for run in sorted(runs, key=lambda run: run.id):
        groups.setdefault(_key(run), []).append(run)
    found = [
        Setting(
            slug=_slug(is_mini, split, limit, profile),
            is_mini=is_mini,
            split=split,
            limit=limit,
            profile=profile,
            runs=tuple(members),
        )
        for (is_mini, split, limit, profile), members in groups.items()
    ]

    def order(setting: Setting) -> tuple[object, ...]:
        n_runs = (-len(setting.ranked), -len(setting.runs))
        if setting.limit is None:
            return (0, 0, *n_runs, setting.slug)
        return (1, -setting.limit, *n_runs, setting.slug)

    return tuple(sorted(found, key=order))


def _key(run: BoardRun) -> tuple[bool, str, int | None, str]:
    tasks = list(run.tasks.values())
    splits = {task.split for task in tasks}
    # A limit that no task reaches leaves every split whole.
    cut = [task.limit for task in tasks if task.limit is not None and task.limit < task.data.rows]
    profiles = sorted({task.profile for task in tasks})
    return (
        all(task.data.source == "mini" for task in tasks),
        splits.pop() if len(splits) == 1 else MIXED,
        max(cut, default=None),
        " and ".join(profiles),
    )


def _slug(is_mini: bool, split: str, limit: int | None, profile: str) -> str:
    parts = ["mini"] if is_mini else []
    parts += [split.replace(" ", "-")] + ([str(limit)] if limit is not None else [])
    if profile != STANDARD:
        parts.append(profile.replace(" ", "-"))
    return "-".join(parts)
