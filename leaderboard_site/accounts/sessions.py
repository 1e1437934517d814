"""Begins and ends the sign-in of a browser."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from grue.store.service import sign_ins
from leaderboard_site.accounts.cookies import SESSION_SECONDS, cookie_name, drop_cookie, set_cookie
from leaderboard_site.web.requests import service_of


def begin_session(request: Request, user_id: str, path: str) -> Response:
    """Sign an account in with a new secret, end the sign-in that the browser had, and lead on to an own path."""
    store = service_of(request).store
    if old := request.cookies.get(cookie_name(request)):
        sign_ins.sign_out(store, old)
    response = see_other(path)
    set_cookie(request, response, sign_ins.sign_in(store, user_id, SESSION_SECONDS), seconds=SESSION_SECONDS)
    return response


def end_session(request: Request, path: str) -> Response:
    """Sign the browser out and lead on to an own path."""
    if old := request.cookies.get(cookie_name(request)):
        sign_ins.sign_out(service_of(request).store, old)
    response = see_other(path)
    drop_cookie(request, response)
    return response


def see_other(path: str) -> Response:
    """Lead on to an own path after a post, so that loading the page again sends nothing twice."""
    return RedirectResponse(path, 303, {"Cache-Control": "no-store"})
