"""What a viewer sees who may not: the sign-in page in a browser, a problem document in a program."""

from __future__ import annotations

from fastapi import FastAPI, Request
from starlette.responses import RedirectResponse, Response

from leaderboard_site.accounts.passwords import BusyError
from leaderboard_site.accounts.rights import Refused
from leaderboard_site.accounts.viewer import viewer_of
from leaderboard_site.links import HttpScheme, Page
from leaderboard_site.web.errors import problem, wants_html

_BUSY_SECONDS = 3


def add_refusals(app: FastAPI) -> None:
    """Answer ``Refused`` of every route, and a sign-in that comes when too many do."""
    app.add_exception_handler(Refused, _answer)
    app.add_exception_handler(BusyError, _busy)


async def _answer(request: Request, error: Exception) -> Response:
    status, detail, headers = 401, "", None
    if isinstance(error, Refused):
        status, detail, headers = error.status_code, str(error.detail), error.headers
    is_read = request.method in ("GET", "HEAD")
    if status == 401 and is_read and wants_html() and not viewer_of(request).has_bad_token:
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        page = Page(kind="signin", query=(("next", path),))
        return RedirectResponse(f"/{HttpScheme().path(page)}", 303, {"Cache-Control": "no-store"})
    return problem(status, "", detail, headers=headers)


async def _busy(_: Request, error: Exception) -> Response:
    return problem(503, "Busy", str(error), headers={"Retry-After": str(_BUSY_SECONDS)})
