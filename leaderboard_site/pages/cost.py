"""Quality against cost: a page for each cost, with its picture and all numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from grue.comparison.standings import BoardData
from grue.comparison.standings_runs import BoardRun
from grue.comparison.standings_task import TaskBoard
from leaderboard_site.cards import Card
from leaderboard_site.costs import AXES, COLUMNS, Axis, results_of, run_cost
from leaderboard_site.links import Page
from leaderboard_site.numbers import NONE, count, plural
from leaderboard_site.pages.cost_figures import (
    Measured,
    board_figures,
    measured_on_task,
    measured_overall,
    task_figure,
)
from leaderboard_site.pages.frame import Frame, ScoreCell, Tab
from leaderboard_site.pages.pictures import Picture


@dataclass(frozen=True, slots=True)
class CostRow:
    """All costs of a run as text."""

    name: str
    page: Page
    mark: str
    role: str
    score: ScoreCell
    cells: tuple[str, ...]
    machine: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CostView:
    """Page value of ``cost.html``."""

    frame: Frame
    title: str
    lead: str
    crumbs: tuple[tuple[str, Page], ...]
    axes: tuple[Tab, ...]
    settings: tuple[Tab, ...]
    figures: tuple[Picture, ...]
    columns: tuple[tuple[str, str], ...]
    rows: tuple[CostRow, ...]
    quality: str
    caption: str
    has_estimates: bool


def known_axes(data: BoardData) -> list[Axis]:
    """Costs that some ranked run of a setting has; the first is shown by default."""
    costs = [run_cost(run, results_of(run, run.tasks)) for run in data.setting.ranked]
    costs += [run_cost(run, results_of(run, [name])) for run in data.setting.ranked for name in run.tasks]
    return [axis for axis in AXES if any(axis.value(cost) for cost in costs)]


def axis_tabs(axes: Sequence[Axis], current: Axis | None, base: Page) -> tuple[Tab, ...]:
    """Links to the pages of all costs."""
    return tuple(Tab(axis.title, replace(base, axis=axis.key), axis is current, axis.unit) for axis in axes)


def cost_views(
    data: BoardData,
    cards: Mapping[str, Card],
    *,
    slug: str,
    settings: Sequence[tuple[Tab, Sequence[Axis]]],
    json: Page,
    board: TaskBoard | None = None,
    only: str = "",
) -> list[CostView]:
    """A page for each cost that is known in a setting.

    Args:
        data: The setting, ranked.
        cards: Task name -> card.
        slug: The setting's slug in addresses; empty for the one shown by default.
        settings: Links to the pages of each setting, with the costs that it has.
        json: The JSON document of the same runs.
        board: A task; ``None`` for all of the setting.
        only: Key of the only cost that is wanted; empty for all.
    """
    task = board.task if board else ""
    base = Page(kind="cost", task=task, setting=slug)
    shown = measured_on_task(board, data) if board else measured_overall(data)
    quality = (board.metric or "score") if board else "GRUE score" if data.by_score else ""
    where = Page(kind="task", task=task, setting=slug) if board else Page(kind="board", setting=slug)
    crumbs: tuple[tuple[str, Page], ...] = (("Board", Page(kind="board")),)
    if board:
        crumbs += (("Tasks", Page(kind="tasks")), (cards[task].title, where))
    title = f"Quality against cost: {cards[task].title}" if board else "Quality against cost"
    axes, section = known_axes(data), "tasks" if board else "board"
    lead, rows = _lead(data, shown), tuple(_cost_row(one) for one in shown)
    return [
        CostView(
            frame=Frame(replace(base, axis=axis.key), f"{title}, {axis.title.lower()}", section, json),
            title=title,
            lead=lead,
            crumbs=crumbs,
            axes=axis_tabs(axes, axis, base),
            settings=tuple(
                replace(tab, page=replace(tab.page, kind="cost", axis=(axis if axis in known else known[0]).key))
                for tab, known in settings
                if known
            ),
            figures=(task_figure(board, data, cards[task].title, axis),) if board else board_figures(data, cards, axis),
            columns=tuple((head, unit) for head, unit, _ in COLUMNS),
            rows=rows,
            quality=quality,
            caption=f"Costs of {plural(len(shown), 'run')}, {data.setting.label}.",
            has_estimates=any(one.cost.utilization is not None for one in shown),
        )
        for axis in axes
        if only in ("", axis.key)
    ]


def _lead(data: BoardData, shown: Sequence[Measured]) -> str:
    machines = {machine(one.run) for one in shown if one.cost.tokens is not None}
    start = f"What {plural(len(shown), 'run')} cost to generate, {data.setting.label}."
    if len(machines) > 1:
        start += f" They were measured on {count(len(machines))} kinds of device: a difference may be the device's."
    return start


def machine(run: BoardRun) -> str:
    """The device that a run was measured on, as its manifest names it."""
    found = run.manifest.environment
    if name := found.get("device_name"):
        devices = found.get("devices")
        several = f"{len(devices)} × " if isinstance(devices, list) and len(devices) > 1 else ""
        return f"{several}{name}"
    if cluster := found.get("cluster"):
        return f"{cluster} cluster"
    device, threads = found.get("device"), found.get("threads")
    if not device:
        return NONE
    return f"{device}, {plural(threads, 'thread')}" if isinstance(threads, int) else str(device)


def _cost_row(one: Measured) -> CostRow:
    return CostRow(
        name=one.run.name,
        page=Page(kind="run", run=one.run.id),
        mark=one.run.mark,
        role="",
        score=one.cell(),
        cells=tuple(text(one.cost) for _, _, text in COLUMNS),
        machine=machine(one.run),
    )
