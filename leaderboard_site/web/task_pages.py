"""The page of a task: what it asks, its ranking, its history."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from leaderboard_site.accounts.rights import require
from leaderboard_site.boards import Snapshot
from leaderboard_site.links import Page
from leaderboard_site.numbers import plural
from leaderboard_site.pages.frame import Tab
from leaderboard_site.pages.task import task_views
from leaderboard_site.pages.task_example import example_of
from leaderboard_site.web.errors import ProblemError
from leaderboard_site.web.requests import page, snapshot_of

router = APIRouter(prefix="/tasks", default_response_class=HTMLResponse)
Name = Annotated[str, Path(max_length=100)]
Short = Annotated[str, Query(max_length=200)]


@router.get("/{name}", include_in_schema=False)
def task_page(request: Request, name: Name, setting: Short = "", sort: Short = "", reverse: Short = "") -> Response:
    """A task in one setting; without one, in the first of the menu that has it."""
    require(request, "read board")
    snapshot = snapshot_of(request)
    if name not in snapshot.home:
        raise ProblemError(404, "", f"No run of the board has a task {name[:60]!r}.")
    home = snapshot.home[name]
    chosen = snapshot.setting(setting) if setting else home.setting
    if chosen is None or not any(name in run.tasks for run in chosen.runs):
        raise ProblemError(404, "", "The board has no such setting of this task.")
    data = snapshot.data(chosen.slug)
    views = task_views(
        data.tasks[name],
        data,
        snapshot.cards,
        tasks=[
            Tab(snapshot.cards[other].title, Page(kind="task", task=other), other == name) for other in snapshot.home
        ],
        settings=_settings(snapshot, name, chosen.slug),
        slug="" if chosen.slug == home.setting.slug else chosen.slug,
        example=example_of(data, name, snapshot.cards[name]),
        json=Page(kind="json", name=f"leaderboard/{chosen.slug}/{name}"),
    )
    is_reverse = reverse == "yes"
    wanted = ("" if sort == "rank" and not is_reverse else sort, is_reverse)
    view = next((one for one in views if (one.frame.page.sort, one.frame.page.reverse) == wanted), None)
    if view is None:
        raise ProblemError(404, "", f"The ranking has no column {sort[:60]!r}.")
    return page(request, view, cacheable=True)


def _settings(snapshot: Snapshot, name: str, shown: str) -> list[Tab]:
    home = snapshot.home[name].setting.slug
    tabs = []
    for one in snapshot.settings:
        n_runs = sum(name in run.tasks for run in one.runs)
        if n_runs:
            address = Page(kind="task", task=name, setting="" if one.slug == home else one.slug)
            tabs.append(Tab(one.label, address, one.slug == shown, plural(n_runs, "run")))
    return tabs
