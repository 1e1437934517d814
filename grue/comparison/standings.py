"""Standings of a setting: per task, and over tasks by GRUE score where there is one, else by the mean of the places.

Every order a user sees, in the terminal, on pages, in documents and exports, is made here and filtered afterwards.
Ranks come from ``grue.stats.ranking``, their intervals from resampled rows (over tasks: rows and tasks), bands from
paired tests on the same rows. Yardsticks are never ranked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grue.comparison.robustness import Robustness, robustness
from grue.comparison.row_cache import RowCache
from grue.comparison.standings_overall import Overall, known, overall_of
from grue.comparison.standings_places import Place, Places
from grue.comparison.standings_settings import Setting
from grue.comparison.standings_task import TaskBoard, rank_task

NO_RANK = "no rank on any task"


@dataclass(frozen=True, slots=True)
class BoardData:
    """A setting with its tasks ranked.

    Attributes:
        places: Entry id -> place, in order, of the entries that have a rank anywhere.
        overall: Entry id -> scores over all tasks, yardsticks included.
        singles: Run id -> the same of single runs that are no entry.
        entry_of: Run id -> id of its entry; without superseded runs.
        by_score: Whether the order is that of the GRUE score.
        robustness: How often each entry is first over random weightings; ``None`` where there is nothing to weigh.
    """

    setting: Setting
    tasks: Mapping[str, TaskBoard]
    places: Mapping[str, Place]
    overall: Mapping[str, Overall]
    singles: Mapping[str, Overall]
    entry_of: Mapping[str, str]
    by_score: bool
    robustness: Robustness | None

    @property
    def has_scores(self) -> bool:
        """Whether any run was made by a version that gives scores over all tasks."""
        return any(known(one.grue) or known(one.naturalness) for one in self.overall.values())

    def overall_of_run(self, run_id: str) -> Overall:
        """A single run's own scores."""
        return self.singles[run_id] if run_id in self.singles else self.overall[run_id]


def rank_task_of(setting: Setting, task: str, metric: str = "", cache: RowCache | None = None) -> TaskBoard:
    """Rank one task of a setting.

    Args:
        setting: The setting.
        task: A task of it.
        metric: What to rank by; empty for the metric that the board shows.
        cache: Rows drawn for earlier rankings.
    """
    aside = [run for run in setting.runs if run.superseded is not None]
    return rank_task(task, [*setting.entries, *aside], metric, cache)


def rank_board(setting: Setting, task_order: Sequence[str], cache: RowCache | None = None) -> BoardData:
    """Rank every task of a setting.

    Args:
        setting: The setting.
        task_order: Order of the tasks; others come after them by name.
        cache: Rows drawn for earlier rankings, for a board that changes while it is served.
    """
    names = {name for run in setting.runs for name in run.tasks}
    ordered = [name for name in task_order if name in names] + sorted(names - set(task_order))
    tasks = {name: rank_task_of(setting, name, cache=cache) for name in ordered}
    overall, singles = overall_of(setting)
    scored = [
        entry for entry in setting.ranked if overall[entry.id].grue.value is not None and not overall[entry.id].lack
    ]
    places = Places(setting.ranked, tasks, {entry.id: overall[entry.id] for entry in scored})
    return BoardData(
        setting=setting,
        tasks=tasks,
        places=places.by_score() if scored else places.by_mean(),
        overall=overall,
        singles=singles,
        entry_of={run.id: entry.id for entry in setting.entries for run in entry.singles},
        by_score=bool(scored),
        robustness=robustness(places.competing, tasks),
    )
