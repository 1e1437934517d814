"""The host's pages: what is hidden, which tasks are open, who did what; submissions and accounts beside them."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from grue.core.errors import UsageError
from grue.store.service import hosts, jobs, visibility
from grue.store.service.audit import audit_log
from grue.store.service.values import STATUSES
from leaderboard_site.accounts.forms import Form
from leaderboard_site.accounts.host_submission_routes import router as submission_router
from leaderboard_site.accounts.host_user_routes import router as user_router
from leaderboard_site.accounts.hosting import PAGE_LINES, host_of, names, reason_of, said
from leaderboard_site.accounts.paths import is_id
from leaderboard_site.accounts.sessions import see_other
from leaderboard_site.pages.host import host_audit_view, host_view
from leaderboard_site.web.requests import page, service_of

router = APIRouter(include_in_schema=False)
router.include_router(submission_router)
router.include_router(user_router)


@router.get("/host")
def overview(request: Request, done: str = "") -> Response:
    """What waits, what is hidden, and which tasks are open."""
    host_of(request)
    return _page(request, done=done)


@router.post("/host/runs/hide")
def hide_run(request: Request, form: Form) -> Response:
    """Hide a run from every public page."""
    host, run_id = host_of(request), form.text("run_id")
    try:
        visibility.hide_run(service_of(request).store, run_id, reason_of(form), host.user_id)
    except UsageError as error:
        return _page(request, problem=said(error), run_id=run_id, reason=form.text("reason"), status=422)
    return see_other("/host?done=hidden")


@router.post("/host/runs/{run_id}/unhide")
def unhide_run(request: Request, run_id: str) -> Response:
    """Show a run again."""
    host = host_of(request)
    if not is_id(run_id):
        raise HTTPException(404)
    visibility.unhide_run(service_of(request).store, run_id, host.user_id)
    return see_other("/host?done=shown")


@router.post("/host/tasks/{task}/close")
def close_task(request: Request, task: str) -> Response:
    """Let a task take no submissions."""
    return _set_closed(request, task, is_closed=True)


@router.post("/host/tasks/{task}/open")
def open_task(request: Request, task: str) -> Response:
    """Let a task take submissions again."""
    return _set_closed(request, task, is_closed=False)


@router.get("/host/audit")
def audit_page(request: Request, cursor: str | None = None) -> Response:
    """Who did what."""
    host_of(request)
    found = audit_log(service_of(request).store, limit=PAGE_LINES, cursor=cursor)
    return page(request, host_audit_view(found, names(request)), cacheable=False)


def _tasks(request: Request) -> list[str]:
    expected = service_of(request).expected()
    return sorted({*(expected.tasks if expected else ()), *hosts.closed_tasks(service_of(request).store)})


def _set_closed(request: Request, task: str, *, is_closed: bool) -> Response:
    host = host_of(request)
    if task not in _tasks(request):
        raise HTTPException(404)
    hosts.set_task_closed(service_of(request).store, task, is_closed, host.user_id)
    return see_other(f"/host?done={'closed' if is_closed else 'opened'}")


def _page(
    request: Request, *, done: str = "", problem: str = "", run_id: str = "", reason: str = "", status: int = 200
) -> Response:
    store = service_of(request).store
    counted = jobs.status_counts(store)
    view = host_view(
        counts={state: counted.get(state, 0) for state in STATUSES},
        hidden=visibility.hidden_runs(store),
        tasks=_tasks(request),
        closed=hosts.closed_tasks(store),
        done=done,
        problem=problem,
        run_id=run_id,
        reason=reason,
    )
    return page(request, view, cacheable=False, status=status)
