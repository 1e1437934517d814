"""The JSON API of the board: the ranking, the tasks, the queue."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from grue.comparison.standings import BoardData
from grue.store.service import jobs
from leaderboard_site import documents
from leaderboard_site.accounts.rights import require
from leaderboard_site.boards import Snapshot
from leaderboard_site.web import models
from leaderboard_site.web.errors import ProblemError
from leaderboard_site.web.paging import MOST_ROWS, part_of
from leaderboard_site.web.problems import problems
from leaderboard_site.web.requests import document, service_of, snapshot_of

router = APIRouter(prefix="/api/v1", tags=["board"])
_MOST_LETTERS = 200
Name = Annotated[str, Query(max_length=_MOST_LETTERS)]
Limit = Annotated[int, Query(ge=1, le=MOST_ROWS, description="Rows a page.")]
Cursor = Annotated[str | None, Query(max_length=_MOST_LETTERS, description="`next_cursor` of the page before.")]


@router.get("/leaderboard", response_model=models.Leaderboard, responses=problems(401, 422))
def leaderboard(
    request: Request,
    setting: Name = "",
    task: Name = "",
    metric: Name = "",
    limit: Limit = MOST_ROWS,
    cursor: Cursor = None,
) -> Response:
    """The ranking of a setting: over tasks, or on one task by its primary metric or another."""
    require(request, "read board")
    snapshot = snapshot_of(request)
    if not snapshot.settings and not (setting or task or metric):
        return document(request, documents.empty_leaderboard(), cacheable=True)
    data = _data(snapshot, setting)
    if metric and not task:
        raise _unknown("metric", metric, "name the task that it is of")
    found = _of_task(snapshot, data, task, metric) if task else documents.leaderboard(data, snapshot.settings)
    part = part_of(found["rows"], _run_id, cursor, limit)
    return document(request, {**found, "rows": part.rows, "next_cursor": part.next_cursor}, cacheable=True)


@router.get("/tasks", response_model=models.Tasks, responses=problems(401))
def tasks(request: Request) -> Response:
    """The tasks that runs were made on."""
    require(request, "read board")
    snapshot = snapshot_of(request)
    return document(request, documents.task_list(snapshot.home, snapshot.cards), cacheable=True)


@router.get("/queue", response_model=models.Queue, responses=problems(401, 403, 429))
def queue(request: Request) -> Response:
    """Who works, what runs, and what waits in which place."""
    require(request, "read queue")
    found = jobs.queue(service_of(request).store)
    workers = [{"name": one.name, "last_seen": one.last_seen, "doing": one.doing} for one in found.workers]
    waiting = [
        {
            "submission": one.submission.submission_id,
            "status": one.job.status,
            "place": one.place,
            "waiting_seconds": one.waiting_seconds,
        }
        for one in found.jobs
    ]
    return document(request, {"workers": workers, "jobs": waiting})


def _data(snapshot: Snapshot, slug: str) -> BoardData:
    setting = snapshot.setting(slug)
    if setting is None:
        known = ", ".join(one.slug for one in snapshot.settings) or "none yet"
        raise _unknown("setting", slug, f"there are: {known}")
    return snapshot.data(setting.slug)


def _of_task(snapshot: Snapshot, data: BoardData, task: str, metric: str) -> dict[str, Any]:
    if task not in data.tasks:
        raise _unknown("task", task, f"in this setting there are: {', '.join(data.tasks)}")
    board = data.tasks[task]
    if metric and metric != board.metric:
        names = {name: None for entry in board.entries.values() for name in entry.result.scores}
        if metric not in names:
            raise _unknown("metric", metric, f"of this task there are: {', '.join(names)}")
        board = snapshot.task_by(data.setting.slug, task, metric)
    return documents.task_leaderboard(board, data, snapshot.settings)


def _unknown(field: str, value: str, known: str) -> ProblemError:
    return ProblemError(422, "", f"{field}: unknown {value[:60]!r}; {known}.", field=field)


def _run_id(row: dict[str, Any]) -> str:
    return str(row["run_id"])
