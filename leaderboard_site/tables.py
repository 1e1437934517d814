"""The board as tables: the rows and ranks of its pages, for exports and for Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grue.comparison.standings import rank_board
from grue.comparison.standings_runs import BoardRun
from grue.comparison.standings_settings import Setting, settings
from grue.comparison.standings_task import TaskBoard
from grue.core.errors import UsageError
from grue.core.text import nearest
from grue.exchange.board import Shape, board_table, task_table
from grue.exchange.formats import frame
from grue.exchange.table import Table
from leaderboard_site import documents
from leaderboard_site.collect import collect
from leaderboard_site.numbers import decimals
from leaderboard_site.pages.task import OTHER_METRICS

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class BoardExport:
    """One view of the board.

    Attributes:
        document: The JSON document of its page.
        table: The same rows.
        others: Settings that have runs too and are not in it, with their number of runs.
    """

    document: Mapping[str, Any]
    table: Table
    others: tuple[tuple[str, int], ...]


def export_board(runs: Sequence[BoardRun], *, setting: str | None = None, task: str | None = None) -> BoardExport:
    """The board, or the page of one task, of some runs.

    Args:
        runs: Runs that are ranked with each other.
        setting: Slug; ``None`` for the one that the board shows first (of those that have the task).
        task: ``None`` for all tasks.

    Raises:
        UsageError: for an unknown setting, or a task that no run of it has.
    """
    listed = settings(runs)
    if not listed:
        document = documents.empty_leaderboard()
        return BoardExport(document, board_table(document, {}), ())
    chosen = _chosen(listed, setting, task)
    order = max((list(run.tasks) for run in runs), key=len, default=[])
    data = rank_board(chosen, order)
    others = tuple((other.slug, len(other.runs)) for other in listed if other is not chosen)
    if task is None:
        document = documents.leaderboard(data, listed)
        places = {name: decimals(board.metric or "", board.scale) for name, board in data.tasks.items()}
        return BoardExport(document, board_table(document, places), others)
    document = documents.task_leaderboard(data.tasks[task], data, listed)
    return BoardExport(document, task_table(document, _shapes(data.tasks[task])), others)


def leaderboard(
    results: str | Path | Sequence[str | Path], *, setting: str | None = None, task: str | None = None
) -> pd.DataFrame:
    """The board as a pandas frame: one row an entry, in the order and with the ranks of the page.

    Args:
        results: Folders of run directories, or run directories.
        setting: Its id; ``None`` for the one that the board shows first.
        task: A task, for all its metrics; ``None`` for one number a task.

    Returns:
        Columns rank, band, name, mark, run_id, yardstick, then scores; every score is three columns, ``NAME``,
        ``NAME_ci95_low`` and ``NAME_ci95_high``.

    Raises:
        UsageError: for a folder that is not there, an unknown setting or task.
    """
    folders = [results] if isinstance(results, str | Path) else results
    return frame(export_board(collect([Path(one) for one in folders]).runs, setting=setting, task=task).table)


def _chosen(listed: Sequence[Setting], slug: str | None, task: str | None) -> Setting:
    fitting = [one for one in listed if slug in (None, one.slug)]
    if not fitting:
        known = [one.slug for one in listed]
        raise UsageError(
            f"--setting: no setting {slug!r}.{nearest(slug or '', known)}", f"Settings: {', '.join(known)}."
        )
    with_task = [one for one in fitting if task is None or any(task in run.tasks for run in one.runs)]
    if not with_task:
        names = dict.fromkeys(name for one in fitting for run in one.runs for name in run.tasks)
        raise UsageError(f"-t: no run has task {task!r}.{nearest(task or '', names)}", f"Tasks: {', '.join(names)}.")
    return with_task[0]


def _shapes(board: TaskBoard) -> dict[str, Shape]:
    """Scale, direction and comparable runs of every metric: runs that are ranked, with the signature of the first.

    People see as many metrics as the page has: primary ones first, then those with a direction.
    """
    ranked = [entry for entry in board.ranked if not entry.run.is_yardstick]
    results = [entry.result for entry in board.entries.values()]
    scores = {name: score for result in results for name, score in result.scores.items() if score.value is not None}
    primary = [name for result in results for name in result.primary]
    directed = [name for name in dict.fromkeys([*primary, *scores]) if name in scores and name != board.metric]
    shown = [name for name in directed if scores[name].higher_is_better is not None][:OTHER_METRICS]
    shapes = {}
    for name, score in scores.items():
        held = [one for one in ranked if (found := one.result.scores.get(name)) and found.value is not None]
        first = held[0].result.scores[name].signature if held else None
        shapes[name] = Shape(
            decimals(name, score.scale),
            score.higher_is_better,
            frozenset(one.run.id for one in held if one.result.scores[name].signature == first),
            name in shown,
        )
    return shapes
