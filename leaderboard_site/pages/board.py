"""The board of one setting: picture, ranking, yardsticks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from grue.comparison.standings import BoardData
from grue.comparison.standings_runs import CEILING, FLOOR, BoardRun
from grue.comparison.standings_settings import Setting
from grue.runs.validity import Validity
from leaderboard_site.cards import Card
from leaderboard_site.costs import amount, results_of, run_cost
from leaderboard_site.links import Page
from leaderboard_site.numbers import NONE, day, number, plural, rate, size
from leaderboard_site.pages.board_lead import caption, lead
from leaderboard_site.pages.cost import axis_tabs, board_figures, has_energy, known_axes
from leaderboard_site.pages.frame import Column, Frame, ScoreCell, Tab, marks, overall_cell, score_cell, sort_rows
from leaderboard_site.pages.natural import natural_picture
from leaderboard_site.pages.panels import Panel, PanelRow, in_order, panel_note, panel_rows, panels, yardsticks
from leaderboard_site.pages.pictures import Picture
from leaderboard_site.pages.run_entry import successor
from leaderboard_site.pages.standing import Band, RankCell, in_bands, in_several, rank_cell, singles_of
from leaderboard_site.pages.weights import WeightsFigure, weights_figure


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One entry: a run, or the mean of several.

    Attributes:
        warnings: How many warnings the validity reports of its runs hold; empty where none.
        rank: Its place in the order over tasks.
        several: How many seeds or runs it is; empty for a single run.
        singles: Name and page of each run behind it; empty for a single run.
        energy: For a thousand rows; ``None`` where no run of the board was measured and there is no column.
        sorts: What the columns sort by, column key -> value.
    """

    name: str
    page: Page
    mark: str
    role: str
    warnings: str
    rank: RankCell
    several: str
    singles: tuple[tuple[str, Page], ...]
    grue: ScoreCell
    naturalness: ScoreCell
    scores: tuple[ScoreCell, ...]
    speed: str
    latency: str
    energy: str | None
    size: str
    licence: str
    date: str
    sorts: Mapping[str, float | str | None]


