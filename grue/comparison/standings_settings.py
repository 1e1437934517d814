"""Settings: what a board ranks at a time, since only runs on the same split, rows and profile stand together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grue.comparison.standings_entries import entries_of
from grue.comparison.standings_runs import BoardRun
from grue.core.task import STANDARD
from grue.runs.setting import MIXED, RunSetting, run_setting

_THIN = "\u202f"  # narrow no-break space between thousands


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Runs that were made in one setting.

    Attributes:
        slug: Part of addresses.
        is_mini: Whether the rows are those embedded in the task packages.
        split: Name of the split; ``default splits`` where a run took each task's own.
        limit: Rows a task; ``None`` for whole splits.
        runs: Single runs, by id, those that were superseded among them.
        entries: The runs that count, those that differ in seed alone as one, by id.
    """

    slug: str
    is_mini: bool
    split: str
    limit: int | None
    profile: str
    runs: tuple[BoardRun, ...]
    entries: tuple[BoardRun, ...]

    @property
    def label(self) -> str:
        """The setting in words: ``test split, 100 rows a task``."""
        rows = "whole" if self.limit is None else f"{self.limit:,} rows a task".replace(",", _THIN)
        split = self.split if self.split == MIXED else f"{self.split} split"
        parts = [f"mini rows, {split}" if self.is_mini else split, rows]
        if self.profile != STANDARD:
            parts.append(self.profile)
        return ", ".join(parts)

    @property
    def ranked(self) -> tuple[BoardRun, ...]:
        """Entries that are no yardsticks."""
        return tuple(entry for entry in self.entries if not entry.is_yardstick)


def settings(runs: Sequence[BoardRun]) -> tuple[Setting, ...]:
    """Group runs by setting, the one to show by default first.

    That is the whole split with most entries, else the largest subset; they count before yardsticks.
    """
    groups: dict[RunSetting, list[BoardRun]] = {}
    for run in sorted(runs, key=lambda run: run.id):
        asked = [run.manifest.tasks[name] for name in run.tasks]
        groups.setdefault(run_setting(asked), []).append(run)
    found = [
        Setting(
            slug=key.slug,
            is_mini=key.is_mini,
            split=key.split,
            limit=key.limit,
            profile=key.profile,
            runs=tuple(members),
            entries=entries_of([run for run in members if run.superseded is None]),
        )
        for key, members in groups.items()
    ]

    def order(setting: Setting) -> tuple[object, ...]:
        n_runs = (-len(setting.ranked), -len(setting.runs))
        if setting.limit is None:
            return (0, 0, *n_runs, setting.slug)
        return (1, -setting.limit, *n_runs, setting.slug)

    return tuple(sorted(found, key=order))
