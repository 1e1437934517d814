"""The rows of a board as its template shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grue.comparison.standings_runs import CEILING, FLOOR
from leaderboard_site.links import Page
from leaderboard_site.numbers import NONE, number
from leaderboard_site.pages.board_columns import BoardColumn
from leaderboard_site.pages.board_entries import BoardEntries, BoardEntry
from leaderboard_site.pages.frame import ScoreCell
from leaderboard_site.pages.standing import RankCell, in_several, rank_cell, singles_of


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One entry: a run, or the mean of several.

    Attributes:
        id: The run's.
        warnings: How many warnings the validity reports of its runs hold; empty where none.
        rank: Its place in the order over tasks.
        several: How many seeds or runs it is; empty for a single run.
        singles: Name and page of each run behind it; empty for a single run.
        scores: Over all tasks, then of the tasks' columns.
        numbers: Cost and size.
        unmeasured: Why a cost is missing.
        is_pinned: Whether it also stands on top.
    """

    id: str
    name: str
    page: Page
    mark: str
    role: str
    warnings: str
    rank: RankCell
    several: str
    singles: tuple[tuple[str, Page], ...]
    scores: tuple[ScoreCell, ...]
    numbers: tuple[str, ...]
    unmeasured: str
    licence: str
    date: str
    is_pinned: bool = False


def board_rows(
    entries: BoardEntries, shown: Sequence[BoardEntry], columns: Sequence[BoardColumn], pins: Sequence[str] = ()
) -> tuple[BoardRow, ...]:
    """The rows of some entries, in the order given."""
    return tuple(_row(entries, entry, columns, is_pinned=entry.run.id in pins) for entry in shown)


def _row(entries: BoardEntries, entry: BoardEntry, columns: Sequence[BoardColumn], *, is_pinned: bool) -> BoardRow:
    run = entry.run
    cells = {column.key: column.cell(entry) for column in columns if column.cell is not None}
    return BoardRow(
        id=run.id,
        name=run.name,
        page=Page(kind="run", run=run.id),
        mark=entry.mark,
        role={CEILING: "ceiling", FLOOR: "floor"}.get(run.source, "null system") if run.is_yardstick else "",
        warnings="" if run.is_yardstick else entries.warnings(run),
        rank=_rank(entries, entry),
        several=in_several(run),
        singles=singles_of(run),
        scores=tuple(cell for cell in cells.values() if isinstance(cell, ScoreCell)),
        numbers=tuple(cell for key, cell in cells.items() if isinstance(cell, str) and key != "date"),
        unmeasured=_unmeasured(entry),
        licence=run.licence or NONE,
        date=str(cells["date"]),
        is_pinned=is_pinned,
    )


def _unmeasured(entry: BoardEntry) -> str:
    if entry.run.is_yardstick:
        return "no model ran"
    return "not measured: predictions only" if entry.run.kind == "predictions" else "not measured"


def _rank(entries: BoardEntries, entry: BoardEntry) -> RankCell:
    data = entries.data
    place = data.places.get(entry.run.id)
    note = f"mean {number(place.mean, 1)}" if place and place.place and not data.by_score else ""
    reason = "" if place and place.place else data.overall[entry.run.id].lack
    return rank_cell(place, entries.n_ranked, note, reason)