@dataclass(frozen=True, slots=True)
class Corrected:
    """A run that another one superseded."""

    name: str
    page: Page
    day: str
    reason: str
    successor: Page | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardView:
    """Page value of ``board.html``."""

    frame: Frame
    lead: str
    setting: str
    menu: tuple[Tab, ...]
    is_subset: bool
    is_mini: bool
    has_scores: bool
    by_score: bool
    panels: tuple[Panel, ...]
    panel_rows: tuple[PanelRow, ...]
    panel_note: str
    costs: tuple[Picture, ...]
    axes: tuple[Tab, ...]
    columns: tuple[Column, ...]
    bands: tuple[Band[BoardRow], ...]
    has_bands: bool
    yardsticks: tuple[BoardRow, ...]
    corrected: tuple[Corrected, ...]
    caption: str
    natural: Picture | None
    weights: WeightsFigure | None
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
    data: BoardData,
    settings: Sequence[Setting],
    slug: str,
    cards: Mapping[str, Card],
    validity: Mapping[str, Validity | None],
    json: Page,
) -> list[BoardView]:
    """The board of a setting in every order: by place first, then a page for each column and direction.

    Args:
        data: The setting, ranked.
        settings: All settings, in the order of the menu.
        slug: The setting's slug in addresses; empty for the one shown by default.
        cards: Task name -> card.
        validity: Run id -> its validity report.
        json: The JSON document of this setting.
    """
    sorts = _sorts(data, cards)
    rows = [_row(data, run, validity) for run in in_order(data)]
    yards = tuple(_row(data, run, {}) for run in yardsticks(data.setting))
    shown, axes = panels(data, cards), known_axes(data)
    base = Page(kind="board", setting=slug)
    whole = BoardView(
        frame=Frame(base, "Leaderboard", "board", json),
        lead=lead(data),
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
        is_mini=data.setting.is_mini,
        has_scores=data.has_scores,
        by_score=data.by_score,
        panels=shown,
        panel_rows=panel_rows(data, cards),
        panel_note=panel_note(data, shown),
        costs=board_figures(data, cards, axes[0]) if axes else (),
        axes=axis_tabs(axes, None, Page(kind="cost", setting=slug)),
        columns=_columns(sorts, data.setting, base, sorts[0], reverse=False),
        bands=in_bands(rows),
        has_bands=any(row.rank.band for row in rows),
        yardsticks=yards,
        corrected=_corrected(data),
        caption=caption(data),
        natural=natural_picture(data),
        weights=weights_figure(data, cards),
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
                    bands=(Band("", tuple(sort_rows(rows, _by(sort.key), descending=descending))),),
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
    scores = [
        _Sort("grue", "GRUE", ("mini rows" if data.setting.is_mini else "0 to 100",), is_descending=True),
        _Sort("naturalness", "Naturalness", ("0 to 100",), is_descending=True),
    ]
    return [
        _Sort("order", "Rank", ("95 % range", "by GRUE" if data.by_score else "by mean place")),
        _Sort("name", "Run", ("mark",), is_number=False),
        *(scores if data.has_scores else []),
        *tasks,
        _Sort("speed", "Speed", ("tokens/s",), is_descending=True),
        _Sort("latency", "Latency", ("p50, ms",)),
        *([_Sort("energy", "Energy", ("J, 1,000 rows",))] if has_energy(data) else []),
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


def _row(data: BoardData, run: BoardRun, validity: Mapping[str, Validity | None]) -> BoardRow:
    overall = data.overall[run.id]
    cost = run_cost(run, results_of(run, data.tasks))
    entries = {name: board.entries.get(run.id) for name, board in data.tasks.items()}
    reports = [report for single in run.singles if (report := validity.get(single.id))]
    n_warnings = sum(len(task.warnings) for report in reports for task in report.tasks.values())
    sorts: dict[str, float | str | None] = {
        name: entry.score.value if entry and entry.score else None for name, entry in entries.items()
    }
    sorts |= {
        "order": _order(data, run.id),
        "grue": overall.grue.value,
        "naturalness": overall.naturalness.value,
        "name": run.name,
        "speed": cost.tokens,
        "latency": cost.p50,
        "energy": cost.joules,
        "size": run.parameters,
        "licence": run.licence,
        "date": run.created_at.isoformat(),
    }
    return BoardRow(
        name=run.name,
        page=Page(kind="run", run=run.id),
        mark="" if run.is_yardstick else run.mark,
        role={CEILING: "ceiling", FLOOR: "floor"}.get(run.source, "null system") if run.is_yardstick else "",
        warnings=plural(n_warnings, "warning") if n_warnings else "",
        rank=_rank(data, run),
        several=in_several(run),
        singles=singles_of(run),
        grue=overall_cell(overall.grue, lack=overall.lack, sd=overall.sd),
        naturalness=overall_cell(overall.naturalness),
        scores=tuple(score_cell(entries[name], board) for name, board in data.tasks.items()),
        speed=rate(cost.tokens),
        latency=number(cost.p50, 0),
        energy=amount(cost.joules) if has_energy(data) else None,
        size=size(run.parameters),
        licence=run.licence or NONE,
        date=day(run.created_at),
        sorts=sorts,
    )


def _order(data: BoardData, run_id: str) -> int | None:
    """The run's number in the order of the board."""
    return list(data.places).index(run_id) if run_id in data.places else None


def _corrected(data: BoardData) -> tuple[Corrected, ...]:
    return tuple(
        Corrected(run.name, Page(kind="run", run=run.id), one.decided_at[:10], one.reason, successor(run, data))
        for run in data.setting.runs
        if (one := run.superseded) is not None
    )


def _rank(data: BoardData, run: BoardRun) -> RankCell:
    place = data.places.get(run.id)
    n_ranked = sum(one.place is not None for one in data.places.values())
    note = number(place.mean, 1) if place and place.place and not data.by_score else ""
    reason = "" if place and place.place else data.overall[run.id].lack
    return rank_cell(place, n_ranked, f"mean {note}" if note else "", reason)
