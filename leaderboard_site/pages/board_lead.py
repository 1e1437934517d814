"""The sentences around a board's ranking: who leads and whether that is certain, and how many rows it stands on."""

from __future__ import annotations

from grue.comparison.bands_of import band_letter
from grue.comparison.standings import BoardData
from leaderboard_site.numbers import count, plural
from leaderboard_site.pages.frame import overall_cell


def lead(data: BoardData) -> str:
    """Who leads and whether that is certain."""
    ranked = data.setting.ranked
    n_runs = sum(len(run.singles) for run in ranked)
    several = f" ({plural(n_runs, 'run')})" if n_runs > len(ranked) else ""
    what = plural(len(ranked), "entry", "entries") if several else plural(len(ranked), "run")
    start = f"{what}{several} on {plural(len(data.tasks), 'task')}, {data.setting.label}."
    boards = [board for board in data.tasks.values() if board.ranked]
    if len(ranked) < 2 or not boards:
        return start if ranked else f"No checkpoint yet, only yardsticks: {data.setting.label}."
    if data.by_score:
        return f"{start} {_leader(data)} {_top_band(data)}"
    firsts = {
        run.id: sum(board.entries[run.id].rank == 1 for board in boards if run.id in board.entries) for run in ranked
    }
    most = max(firsts.values())
    leaders = [run.name for run in ranked if firsts[run.id] == most]
    if len(leaders) == 1:
        result = f"{leaders[0]} has the best number on {most} of {plural(len(boards), 'task')}."
    else:
        tied = f"{plural(len(leaders), 'run')} have the best number on {most}"
        result = f"No run leads: {tied} of {plural(len(boards), 'task')} each."
    return f"{start} {result} {_top_band(data)}"


def _top_band(data: BoardData) -> str:
    """Whether the data tell the leader of the order from those below it."""
    names = {run.id: run.name for run in data.setting.ranked}
    placed = {key: place for key, place in data.places.items() if place.place}
    banded = [key for key, place in placed.items() if place.band]
    if len(banded) < 2:
        return "Whether a difference is more than chance cannot be tested here: rows are missing."
    first = names[banded[0]]
    low, high = data.places[banded[0]].rank_ci95 or (1, 1)
    elsewhere = ""
    if high > low:
        what = "other rows and tasks" if len(data.tasks) > 1 else "other rows"
        elsewhere = f" On {what} it could stand at rank {count(low)} to {count(high)}."
    top = [key for key in banded if data.places[key].band == 1]
    if len(top) == 1:
        return f"On these tasks {first} beats the next, {names[banded[1]]}, beyond chance.{elsewhere}"
    if len(top) == len(banded):
        return f"The data tell none of them from {first}: all share band {band_letter(1)}.{elsewhere}"
    others = f"{count(len(top) - 1)} more" if len(top) > 2 else names[top[1]]
    return f"{first} shares band {band_letter(1)} with {others}: the data do not tell it from them.{elsewhere}"


def _leader(data: BoardData) -> str:
    """Who has the highest GRUE score, and how exact it is."""
    first = next(iter(data.places))
    run = next(run for run in data.setting.ranked if run.id == first)
    cell = overall_cell(data.overall[first].grue)
    interval = f", interval {cell.interval}" if cell.interval else ""
    mini = " on the mini rows" if data.setting.is_mini else ""
    return f"{run.name} has the highest GRUE score{mini}, {cell.text}{interval}."


def caption(data: BoardData) -> str:
    """How many rows each task's number stands on."""
    rows = [
        max((entry.score.n for entry in board.entries.values() if entry.score and not entry.differs), default=0)
        for board in data.tasks.values()
    ]
    if len(set(rows)) == 1:
        return f"{plural(rows[0], 'row')} a task."
    return f"Rows scored, left to right: {', '.join(count(n) for n in rows)}."
