"""The pictures of a board: two beside each other above the ranking, the others below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from leaderboard_site.board_state import BoardState
from leaderboard_site.links import Page
from leaderboard_site.pages.board_entries import BoardEntries, BoardEntry
from leaderboard_site.pages.cost import axis_tabs
from leaderboard_site.pages.cost_figures import board_figures
from leaderboard_site.pages.frame import Tab
from leaderboard_site.pages.natural import natural_picture
from leaderboard_site.pages.panels import Panel, PanelRow, panel_note
from leaderboard_site.pages.pictures import Picture
from leaderboard_site.pages.reward import reward_picture, reward_pictures
from leaderboard_site.pages.weights import WeightsFigure


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardCharts:
    """The pictures of a board.

    Attributes:
        first: Above the ranking, at most two.
        axes: Pages of all costs.
        costs: One picture a task against cost, where there is no score over tasks.
        rewards: One picture a task and reward, in the view of rewards.
        more: Below the ranking.
    """

    first: tuple[Picture, ...]
    axes: tuple[Tab, ...]
    costs: tuple[Picture, ...]
    rewards: tuple[Picture, ...]
    more: tuple[Picture, ...]
    panels: tuple[Panel, ...]
    panel_rows: tuple[PanelRow, ...]
    panel_note: str
    weights: WeightsFigure | None


# The charts of all entries, by view: most addresses show these.
_whole: WeakKeyDictionary[BoardEntries, dict[str, BoardCharts]] = WeakKeyDictionary()


def board_charts(entries: BoardEntries, found: Sequence[BoardEntry], state: BoardState) -> BoardCharts:
    """The pictures of the entries that a view shows.

    Args:
        entries: All entries of the setting.
        found: Those that are drawn, in the order of the board.
        state: The view.
    """
    if state.pins or len(found) < len(entries.ranked):
        return _drawn(entries, found, state)
    known = _whole.setdefault(entries, {})
    if state.view not in known:
        known[state.view] = _drawn(entries, found, state)
    return known[state.view]


def _drawn(entries: BoardEntries, found: Sequence[BoardEntry], state: BoardState) -> BoardCharts:
    data, cards, pins = entries.data, entries.cards, state.pins
    costs = board_figures(data, cards, entries.axes[0], found, pins) if entries.axes else ()
    drawn = tuple(one for one in costs if one.plot)
    natural = natural_picture(data, [entry.run for entry in found], pins)
    reward = reward_picture(entries, found, pins)
    cost = drawn[0] if data.by_score and drawn else None
    wanted = {
        "quality": (cost, reward or natural),
        "naturalness": (natural, reward),
        "reward": (reward, cost if reward else None),
    }[state.view]
    first = tuple(one for one in wanted if one)
    rest = tuple(one for one in (natural, reward) if one and one not in first)
    shown = entries.panels if state.view == "quality" else ()
    return BoardCharts(
        first=first,
        axes=axis_tabs(entries.axes, None, Page(kind="cost", setting=state.setting)),
        costs=() if data.by_score or state.view != "quality" else drawn,
        rewards=reward_pictures(entries, found, pins) if state.view == "reward" else (),
        more=rest,
        panels=shown,
        panel_rows=entries.panel_rows if shown else (),
        panel_note=panel_note(data, shown),
        weights=entries.weights if state.view == "quality" else None,
    )
