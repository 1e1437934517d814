"""A host's page of all submissions: remove with a reason, restore, queue again, cancel."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from grue.core.errors import UsageError
from grue.store.service import hosts, jobs, submissions
from leaderboard_site.accounts.forms import Form
from leaderboard_site.accounts.hosting import PAGE_LINES, host_of, known_submission, names, reason_of, said
from leaderboard_site.accounts.sessions import see_other
from leaderboard_site.pages.host_submissions import host_submissions_view
from leaderboard_site.web.requests import page, service_of

router = APIRouter(include_in_schema=False, prefix="/host/submissions")
_HERE = "/host/submissions"


@router.get("")
def all_submissions(request: Request, done: str = "", cursor: str | None = None) -> Response:
    """All submissions."""
    host_of(request)
    return _page(request, done=done, cursor=cursor)


@router.post("/{submission_id}/remove")
def remove(request: Request, submission_id: str, form: Form) -> Response:
    """Take a submission off the board and out of the queue."""
    host, found = host_of(request), known_submission(request, submission_id)
    try:
        hosts.remove(service_of(request).store, found.submission_id, reason_of(form), host.user_id)
    except UsageError as error:
        return _page(request, problem=said(error), status=422)
    return see_other(f"{_HERE}?done=removed")


@router.post("/{submission_id}/restore")
def restore(request: Request, submission_id: str) -> Response:
    """Undo a removal."""
    host, found = host_of(request), known_submission(request, submission_id)
    try:
        hosts.restore(service_of(request).store, found.submission_id, host.user_id)
    except UsageError as error:
        return _page(request, problem=said(error), status=409)
    return see_other(f"{_HERE}?done=restored")


@router.post("/{submission_id}/requeue")
def requeue(request: Request, submission_id: str) -> Response:
    """Let a job begin anew that failed, was cancelled, or hangs."""
    host, found = host_of(request), known_submission(request, submission_id)
    try:
        if not jobs.requeue(service_of(request).store, found.job_id, host.user_id):
            raise UsageError("The job waits already, or is done.", "There is nothing to queue again.")
    except UsageError as error:
        return _page(request, problem=said(error), status=409)
    return see_other(f"{_HERE}?done=requeued")


@router.post("/{submission_id}/cancel")
def cancel(request: Request, submission_id: str) -> Response:
    """Cancel a job that waits or runs."""
    host, found = host_of(request), known_submission(request, submission_id)
    if not jobs.cancel(service_of(request).store, found.job_id, host.user_id):
        return _page(request, problem="The job has ended already.", status=409)
    return see_other(f"{_HERE}?done=cancelled")


def _page(
    request: Request, *, done: str = "", problem: str = "", cursor: str | None = None, status: int = 200
) -> Response:
    found = submissions.all_submissions(service_of(request).store, limit=PAGE_LINES, cursor=cursor)
    view = host_submissions_view(found, names(request), done=done, problem=problem)
    return page(request, view, cacheable=False, status=status)
