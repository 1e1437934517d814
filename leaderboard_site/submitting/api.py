"""Submissions by the JSON API: check, submit, follow, publish, withdraw."""

from __future__ import annotations

from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from grue.store.service import jobs, submissions
from leaderboard_site.accounts.rights import can, require
from leaderboard_site.submitting import chunk_api
from leaderboard_site.submitting.acting import act, readable
from leaderboard_site.submitting.desk import asked, desk_of
from leaderboard_site.submitting.documents import (
    checked_document,
    invalid_fields,
    invalid_file,
    submission_document,
)
from leaderboard_site.submitting.fields import KINDS, FieldFault, read_said
from leaderboard_site.submitting.receiving import BodyLimits, Received, receive_body, receive_form
from leaderboard_site.submitting.taking import MODEL_FILES, MissingError, keep, read_content
from leaderboard_site.web.requests import document

router = APIRouter(prefix="/api/v1")
router.include_router(chunk_api.router)
_FIELDS = (
    "name",
    "kind",
    "public",
    "description",
    "url",
    "licence",
    "trained_on",
    "contamination",
    "model",
    "revision",
)


def _body(fields: tuple[str, ...], required: tuple[str, ...]) -> dict[str, Any]:
    properties: dict[str, Any] = {name: {"type": "string"} for name in fields}
    if "kind" in properties:
        properties["kind"]["enum"] = list(KINDS)
    if "public" in properties:
        properties["public"]["enum"] = ["yes", "no"]
    properties["file"] = {"type": "string", "format": "binary"}
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    content = {"application/problem+json": {"schema": {"type": "object"}}}
    return {status: {"description": "A problem", "content": content} for status in statuses}


@router.post(
    "/validate", openapi_extra=_body(("kind",), ("file",)), responses=_problems(400, 408, 409, 413, 415, 422, 429)
)
async def validate(request: Request) -> Response:
    """Check a prediction file or the archive of a run directory; no account is needed.

    The file comes as ``file`` of a form, or as the whole body.
    """
    viewer = await to_thread.run_sync(require, request, "validate")
    desk = desk_of(request)
    user = viewer.user if can(viewer, "submit") else None
    async with desk.receiving() as work:
        limits = BodyLimits(file_bytes=desk.limits.file_bytes)
        if request.headers.get("content-type", "").startswith(("multipart/", "application/x-www-form")):
            received = await receive_form(request, work, limits)
        else:
            received = Received({}, (await receive_body(request, work / "part-0", limits),))
        kind = _kind(received)
        try:
            content = await read_content(desk, kind, received, work, user)
        except MissingError as missing:
            raise invalid_fields((missing.fault,)) from None
    if not content.checked.is_valid:
        raise invalid_file(content.checked)
    return document(request, checked_document(content.checked))


@router.post(
    "/submissions",
    status_code=201,
    openapi_extra=_body((*_FIELDS, "checkpoint"), ("name", "kind")),
    responses=_problems(400, 401, 403, 408, 409, 413, 415, 422, 429),
)
async def submit(request: Request) -> Response:
    """Submit a file, a checkpoint of the hub, or one whose files were uploaded in pieces (``checkpoint``)."""
    viewer = await to_thread.run_sync(require, request, "submit")
    assert viewer.user is not None  # the right takes an account
    desk = desk_of(request)
    async with desk.receiving() as work:
        limits = BodyLimits(file_bytes=desk.limits.file_bytes, files=MODEL_FILES)
        received = await receive_form(request, work, limits)
        kind = _kind(received, needed=True)
        said = read_said(received.fields)
        if isinstance(said, tuple):
            raise invalid_fields(said)
        try:
            content = await read_content(desk, kind, received, work, viewer.user)
        except MissingError as missing:
            raise invalid_fields((missing.fault,)) from None
        if not content.checked.is_valid:
            raise invalid_file(content.checked)
        pending = await keep(desk, work, content, said, browser="", user=viewer.user)
    try:
        made = await desk.submit(viewer.user, pending)
    except BaseException:
        await to_thread.run_sync(desk.pending.drop, pending)
        raise
    answer = document(
        request,
        {"id": made.submission_id, "status": made.status, "url": _address(request, made.submission_id)},
        status=201,
    )
    answer.headers["Location"] = f"/api/v1/submissions/{made.submission_id}"
    return answer


@router.get("/submissions", responses=_problems(401, 403, 422))
def own(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    """The account's own submissions, newest first."""
    viewer = require(request, "read account")
    assert viewer.user is not None  # the right takes an account
    found = asked(
        submissions.submissions_of, desk_of(request).service.store, viewer.user.user_id, limit=limit, cursor=cursor
    )
    listed = [submission_document(one) for one in found.submissions]
    return document(request, {"submissions": listed, "next_cursor": found.next_cursor})


@router.get("/submissions/{submission_id}", responses=_problems(401, 404))
def one(request: Request, submission_id: str) -> Response:
    """A submission with its progress and its place in the queue."""
    found = readable(request, submission_id)
    store = desk_of(request).service.store
    place = None
    if found.status == "queued":
        place = next((one.place for one in jobs.queue(store).jobs if one.job.job_id == found.job_id), None)
    return document(request, submission_document(found, jobs.job(store, found.job_id), place))


@router.post("/submissions/{submission_id}/{action}", responses=_problems(401, 403, 404, 409))
def do(request: Request, submission_id: str, action: str) -> Response:
    """``publish``, ``unpublish``, ``cancel`` or ``withdraw``; the submission as it is then."""
    return document(request, submission_document(act(request, submission_id, action)))


def _kind(received: Received, *, needed: bool = False) -> str:
    kind = received.fields.get("kind", "").strip()
    if not kind and needed:
        raise invalid_fields((FieldFault("kind", "It is missing.", f"Send one of {', '.join(KINDS)}."),))
    if kind and kind not in KINDS:
        raise invalid_fields(
            (FieldFault("kind", f"There is no kind {kind[:40]!r}.", f"Send one of {', '.join(KINDS)}."),)
        )
    return kind or KINDS[0]


def _address(request: Request, submission_id: str) -> str:
    base = desk_of(request).service.settings.base_url or str(request.base_url).rstrip("/")
    return f"{base}/submissions/{submission_id}"
