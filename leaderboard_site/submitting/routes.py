"""Pages of submissions: the form, its check and confirmation; a submission and what is done with it; the queue."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

from anyio import to_thread
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from grue.store.service import jobs
from leaderboard_site.accounts.rights import can, require
from leaderboard_site.accounts.viewer import viewer_of
from leaderboard_site.links import HttpScheme, Page
from leaderboard_site.pages.queue import queue_view
from leaderboard_site.pages.submit import KINDS
from leaderboard_site.submitting.acting import act, readable
from leaderboard_site.submitting.browser_cookie import bind, browser_of, new_browser
from leaderboard_site.submitting.desk import desk_of
from leaderboard_site.submitting.events import events_of
from leaderboard_site.submitting.fields import read_said
from leaderboard_site.submitting.form_pages import faults_page, form_page, preview_page
from leaderboard_site.submitting.receiving import BodyLimits, receive_form
from leaderboard_site.submitting.refusals import RefusalError
from leaderboard_site.submitting.showing import submission_page
from leaderboard_site.submitting.taking import MissingError, body_limits, keep, read_content
from leaderboard_site.web.requests import page

router = APIRouter(include_in_schema=False)
_SEE_OTHER = 303


@router.get("/submit")
def submit_form(request: Request, kind: str = "predictions", upload: str = "") -> Response:
    """The form; with ``upload`` what will be scored of an upload that this browser sent."""
    require(request, "validate")
    desk = desk_of(request)
    kind = kind if kind in KINDS else "predictions"
    if not upload:
        return form_page(request, desk, kind)
    if made := desk.pending.taken_as(upload):
        return RedirectResponse(f"/submissions/{made}", _SEE_OTHER)
    pending = desk.pending.find(upload, browser_of(request))
    if pending is None:
        return form_page(request, desk, kind, refusal=_gone(), status=404)
    return preview_page(request, desk, pending)


@router.post("/submit")
async def check(request: Request, kind: str = "predictions") -> Response:
    """Check an upload; a sound one is kept for an hour and shown."""
    viewer = await to_thread.run_sync(require, request, "validate")
    desk = desk_of(request)
    kind = kind if kind in KINDS else "predictions"
    given: dict[str, str] = {}
    try:
        async with desk.receiving() as work:
            limits = body_limits(desk, kind, may_send_models=can(viewer, "submit"))
            received = await receive_form(request, work, limits)
            given = dict(received.fields)
            said = read_said(given)
            if isinstance(said, tuple):
                shown = partial(form_page, request, desk, kind, given=given, fields=said)
                return await to_thread.run_sync(shown)
            user = viewer.user if can(viewer, "submit") else None
            content = await read_content(desk, kind, received, work, user)
            if not content.checked.is_valid:
                return await to_thread.run_sync(partial(faults_page, request, desk, kind, given, content))
            browser = browser_of(request) or new_browser()
            pending = await keep(desk, work, content, said, browser=browser, user=user)
    except MissingError as missing:
        shown = partial(form_page, request, desk, kind, given=given, fields=(missing.fault,))
        return await to_thread.run_sync(shown)
    except RefusalError as refusal:
        shown = partial(form_page, request, desk, kind, given=given, refusal=refusal, status=refusal.status_code)
        return await to_thread.run_sync(shown)
    answer = RedirectResponse(f"/submit?upload={pending.upload_id}", _SEE_OTHER)
    bind(request, answer, browser)
    return answer


@router.post("/submit/confirm")
async def confirm(request: Request) -> Response:
    """Submit an upload that was checked before; who is not signed in goes there first and comes back."""
    desk = desk_of(request)
    received = await receive_form(request, desk.pending.folder, BodyLimits(file_bytes=0, field_bytes=200, fields=5))
    upload = received.fields.get("upload", "")
    if made := await to_thread.run_sync(desk.pending.taken_as, upload):
        return RedirectResponse(f"/submissions/{made}", _SEE_OTHER)
    pending = await to_thread.run_sync(desk.pending.find, upload, browser_of(request))
    if pending is None:
        return await to_thread.run_sync(partial(form_page, request, desk, "predictions", refusal=_gone(), status=404))
    viewer = await to_thread.run_sync(viewer_of, request)
    if viewer.user is None:
        back = Page(kind="signin", query=(("next", f"/submit?upload={pending.upload_id}"),))
        return RedirectResponse(f"/{HttpScheme().path(back)}", _SEE_OTHER)
    await to_thread.run_sync(require, request, "submit")
    try:
        made_now = await desk.submit(viewer.user, pending)
    except RefusalError as refusal:
        if first := refusal.extra.get("url"):
            return RedirectResponse(str(first), _SEE_OTHER)
        shown = partial(preview_page, request, desk, pending, refusal=refusal, status=refusal.status_code)
        return await to_thread.run_sync(shown)
    return RedirectResponse(f"/submissions/{made_now.submission_id}", _SEE_OTHER)


@router.get("/submit/template.jsonl")
def template(request: Request) -> Response:
    """A prediction file with every row and no text, to be filled in; valid as it is."""
    require(request, "validate")
    expected = desk_of(request).expected()

    def lines() -> Iterator[str]:
        for task, rows in expected.tasks.items():
            for row in rows:
                line = {"task": task, "id": row.id, "prediction": ""}
                yield json.dumps(line, ensure_ascii=False) + "\n"

    headers = {"Content-Disposition": f'attachment; filename="{expected.split}.jsonl"', "Cache-Control": "no-cache"}
    return StreamingResponse(lines(), media_type="application/jsonl", headers=headers)


@router.get("/queue")
def queue(request: Request) -> Response:
    """Who works and what waits."""
    viewer = require(request, "read queue")
    view = queue_view(
        jobs.queue(desk_of(request).service.store),
        lambda one: can(viewer, "read submission", one),
        lambda one: viewer.user is not None and one.user_id == viewer.user.user_id,
        datetime.now(UTC),
    )
    return page(request, view, cacheable=False)


@router.get("/submissions/{submission_id}")
def submission(request: Request, submission_id: str) -> Response:
    """One submission, to those who may read it."""
    return submission_page(request, readable(request, submission_id))


@router.get("/submissions/{submission_id}/events")
async def events(request: Request, submission_id: str) -> Response:
    """Its progress as it happens."""
    return await events_of(request, submission_id)


@router.post("/submissions/{submission_id}/{action}")
def do(request: Request, submission_id: str, action: str) -> Response:
    """Publish, make private again, cancel or withdraw; back to the page."""
    act(request, submission_id, action)
    return RedirectResponse(f"/submissions/{submission_id}", _SEE_OTHER)


def _gone() -> RefusalError:
    return RefusalError(
        404,
        "This upload is not here any more",
        "Uploads are kept for an hour, for the browser that sent them. Check it again.",
    )
