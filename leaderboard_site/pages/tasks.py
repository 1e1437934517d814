"""The index of all tasks on the board."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grue.comparison.standings import BoardData
from leaderboard_site.cards import Card
from leaderboard_site.links import Page
from leaderboard_site.numbers import count, decimals, number
from leaderboard_site.pages.frame import Frame


@dataclass(frozen=True, slots=True)
class TaskLine:
    """One task: its best run in the setting that its page shows."""

    name: str
    title: str
    page: Page
    summary: str
    metric: str
    best: str
    best_run: str
    runs: str
    rows: str
    setting: str
    language: str
    licence: str


@dataclass(frozen=True, slots=True)
class TasksView:
    """Page value of ``tasks.html``."""

    frame: Frame
    lead: str
    lines: tuple[TaskLine, ...]


def tasks_view(boards: Mapping[str, BoardData], cards: Mapping[str, Card]) -> TasksView:
    """The index.

    Args:
        boards: Task name -> the setting shown on its page, in order.
        cards: Task name -> card.
    """
    lines = []
    for name, data in boards.items():
        board, card = data.tasks[name], cards[name]
        best = board.ranked[0] if board.ranked else None
        value = best.score.value if best and best.score else None
        result = best.result if best else board.example
        lines.append(
            TaskLine(
                name=name,
                title=card.title,
                page=Page(kind="task", task=name),
                summary=card.summary or "The plugin of this task is not installed here.",
                metric=board.metric or "",
                best=number(value, decimals(board.metric or "", board.scale)),
                best_run=best.run.name if best else "",
                runs=count(sum(not entry.run.is_yardstick for entry in board.entries.values())),
                rows=count(result.scored),
                setting=data.setting.label,
                language=card.language,
                licence=card.licence,
            )
        )
    frame = Frame(Page(kind="tasks"), "Tasks", "tasks", Page(kind="json", name="tasks"))
    n = len(lines)
    return TasksView(frame, f"{n} task{'' if n == 1 else 's'} with results on this board.", tuple(lines))
