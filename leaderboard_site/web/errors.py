"""Errors as answers: RFC 9457 problem documents, and pages for those who read them; never a traceback."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from grue.core.errors import GrueError, UsageError
from grue.store.service.values import QuotaError
from leaderboard_site.pages.error import error_view
from leaderboard_site.web import context
from leaderboard_site.web.rendering import renderer

PROBLEM = "application/problem+json"
TITLES = {
    400: "The request is wrong",
    401: "Sign in first",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    408: "The upload came too slowly",
    409: "Not possible now",
    413: "Too large",
    415: "Of another kind than expected",
    422: "Something in the request is wrong",
    429: "Too many requests",
    500: "A fault of ours",
    503: "Not ready",
}
OURS = "Nothing of yours was lost. Try again; if it happens again, report the request number."
_log = structlog.get_logger("grue.web")


class ProblemError(HTTPException):
    """Ends a request with a problem.

    Args:
        status: HTTP status.
        title: What went wrong, in a few words.
        detail: What of the request is wrong, and what to do.
        headers: Further headers, such as ``Retry-After``.
        extra: Further members of the document, such as ``errors``.
    """

    def __init__(
        self, status: int, title: str = "", detail: str = "", headers: Mapping[str, str] | None = None, **extra: Any
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.title = title
        self.extra = extra


def problem(
    status: int, title: str = "", detail: str = "", *, headers: Mapping[str, str] | None = None, **extra: Any
) -> Response:
    """An error as the client reads it: a problem document, or a page where it asks for HTML.

    Args:
        status: HTTP status.
        title: What went wrong, in a few words; empty for those of the status.
        detail: What of the request is wrong, and what to do.
        headers: Further headers, such as ``Retry-After``.
        extra: Further members of the document.
    """
    title = title or TITLES.get(status, "Error")
    sent = {"Cache-Control": "no-store", "Vary": "Accept", **(headers or {})}
    number = context.request_id()
    if wants_html():
        view = error_view(status, title, detail, number)
        return Response(renderer().html(view, is_service=True), status, sent, "text/html; charset=utf-8")
    document = {"type": "about:blank", "title": title, "status": status, "detail": detail, "request_id": number}
    content = json.dumps({"schema_version": 1, **document, **extra}, ensure_ascii=False, allow_nan=False)
    return Response(content.encode("utf-8", "replace"), status, sent, PROBLEM)


def wants_html() -> bool:
    """Whether the client of the request reads pages: below the API never, elsewhere unless it asks for JSON alone."""
    path = context.path()
    if path.startswith("/api/"):
        return False
    accept = context.header(b"accept").lower()
    return "text/html" in accept or "json" not in accept


def add_handlers(app: FastAPI) -> None:
    """Turn what routes raise on purpose into answers."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(GrueError, _known)


async def _http(_: Request, error: Exception) -> Response:
    if isinstance(error, ProblemError):
        return problem(error.status_code, error.title, error.detail, headers=error.headers, **error.extra)
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    detail = {
        404: "There is no such page. Its address may be mistyped, or what it showed was withdrawn.",
        405: "This address does not take that method.",
    }.get(status, str(error.detail) if isinstance(error, HTTPException) else "")
    return problem(status, "", detail, headers=headers)


async def _invalid(_: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    errors = [{"field": ".".join(str(part) for part in one["loc"]), "problem": str(one["msg"])} for one in found]
    detail = "; ".join(f"{one['field']}: {one['problem']}" for one in errors)
    return problem(422, "", detail, errors=errors)


async def _known(_: Request, error: Exception) -> Response:
    if isinstance(error, QuotaError):
        return problem(429, "", str(error), headers={"Retry-After": str(error.retry_after)})
    if isinstance(error, UsageError):
        return problem(422, "", str(error))
    # What the store or a run directory says may name places of this machine.
    _log.error("request failed", request_id=context.request_id(), error=str(error), kind=type(error).__name__)
    return problem(500, "", OURS)
