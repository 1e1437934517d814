"""The picture on top of the board: scores with intervals, a panel a task, and the table behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grue.comparison.standings import BoardData
from grue.comparison.standings_runs import CEILING, FLOOR, BoardRun
from grue.comparison.standings_settings import Setting
from grue.comparison.standings_task import TaskBoard
from leaderboard_site.cards import Card
from leaderboard_site.charts import Dot, DotPlot, dot_plot
from leaderboard_site.links import Page
from leaderboard_site.numbers import between, count, decimals, number
from leaderboard_site.pages.frame import SCORE_PLACES

MOST_DOTS = 12  # runs in one panel of the picture
MOST_ROWS = 40  # runs in the table behind it; the ranking has all


@dataclass(frozen=True, slots=True)
class Panel:
    """One task of the picture; the GRUE score, over all tasks, has a panel without a page of its own."""

    title: str
    metric: str
    page: Page | None
    plot: DotPlot


@dataclass(frozen=True, slots=True)
class PanelRow:
    """A line of the table behind the picture."""

    task: str
    metric: str
    run: str
    value: str
    interval: str
    n: str


def in_order(data: BoardData) -> list[BoardRun]:
    """Entries by place, those without one after them, the earlier first."""
    places = {entry_id: index for index, entry_id in enumerate(data.places)}
    return sorted(data.setting.ranked, key=lambda run: (places.get(run.id, len(places)), run.created_at, run.id))


def yardsticks(setting: Setting) -> list[BoardRun]:
    """The oracle first, then the floor, then the other null systems."""
    order = {CEILING: 0, FLOOR: 1}
    return sorted(
        (run for run in setting.entries if run.is_yardstick),
        key=lambda run: (order.get(run.source, 2), run.source, run.name, run.id),
    )


def panels(data: BoardData, cards: Mapping[str, Card]) -> tuple[Panel, ...]:
    """A panel for the GRUE score where there is one, then one for each task that has a value, in the columns' order."""
    runs = in_order(data)
    found = _overall_panel(data, runs)
    for board in data.tasks.values():
        dots = _dots(runs or yardsticks(data.setting), board)
        if board.metric is None or not dots:
            continue
        lines = [(label, v) for label, v in (("floor", board.floor), ("ceiling", board.ceiling)) if v is not None]
        plot = dot_plot(dots, lines, decimals(board.metric, board.scale), 18)
        found.append(Panel(cards[board.task].title, board.metric, Page(kind="task", task=board.task), plot))
    return tuple(found)


def _overall_panel(data: BoardData, runs: Sequence[BoardRun]) -> list[Panel]:
    if not data.by_score:
        return []
    dots: list[Dot] = []
    for run in runs:
        one = data.overall[run.id]
        if len(dots) == MOST_DOTS:
            break
        if one.grue.value is not None and not one.lack:
            low, high = one.grue.ci95 or (None, None)
            dots.append(Dot(run.name, one.grue.value, low, high, run.mark != "verified"))
    return [Panel("GRUE", "mean quality", None, dot_plot(dots, [], SCORE_PLACES))]


def _dots(runs: Sequence[BoardRun], board: TaskBoard) -> list[Dot]:
    dots: list[Dot] = []
    for run in runs:
        if len(dots) == MOST_DOTS:
            break
        entry = board.entries.get(run.id)
        score = entry.score if entry and not entry.differs else None
        if score and score.value is not None:
            dots.append(Dot(run.name, score.value, score.low, score.high, run.mark != "verified"))
    return dots


def panel_note(data: BoardData, shown: Sequence[Panel]) -> str:
    """How to read the picture."""
    parts = ["One panel a task, one point a run, the bar its 95 % interval."]
    if any(panel.plot.lines for panel in shown):
        parts.append("Dashed: floor (another row's reference) and ceiling (a reference against the others).")
    above = [panel.title for panel in shown if panel.plot.starts_above_zero]
    if above:
        parts.append(f"The axis starts above 0 for {', '.join(above)}.")
    if len(data.places) > MOST_DOTS:
        parts.append(f"The first {MOST_DOTS} runs of {count(len(data.places))}; all are in the ranking.")
    return " ".join(parts)


def panel_rows(data: BoardData, cards: Mapping[str, Card]) -> tuple[PanelRow, ...]:
    """The numbers behind the picture, of the first runs and the yardsticks."""
    rows = []
    runs = [*in_order(data)[:MOST_ROWS], *yardsticks(data.setting)]
    for board in data.tasks.values():
        for run in runs:
            entry = board.entries.get(run.id)
            score = entry.score if entry and not entry.differs else None
            if board.metric is None or score is None or score.value is None:
                continue
            places = decimals(board.metric, board.scale)
            interval = "none"
            if score.low is not None and score.high is not None:
                interval = between(score.low, score.high, places)
            value = number(score.value, places)
            rows.append(PanelRow(cards[board.task].title, board.metric, run.name, value, interval, count(score.n)))
    return tuple(rows)
