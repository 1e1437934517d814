"""The picture of a task's ranking: a point an entry with its interval."""

from __future__ import annotations

from collections.abc import Sequence

from grue.comparison.standings_task import Entry, TaskBoard
from leaderboard_site.charts import Dot, DotPlot, dot_plot
from leaderboard_site.numbers import decimals

MOST_DOTS = 40


def task_plot(board: TaskBoard, entries: Sequence[Entry]) -> DotPlot | None:
    """The entries in the order given; ``None`` where there is none, or there are too many."""
    if board.metric is None:
        return None
    shown = [e for e in entries if not e.differs and e.score and e.score.value is not None]
    if not 0 < len(shown) <= MOST_DOTS:
        return None
    dots = [
        Dot(e.run.name, e.score.value, e.score.low, e.score.high, e.run.is_yardstick or e.run.mark != "verified")
        for e in shown
        if e.score and e.score.value is not None
    ]
    lines = [(label, v) for label, v in (("floor", board.floor), ("ceiling", board.ceiling)) if v is not None]
    return dot_plot(dots, lines, decimals(board.metric, board.scale))


def plot_note(board: TaskBoard) -> str:
    """How to read it."""
    lower = " Lower is better." if board.higher_is_better is False else ""
    return f"Filled: we ran the checkpoint. Hollow: rescored runs and yardsticks.{lower} Numbers in the ranking below."
