"""The board of one setting: picture, ranking, yardsticks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from leaderboard_site.cards import Card
from leaderboard_site.links import Page
from leaderboard_site.numbers import NONE, count, day, number, plural, rate, size
from leaderboard_site.pages.frame import Column, Frame, ScoreCell, Tab, marks, score_cell, sort_rows
from leaderboard_site.pages.panels import Panel, PanelRow, in_order, panel_note, panel_rows, panels, yardsticks
from leaderboard_site.ranking import BoardData
from leaderboard_site.results import CEILING, FLOOR, BoardRun
from leaderboard_site.settings import Setting


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One run. ``sorts`` holds what the columns sort by, column key -> value."""

    name: str
    page: Page
    mark: str
    role: str
    place: str
    mean: str
    scores: tuple[ScoreCell, ...]
    speed: str
    latency: str
    size: str
    licence: str
    date: str
    sorts: Mapping[str, float | str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardView:
    """Page value of ``board.html``."""

    frame: Frame
    lead: str
    setting: str
    menu: tuple[Tab, ...]
    is_subset: bool
    panels: tuple[Panel, ...]
    panel_rows: tuple[PanelRow, ...]
    panel_note: str
    columns: tuple[Column, ...]
    rows: tuple[BoardRow, ...]
    yardsticks: tuple[BoardRow, ...]
    caption: str
    marks: tuple[tuple[str, str], ...]
    sort_label: str


@dataclass(frozen=True, slots=True)
class _Sort:
    key: str
    label: str
    notes: tuple[str, ...] = ()
    is_number: bool = True
    is_descending: bool = False  # the first click sorts best first


def board_views(
    data: BoardData, settings: Sequence[Setting], slug: str, cards: Mapping[str, Card], json: Page
) -> list[BoardView]:
    """The board of a setting in every order: by place first, then a page for each column and direction.

    Args:
        data: The setting, ranked.
        settings: All settings, in the order of the menu.
        slug: The setting's slug in addresses; empty for the one shown by default.
        cards: Task name -> card.
        json: The JSON document of this setting.
    """
    sorts = _sorts(data, cards)
    rows = [_row(data, run) for run in in_order(data)]
    yards = tuple(_row(data, run) for run in yardsticks(data.setting))
    shown = panels(data, cards)
    base = Page(kind="board", setting=slug)
    whole = BoardView(
        frame=Frame(base, "Leaderboard", "board", json),
        lead=_lead(data),
        setting=data.setting.label,
        menu=tuple(
            Tab(
                other.label,
                Page(kind="board", setting="" if index == 0 else other.slug),
                other.slug == data.setting.slug,
                plural(len(other.runs), "run"),
            )
            for index, other in enumerate(settings)
        ),
        is_subset=data.setting.limit is not None,
        panels=shown,
        panel_rows=panel_rows(data, cards),
        panel_note=panel_note(data, shown),
        columns=_columns(sorts, data.setting, base, sorts[0], reverse=False),
        rows=tuple(rows),
        yardsticks=yards,
        caption=_caption(data),
        marks=marks([run.mark for run in data.setting.ranked]),
        sort_label="",
    )
    views = [whole]
    for sort in sorts:
        for reverse in (False, True):
            if sort is sorts[0] and not reverse:
                continue
            descending = sort.is_descending != reverse
            page = Page(kind="board", setting=data.setting.slug, sort=sort.key, reverse=reverse)
            views.append(
                replace(
                    whole,
                    frame=Frame(page, f"Leaderboard by {sort.label}", "board", json),
                    columns=_columns(sorts, data.setting, base, sort, reverse=reverse),
                    rows=tuple(sort_rows(rows, _by(sort.key), descending=descending)),
                    sort_label=f"{sort.label}, {_first(sort, descending=descending)} first",
                )
            )
    return views


def _first(sort: _Sort, *, descending: bool) -> str:
    if sort.key == "date":
        return "newest" if descending else "oldest"
    if sort.is_number:
        return "highest" if descending else "lowest"
    return "Z" if descending else "A"


def _by(key: str) -> Callable[[BoardRow], float | str | None]:
    return lambda row: row.sorts[key]


def _sorts(data: BoardData, cards: Mapping[str, Card]) -> list[_Sort]:
    tasks = [
        _Sort(
            board.task,
            cards[board.task].title,
            (board.metric or "no value", *((f"{board.wanted} absent",) if board.wanted and board.metric else ())),
            is_descending=board.higher_is_better is not False,
        )
        for board in data.tasks.values()
    ]
    return [
        _Sort("order", "Order", ("mean place",)),
        _Sort("name", "Run", ("mark",), is_number=False),
        *tasks,
        _Sort("speed", "Speed", ("tokens/s",), is_descending=True),
        _Sort("latency", "Latency", ("p50, ms",)),
        _Sort("size", "Size", ("parameters",)),
        _Sort("licence", "Licence", ("as declared",), is_number=False),
        _Sort("date", "Date", ("of the run",), is_number=False, is_descending=True),
    ]


def _columns(
    sorts: Sequence[_Sort], setting: Setting, base: Page, current: _Sort, *, reverse: bool
) -> tuple[Column, ...]:
    columns = []
    for sort in sorts:
        # The current column links to its other direction, every other one to its first.
        backwards = sort is current and not reverse
        is_base = sort is sorts[0] and not backwards
        page = base if is_base else Page(kind="board", setting=setting.slug, sort=sort.key, reverse=backwards)
        direction = ""
        if sort is current:
            direction = "descending" if sort.is_descending != reverse else "ascending"
        columns.append(Column(sort.label, sort.notes, sort.is_number, page, direction))
    return tuple(columns)


def _row(data: BoardData, run: BoardRun) -> BoardRow:
    place = data.places.get(run.id)
    results = [run.tasks[name] for name in data.tasks if name in run.tasks]
    tokens = [
        (r.cost.generated_tokens, r.cost.tokens_per_second)
        for r in results
        if r.cost.generated_tokens and r.cost.tokens_per_second
    ]
    # Tokens of all tasks over the time they took, not the mean of rates.
    speed = sum(n for n, _ in tokens) / sum(n / per_second for n, per_second in tokens) if tokens else None
    latencies = sorted(r.cost.latency_ms_p50 for r in results if r.cost.latency_ms_p50 is not None)
    latency = latencies[len(latencies) // 2] if latencies else None
    entries = {name: board.entries.get(run.id) for name, board in data.tasks.items()}
    sorts: dict[str, float | str | None] = {
        name: entry.score.value if entry and entry.score else None for name, entry in entries.items()
    }
    sorts |= {
        "order": place.mean if place else None,
        "name": run.name,
        "speed": speed,
        "latency": latency,
        "size": run.parameters,
        "licence": run.licence,
        "date": run.created_at.isoformat(),
    }
    return BoardRow(
        name=run.name,
        page=Page(kind="run", run=run.id),
        mark="" if run.is_yardstick else run.mark,
        role={CEILING: "ceiling", FLOOR: "floor"}.get(run.source, "null system") if run.is_yardstick else "",
        place=str(place.place) if place else NONE,
        mean=number(place.mean, 1) if place else "",
        scores=tuple(score_cell(entries[name], board) for name, board in data.tasks.items()),
        speed=rate(speed),
        latency=number(latency, 0),
        size=size(run.parameters),
        licence=run.licence or NONE,
        date=day(run.created_at),
        sorts=sorts,
    )


def _lead(data: BoardData) -> str:
    ranked = data.setting.ranked
    start = f"{plural(len(ranked), 'run')} on {plural(len(data.tasks), 'task')}, {data.setting.label}."
    boards = [board for board in data.tasks.values() if board.ranked]
    if len(ranked) < 2 or not boards:
        return start if ranked else f"No checkpoint yet, only yardsticks: {data.setting.label}."
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
    return f"{start} {result} Whether a difference is more than chance is not tested here."


def _caption(data: BoardData) -> str:
    rows = [
        max((entry.score.n for entry in board.entries.values() if entry.score and not entry.differs), default=0)
        for board in data.tasks.values()
    ]
    if len(set(rows)) == 1:
        return f"{plural(rows[0], 'row')} a task."
    return f"Rows scored, left to right: {', '.join(count(n) for n in rows)}."
