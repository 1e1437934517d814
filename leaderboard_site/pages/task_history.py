"""When the best score of a task rose: a step line with its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from grue.comparison.standings_runs import BoardRun
from grue.comparison.standings_task import TaskBoard
from leaderboard_site.charts import Tick, axis_labels, nice_ticks, shorten
from leaderboard_site.links import Page
from leaderboard_site.numbers import day, decimals, moment, number
from leaderboard_site.pages.frame import MARKS

NAMED = 5  # steps with their name in the picture
_DATES = 4
_NEAR = 0.14  # share of the width that a name or a date takes


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A run that was better than all before it.

    Attributes:
        x: Place of its date; ``until`` that of the next step, or the end.
        y: Place of its value; ``before`` that of the step before, empty for the first.
        label: Its name, empty where there is no room.
        is_late: Whether the name stands left of the point.
    """

    name: str
    page: Page
    date: str
    value: str
    x: str
    until: str
    y: str
    before: str
    label: str
    is_late: bool
    is_open: bool


@dataclass(frozen=True, slots=True)
class History:
    """The steps of a task's best value, oldest first."""

    steps: tuple[Step, ...]
    ticks: tuple[Tick, ...]
    dates: tuple[Tick, ...]


def best_runs(board: TaskBoard) -> list[tuple[BoardRun, float]]:
    """Runs that were better than all before them, oldest first.

    Of the runs that are ranked, by when they were made; superseded runs and yardsticks count nowhere.
    """
    if board.metric is None or board.higher_is_better is None:
        return []
    towards = 1 if board.higher_is_better else -1
    held = []
    for entry in board.ranked:
        for run in entry.run.singles:
            score = board.of_run(run.id).score
            if not run.is_yardstick and run.superseded is None and score is not None and score.value is not None:
                held.append((run, score.value))
    steps: list[tuple[BoardRun, float]] = []
    for run, value in sorted(held, key=lambda one: (one[0].created_at, one[0].id)):
        if not steps or towards * value > towards * steps[-1][1]:
            steps.append((run, value))
    return steps


def history(board: TaskBoard) -> History | None:
    """The step line; ``None`` where the best never rose, or rose within a minute."""
    found = best_runs(board)
    if len(found) < 2 or moment(found[0][0].created_at) == moment(found[-1][0].created_at):
        return None
    places = decimals(board.metric or "", board.scale)
    ticks = nice_ticks(min(value for _, value in found), max(value for _, value in found), 3)
    first, last = found[0][0].created_at, found[-1][0].created_at
    # The line goes on a little after the last step: it is the best still.
    length = (last - first).total_seconds() / 0.92

    def x(made: datetime) -> float:
        return (made - first).total_seconds() / length

    def y(value: float) -> str:
        return _percent(1 - (value - ticks[0]) / (ticks[-1] - ticks[0]))

    at = [x(run.created_at) for run, _ in found]
    named = _named(at)
    steps = tuple(
        Step(
            name=run.name,
            page=Page(kind="run", run=run.id),
            date=_date(run.created_at, is_one_day=day(first) == day(last)),
            value=number(value, places),
            x=_percent(at[n]),
            until=_percent(at[n + 1] if n + 1 < len(found) else 1.0),
            y=y(value),
            before=y(found[n - 1][1]) if n else "",
            label=shorten(run.name, 22) if n in named else "",
            is_late=at[n] > 0.6,
            is_open=run.mark != next(iter(MARKS)),
        )
        for n, (run, value) in enumerate(found)
    )
    labels = axis_labels(ticks, places)
    return History(
        steps, tuple(Tick(y(tick), label) for tick, label in zip(ticks, labels, strict=True)), _dates(steps, at)
    )


def _date(made: datetime, *, is_one_day: bool) -> str:
    """The day; the hour where all steps are of one day."""
    return moment(made).removeprefix(f"{day(made)} ") if is_one_day else day(made)


def _named(at: Sequence[float]) -> set[int]:
    """Steps with room for their name: the last, then the first, then whatever stands far enough from them."""
    found: list[int] = []
    for n in (len(at) - 1, 0, *range(1, len(at) - 1)):
        if len(found) < NAMED and all(abs(at[n] - at[other]) > 2 * _NEAR for other in found):
            found.append(n)
    return set(found)


def _dates(steps: Sequence[Step], at: Sequence[float]) -> tuple[Tick, ...]:
    """Dates that do not run into each other."""
    found: list[int] = []
    for n in (len(steps) - 1, 0, *range(1, len(steps) - 1)):
        if len(found) < _DATES and all(abs(at[n] - at[other]) > 2 * _NEAR for other in found):
            found.append(n)
    return tuple(Tick(steps[n].x, steps[n].date) for n in sorted(found))


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"
