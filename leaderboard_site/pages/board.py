"""The board of one setting: who leads, two charts, the ranking, the yardsticks, and what the order rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from grue.comparison.standings import BoardData
from grue.comparison.standings_settings import Setting
from grue.runs.validity import Validity
from leaderboard_site.board_state import ROWS, BoardState
from leaderboard_site.cards import Card
from leaderboard_site.links import Page
from leaderboard_site.numbers import plural
from leaderboard_site.pages.board_charts import BoardCharts, board_charts
from leaderboard_site.pages.board_columns import BoardColumn
from leaderboard_site.pages.board_controls import Controls, controls_of
from leaderboard_site.pages.board_entries import BoardEntries, BoardEntry
from leaderboard_site.pages.board_filter import Fitted, fitted, in_asked_order, matching, own_order, service_page
from leaderboard_site.pages.board_lead import caption, lead
from leaderboard_site.pages.board_rows import BoardRow, board_rows
from leaderboard_site.pages.frame import Column, Frame, Tab, marks
from leaderboard_site.pages.run_entry import successor
from leaderboard_site.pages.standing import Band, in_bands

SCRIPT = "board.js"


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
    """Page value of ``board.html``.

    Attributes:
        holds: What the task columns hold: ``quality``, ``naturalness`` or ``reward``.
        menu: Settings.
        views: What else the task columns can hold.
        controls: Filter, pins and paging, of a server alone.
        pinned: Rows on top, which also stand at their own rank.
        sort_label: What sorts the table; empty for the order of the board.
    """

    frame: Frame
    lead: str
    setting: str
    holds: str
    menu: tuple[Tab, ...]
    views: tuple[Tab, ...]
    is_subset: bool
    is_mini: bool
    has_scores: bool
    by_score: bool
    charts: BoardCharts | None
    controls: Controls | None
    columns: tuple[Column, ...]
    pinned: tuple[BoardRow, ...]
    bands: tuple[Band[BoardRow], ...]
    has_bands: bool
    yardsticks: tuple[BoardRow, ...]
    corrected: tuple[Corrected, ...]
    caption: str
    marks: tuple[tuple[str, str], ...]
    sort_label: str


def board_view(
    entries: BoardEntries, settings: Sequence[Setting], state: BoardState, json: Page, ignored: Sequence[str] = ()
) -> BoardView:
    """What a server shows for an address.

    Args:
        entries: The setting that the address names.
        settings: All settings, in the order of the menu; the first needs no slug.
        state: What the address asks for.
        json: The JSON document of this setting.
        ignored: What of the address was not understood.
    """
    fit = fitted(entries, state)
    found = matching(entries, fit.state)
    if fit.state.offset >= len(found):
        fit = replace(fit, state=replace(fit.state, offset=max(0, len(found) - 1)))
    state = fit.state
    view = _view(entries, settings, fit, found, is_service=True)
    pinned = [entry for entry in entries.ranked if entry.run.id in state.pins]
    return replace(
        view,
        frame=Frame(
            service_page(state),
            _title(view.sort_label),
            "board",
            json,
            scripts=(SCRIPT,),
            is_indexed=state == BoardState(setting=state.setting),
        ),
        controls=controls_of(entries, state, len(found), [*ignored, *fit.ignored]),
        pinned=board_rows(entries, pinned, fit.columns, state.pins),
    )


def board_views(
    data: BoardData,
    settings: Sequence[Setting],
    slug: str,
    cards: Mapping[str, Card],
    validity: Mapping[str, Validity | None],
    json: Page,
) -> list[BoardView]:
    """The files of a setting: by place, a page for each column and direction, and one for each other view.

    Args:
        data: The setting, ranked.
        settings: All settings, in the order of the menu.
        slug: The setting's slug in addresses; empty for the one shown by default.
        cards: Task name -> card.
        validity: Run id -> its validity report.
        json: The JSON document of this setting.
    """
    entries = BoardEntries(data, cards, validity.get)
    first = fitted(entries, BoardState(setting=slug))
    states = [first.state]
    states += [
        replace(first.state, sort="" if column.key == "rank" else column.key, is_reversed=is_reversed)
        for column in first.columns
        for is_reversed in (False, True)
        if column.key != "rank" or is_reversed
    ]
    whole = _view(entries, settings, first, entries.ranked, is_service=False)
    views = [replace(whole, frame=Frame(_file_page(first.state, data.setting.slug), "Leaderboard", "board", json))]
    for state in states[1:]:
        view = _sorted(entries, whole, replace(first, state=state), entries.ranked, is_service=False)
        page = _file_page(state, data.setting.slug)
        views.append(replace(view, frame=Frame(page, _title(view.sort_label), "board", json)))
    for tab in whole.views:
        if not tab.is_current and tab.page.view:
            fit = fitted(entries, BoardState(setting=slug, view=tab.page.view))
            view = _view(entries, settings, fit, entries.ranked, is_service=False)
            views.append(replace(view, frame=Frame(tab.page, f"Leaderboard: {tab.label.lower()}", "board", json)))
    return views


def _view(
    entries: BoardEntries, settings: Sequence[Setting], fit: Fitted, found: Sequence[BoardEntry], *, is_service: bool
) -> BoardView:
    data, state = entries.data, fit.state
    view = BoardView(
        frame=Frame(Page(kind="board"), "", "board"),
        lead=lead(data),
        setting=data.setting.label,
        holds=state.view,
        menu=tuple(
            Tab(
                other.label,
                Page(kind="board", setting="" if index == 0 else other.slug),
                other.slug == data.setting.slug,
                plural(len(other.runs), "run"),
            )
            for index, other in enumerate(settings)
        ),
        views=_views(entries, state, is_service=is_service),
        is_subset=data.setting.limit is not None,
        is_mini=data.setting.is_mini,
        has_scores=data.has_scores,
        by_score=data.by_score,
        charts=board_charts(entries, found, state) if state.has_charts else None,
        controls=None,
        columns=(),
        pinned=(),
        bands=(),
        has_bands=any(place.band for place in data.places.values()),
        yardsticks=board_rows(entries, entries.yardsticks, fit.columns),
        corrected=_corrected(data),
        caption=caption(data),
        marks=marks(list(entries.marks)),
        sort_label="",
    )
    return _sorted(entries, view, fit, found, is_service=is_service)


def _sorted(
    entries: BoardEntries, view: BoardView, fit: Fitted, found: Sequence[BoardEntry], *, is_service: bool
) -> BoardView:
    """The same in the order asked for."""
    state = fit.state
    ordered, column = in_asked_order(found, state, fit.columns)
    if is_service:
        ordered = ordered[state.offset : state.offset + ROWS]
    rows = board_rows(entries, ordered, fit.columns, state.pins)
    is_by_rank = column.key == "rank" and not state.is_reversed
    return replace(
        view,
        columns=tuple(_heads(entries, fit, is_service=is_service)),
        bands=in_bands(rows) if is_by_rank else (Band("", rows),) if rows else (),
        sort_label="" if is_by_rank else f"{_name(column)}, {column.first(is_reversed=state.is_reversed)} first",
    )


def _name(column: BoardColumn) -> str:
    """``IMDB`` or, where the task has several columns, ``IMDB rouge1``."""
    return f"{column.label} {column.notes[0]}" if ":" in column.key else column.label


def _heads(entries: BoardEntries, fit: Fitted, *, is_service: bool) -> list[Column]:
    state = fit.state
    current = state.sort or own_order(state)
    heads = []
    for column in fit.columns:
        is_current = column.key == current
        # The current column links to its other direction, every other one to its best first.
        other = state.from_start(
            sort="" if column.key == own_order(state) else column.key,
            is_reversed=is_current and not state.is_reversed,
        )
        page = None
        if is_service:
            page = service_page(other)
        elif state.view == "quality":
            page = _file_page(other, entries.data.setting.slug)
        direction = ""
        if is_current:
            direction = "descending" if column.is_descending != state.is_reversed else "ascending"
        heads.append(Column(column.label, column.notes, column.is_number, page, direction))
    return heads


def _views(entries: BoardEntries, state: BoardState, *, is_service: bool) -> tuple[Tab, ...]:
    shown = ["quality"]
    shown += ["naturalness"] if entries.data.has_scores else []
    shown += ["reward"] if entries.rewards else []
    if len(shown) == 1:
        return ()
    tabs = []
    for view in shown:
        other = state.from_start(view=view, sort="", is_reversed=False)
        page = service_page(other) if is_service else _file_page(other, state.setting)
        tabs.append(Tab(view.capitalize(), page, view == state.view))
    return tuple(tabs)


def _file_page(state: BoardState, slug: str) -> Page:
    """The file of a state; only the order of the board in the default setting has no slug in it."""
    view = "" if state.view == "quality" else state.view
    setting = slug if state.sort or state.is_reversed else state.setting
    return Page(kind="board", setting=setting, view=view, sort=_file_sort(state), reverse=state.is_reversed)


def _file_sort(state: BoardState) -> str:
    return state.sort or (own_order(state) if state.is_reversed else "")


def _title(sort_label: str) -> str:
    return f"Leaderboard by {sort_label}" if sort_label else "Leaderboard"


def _corrected(data: BoardData) -> tuple[Corrected, ...]:
    return tuple(
        Corrected(run.name, Page(kind="run", run=run.id), one.decided_at[:10], one.reason, successor(run, data))
        for run in data.setting.runs
        if (one := run.superseded) is not None
    )
