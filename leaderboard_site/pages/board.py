"""The board of one setting: picture, ranking, yardsticks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from leaderboard_site.cards import Card
from leaderboard_site.charts import Dot, DotPlot, dot_plot
from leaderboard_site.links import Page
from leaderboard_site.numbers import NONE, between, count, day, decimals, number, plural, rate, size
from leaderboard_site.pages.frame import Column, Frame, ScoreCell, Tab, marks, score_cell, sort_rows
from leaderboard_site.ranking import BoardData, TaskBoard
from leaderboard_site.results import CEILING, FLOOR, BoardRun
from leaderboard_site.settings import Setting

MOST_DOTS = 12  # runs in one panel of the picture; the table has all


@dataclass(frozen=True, slots=True)
class Panel:
    """One task of the picture."""

    title: str
    metric: str
    page: Page
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
    rows = [_row(data, run) for run in _in_order(data)]
    yards = tuple(_row(data, run) for run in _yardsticks(data.setting))
    panels = _panels(data, cards)
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
        panels=panels,
        panel_rows=_panel_rows(data, cards),
        panel_note=_panel_note(data, panels),
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
                    sort_label=f"{sort.label}, {'highest or last' if descending else 'lowest or first'} first",
                )
            )
    return views


def _by(key: str) -> Callable[[BoardRow], float | str | None]:
    return lambda row: row.sorts[key]


def _in_order(data: BoardData) -> list[BoardRun]:
    by_id = {run.id: run for run in data.setting.runs}
    return [by_id[run_id] for run_id in data.places]


def _yardsticks(setting: Setting) -> list[BoardRun]:
    """The oracle first, then the floor, then the other null systems."""
    order = {CEILING: 0, FLOOR: 1}
    return sorted(
        (run for run in setting.runs if run.is_yardstick),
        key=lambda run: (order.get(run.source, 2), run.source, run.name, run.id),
    )


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


def _panels(data: BoardData, cards: Mapping[str, Card]) -> tuple[Panel, ...]:
    panels = []
    for board in data.tasks.values():
        dots = _dots(data, board)
        if board.metric is None or not dots:
            continue
        lines = [(label, v) for label, v in (("floor", board.floor), ("ceiling", board.ceiling)) if v is not None]
        plot = dot_plot(dots, lines, decimals(board.metric, board.scale), 18)
        panels.append(Panel(cards[board.task].title, board.metric, Page(kind="task", task=board.task), plot))
    return tuple(panels)


def _dots(data: BoardData, board: TaskBoard) -> list[Dot]:
    runs = _in_order(data) or _yardsticks(data.setting)
    dots = []
    for run in runs:
        entry = board.entries.get(run.id)
        if entry and entry.score and entry.score.value is not None and not entry.differs:
            score = entry.score
            dots.append(Dot(run.name, entry.score.value, score.low, score.high, run.mark != "verified"))
    return dots[:MOST_DOTS]


def _panel_note(data: BoardData, panels: Sequence[Panel]) -> str:
    parts = ["One panel a task, one point a run, the bar its 95 % interval."]
    if any(panel.plot.lines for panel in panels):
        parts.append("Dashed: floor (another row's reference) and ceiling (a reference against the others).")
    above = [panel.title for panel in panels if panel.plot.starts_above_zero]
    if above:
        parts.append(f"The axis starts above 0 for {', '.join(above)}.")
    if len(data.places) > MOST_DOTS:
        parts.append(f"The first {MOST_DOTS} runs of {len(data.places)}; all are in the ranking.")
    return " ".join(parts)


def _panel_rows(data: BoardData, cards: Mapping[str, Card]) -> tuple[PanelRow, ...]:
    rows = []
    for board in data.tasks.values():
        for run in [*_in_order(data), *_yardsticks(data.setting)]:
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
        result = f"No run leads: {plural(len(leaders), 'run')} have the best number on {most} of {plural(len(boards), 'task')} each."
    return f"{start} {result} Whether a difference is more than chance is not tested here."


def _caption(data: BoardData) -> str:
    rows = [
        max((e.score.n for e in b.entries.values() if e.score and not e.differs), default=0)
        for b in data.tasks.values()
    ]
    return f"Rows scored, left to right: {', '.join(count(n) for n in rows)}."
