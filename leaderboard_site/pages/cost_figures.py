"""Pictures of quality against cost: one over all tasks where there is a score, else one a task."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from grue.comparison.standings import BoardData
from grue.comparison.standings_runs import BoardRun
from grue.comparison.standings_task import Entry, TaskBoard
from leaderboard_site.cards import Card
from leaderboard_site.costs import Axis, RunCost, results_of, run_cost
from leaderboard_site.links import Page
from leaderboard_site.numbers import count, decimals, plural
from leaderboard_site.pages.board_entries import BoardEntry
from leaderboard_site.pages.frame import SCORE_PLACES, ScoreCell, overall_cell, score_cell
from leaderboard_site.pages.panels import in_order
from leaderboard_site.pages.pictures import Picture, PictureRow, legend
from leaderboard_site.scatter import Point, scatter, worth_drawing

FEWEST = 2  # points of a picture


@dataclass(frozen=True, slots=True)
class Measured:
    """A run's quality and cost, as they stand in one picture; ``cell`` writes the quality."""

    run: BoardRun
    cell: Callable[[], ScoreCell]
    value: float | None
    low: float | None
    high: float | None
    cost: RunCost


def board_figures(
    data: BoardData,
    cards: Mapping[str, Card],
    axis: Axis,
    entries: Sequence[BoardEntry] | None = None,
    pins: Collection[str] = (),
) -> tuple[Picture, ...]:
    """The picture of a board: by GRUE score where there is one, else one for each task.

    Args:
        data: The setting, ranked.
        cards: Task name -> card.
        axis: The cost.
        entries: Those that are drawn, in the order of the board; all where nothing is said.
        pins: Ids of entries that are named.
    """
    if data.by_score:
        shown = measured_overall(data) if entries is None else [_of_entry(data, entry) for entry in entries]
        return (_figure(shown, axis, "GRUE score", "GRUE score", SCORE_PLACES, higher=True, pins=pins),)
    only = None if entries is None else {entry.run.id for entry in entries}
    figures = (
        replace(
            task_figure(board, data, cards[board.task].title, axis, only, pins),
            task=Page(kind="task", task=board.task),
        )
        for board in data.tasks.values()
        if board.metric
    )
    return tuple(figure for figure in figures if figure.plot)


def task_figure(
    board: TaskBoard,
    data: BoardData,
    title: str,
    axis: Axis,
    only: Collection[str] | None = None,
    pins: Collection[str] = (),
) -> Picture:
    """The picture of a task, of all entries or of those whose ids are given."""
    higher = board.higher_is_better is not False
    places = decimals(board.metric or "", board.scale)
    shown = [one for one in measured_on_task(board, data) if only is None or one.run.id in only]
    return _figure(shown, axis, title, board.metric or "score", places, higher=higher, pins=pins)


def measured_overall(data: BoardData) -> list[Measured]:
    """GRUE score and cost of every entry, in the order of the board."""
    return [_measured(data, run, run_cost(run, results_of(run, data.tasks))) for run in in_order(data)]


def _of_entry(data: BoardData, entry: BoardEntry) -> Measured:
    return _measured(data, entry.run, entry.cost)


def _measured(data: BoardData, run: BoardRun, cost: RunCost) -> Measured:
    one = data.overall[run.id]
    score = None if one.lack or not data.by_score else one.grue.value
    low, high = one.grue.ci95 or (None, None)
    return Measured(run, partial(overall_cell, one.grue, lack=one.lack), score, low, high, cost)


def measured_on_task(board: TaskBoard, data: BoardData) -> list[Measured]:
    """The shown metric and cost of every entry that has the task, best first."""
    found = []
    for run in in_order(data):
        entry = board.entries.get(run.id)
        if entry is None:
            continue
        score = entry.score if entry.score and not entry.differs else None
        value, low, high = (score.value, score.low, score.high) if score else (None, None, None)
        cost = run_cost(run, results_of(run, [board.task]))
        found.append(Measured(run, partial(_bare_cell, entry, board), value, low, high, cost))
    return sorted(found, key=lambda one: (board.entries[one.run.id].rank or len(found) + 1, one.run.name))


def _bare_cell(entry: Entry, board: TaskBoard) -> ScoreCell:
    return replace(score_cell(entry, board), quality="")


def _figure(
    shown: Sequence[Measured],
    axis: Axis,
    title: str,
    quality: str,
    places: int,
    *,
    higher: bool,
    pins: Collection[str] = (),
) -> Picture:
    points: list[Point] = []
    measured: dict[int, Measured] = {}
    for one in shown:
        x = axis.value(one.cost)
        if one.value is None or not x:
            continue
        number = len(points) + 1
        measured[number] = one
        points.append(
            Point(
                number=number, name=one.run.name, x=x, y=one.value, low=one.low, high=one.high,
                is_named=one.run.id in pins,
            )
        )  # fmt: skip
    drawn = [
        replace(point, is_open=measured[point.number].run.mark != "verified")
        for point in worth_drawing(points, more_is_cheaper=axis.more_is_cheaper, higher_is_better=higher)
    ]
    plot = None
    if len(drawn) >= FEWEST:
        plot = scatter(
            drawn, more_is_cheaper=axis.more_is_cheaper, higher_is_better=higher, places=places, label=axis.tick
        )
    first = set(plot.first) if plot else set()
    names = [point.name for point in drawn if point.number in first]
    sides = f"{'Up' if higher else 'Down'} is better, {'right' if axis.more_is_cheaper else 'left'} is cheaper."
    beyond = "No run lies beyond the dashed line; whether a gap is more than chance is not tested."
    across = f"{axis.unit}, log scale" if plot and plot.is_log else axis.unit
    return Picture(
        title=f"{title} against {axis.title.lower()}",
        name=title,
        note=f"{sides} Bars: 95 % intervals. {beyond}{legend(len(points), len(drawn), len(first))}",
        label=f"{quality} of {plural(len(drawn), 'run')} against {axis.unit}. On the frontier: {', '.join(names)}.",
        plot=plot,
        reason=_too_few(len(points), axis),
        rows=tuple(
            PictureRow(
                number=str(point.number),
                name=point.name,
                page=Page(kind="run", run=measured[point.number].run.id),
                score=measured[point.number].cell(),
                against=axis.text(measured[point.number].cost),
                is_first=point.number in first,
            )
            for point in drawn
        ),
        across=across,
        against=axis.title,
        unit=axis.unit,
        quality=quality,
    )


def _too_few(found: int, axis: Axis) -> str:
    have = "No run has" if not found else "Only one run has"
    return f"{have} a score and {axis.unit} here; a picture needs {count(FEWEST)}."
