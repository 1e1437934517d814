"""The board's pages: the ranking in every view, costs, the list of tasks, how to read them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Annotated
from weakref import WeakKeyDictionary

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from grue.comparison.standings_settings import Setting
from leaderboard_site.accounts.rights import require
from leaderboard_site.board_state import parse
from leaderboard_site.boards import Snapshot
from leaderboard_site.costs import Axis
from leaderboard_site.links import Page
from leaderboard_site.numbers import plural
from leaderboard_site.pages.about import about_view
from leaderboard_site.pages.board import board_view
from leaderboard_site.pages.board_entries import BoardEntries
from leaderboard_site.pages.cost import CostView, cost_views, known_axes
from leaderboard_site.pages.empty import empty_view
from leaderboard_site.pages.frame import Tab
from leaderboard_site.pages.tasks import tasks_view
from leaderboard_site.web.errors import ProblemError
from leaderboard_site.web.requests import page, snapshot_of

router = APIRouter(include_in_schema=False)
_READ = ["GET", "HEAD"]
Slug = Annotated[str, Query(max_length=200)]


class _Kept:
    """What is made once for a snapshot, and goes with it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: WeakKeyDictionary[Snapshot, dict[str, BoardEntries]] = WeakKeyDictionary()

    def entries(self, snapshot: Snapshot, slug: str) -> BoardEntries:
        """The entries of a setting."""
        data = snapshot.data(slug)
        with self._lock:
            found = self._entries.setdefault(snapshot, {})
            if slug not in found:
                found[slug] = BoardEntries(data, snapshot.cards, snapshot.validity)
            return found[slug]


_kept = _Kept()


@router.api_route("/", methods=_READ)
def board(request: Request) -> Response:
    """The ranking, as the address asks for it."""
    require(request, "read board")
    snapshot = snapshot_of(request)
    asked = parse(request.query_params.multi_items())
    if not snapshot.settings:
        return page(request, empty_view(is_service=True), cacheable=True)
    state, ignored = asked.state, list(asked.ignored)
    setting = snapshot.setting(state.setting)
    if setting is None:
        ignored.append(f"setting ‘{state.setting}’")
        setting = snapshot.settings[0]
    slug = "" if setting is snapshot.settings[0] else setting.slug
    state = state.from_start(setting=slug, offset=state.offset)
    if asked.is_form and not ignored:
        return RedirectResponse(f"{state.to_address()}", 303)
    name = f"leaderboard/{slug}" if slug else "leaderboard"
    view = board_view(
        _kept.entries(snapshot, setting.slug), snapshot.settings, state, Page(kind="json", name=name), ignored
    )
    is_plain = view.controls is None or not view.controls.notes
    return page(request, view, cacheable=is_plain)


@router.api_route("/cost", methods=_READ)
def costs(request: Request, against: Slug = "", setting: Slug = "") -> Response:
    """Score over all tasks against a cost, and all costs."""
    require(request, "read board")
    snapshot = snapshot_of(request)
    found = _setting(snapshot.settings, setting)
    slug = "" if found is snapshot.settings[0] else found.slug
    name = f"leaderboard/{slug}" if slug else "leaderboard"
    data = snapshot.data(found.slug)
    tabs = [
        (
            Tab(
                other.label, Page(kind="board", setting="" if index == 0 else other.slug), other is found, _runs(other)
            ),
            known_axes(snapshot.data(other.slug)),
        )
        for index, other in enumerate(snapshot.settings)
    ]

    def views(axis: str) -> list[CostView]:
        return cost_views(data, snapshot.cards, slug=slug, settings=tabs, json=Page(kind="json", name=name), only=axis)

    return page(request, _one(views, known_axes(data), against), cacheable=True)


@router.api_route("/tasks/{task}/cost", methods=_READ)
def task_costs(request: Request, task: str, against: Slug = "", setting: Slug = "") -> Response:
    """One task against a cost."""
    require(request, "read board")
    snapshot = snapshot_of(request)
    home = snapshot.home.get(task)
    if home is None:
        raise ProblemError(404, "", "No run on this board has the task.")
    with_task = [one for one in snapshot.settings if any(task in run.tasks for run in one.runs)]
    found = home.setting if not setting else _setting(with_task, setting)
    slug = "" if found is home.setting else found.slug
    data = snapshot.data(found.slug)
    tabs = [
        (
            Tab(
                other.label,
                Page(kind="task", task=task, setting="" if other is home.setting else other.slug),
                other is found,
                plural(sum(task in run.tasks for run in other.runs), "run"),
            ),
            known_axes(snapshot.data(other.slug)),
        )
        for other in with_task
    ]
    name = f"leaderboard/{found.slug}/{task}"

    def views(axis: str) -> list[CostView]:
        return cost_views(
            data,
            snapshot.cards,
            slug=slug,
            settings=tabs,
            json=Page(kind="json", name=name),
            board=data.tasks[task],
            only=axis,
        )

    return page(request, _one(views, known_axes(data), against), cacheable=True)


@router.api_route("/tasks", methods=_READ)
def tasks(request: Request) -> Response:
    """All tasks that runs were made on."""
    require(request, "read board")
    snapshot = snapshot_of(request)
    return page(request, tasks_view(snapshot.home, snapshot.cards), cacheable=True)


@router.api_route("/about", methods=_READ)
def about(request: Request) -> Response:
    """How to read the board."""
    require(request, "read board")
    return page(request, about_view(), cacheable=True)


def _setting(settings: Sequence[Setting], slug: str) -> Setting:
    found = next((one for one in settings if not slug or one.slug == slug), None)
    if found is None:
        raise ProblemError(404, "", "No run on this board was made in that setting.")
    return found


def _one(views: Callable[[str], list[CostView]], axes: Sequence[Axis], asked: str) -> CostView:
    """The view of the cost asked for; of the first where none is named.

    Raises:
        ProblemError: 404 where no run has that cost.
    """
    keys = [axis.key for axis in axes]
    if not keys or (asked and asked not in keys):
        raise ProblemError(404, "", "No run on this board has that cost.")
    return views(asked or keys[0])[0]


def _runs(setting: Setting) -> str:
    return plural(len(setting.runs), "run")
