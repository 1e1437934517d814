"""Names and attributes of the cookies, by how people reach the board."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

SESSION_SECONDS = 14 * 24 * 3600
SESSION = "grue"
PREFIX = "__Host-"


def is_https(request: Request) -> bool:
    """Whether the browser reached the board by https, itself or in front of a trusted proxy."""
    return bool(request.app.state.service.settings.is_secure) or request.url.scheme == "https"


def cookie_name(request: Request, name: str = SESSION) -> str:
    """``__Host-NAME`` over https, ``NAME`` over plain http.

    Browsers drop a ``__Host-`` cookie that is not ``Secure``, and some drop a ``Secure`` one that came by plain http
    even on loopback. Over https the plain name is never read, so nobody can plant a session by it.
    """
    return f"{PREFIX}{name}" if is_https(request) else name


def set_cookie(request: Request, response: Response, value: str, *, name: str = SESSION, seconds: int) -> None:
    """Hand out a cookie that no script reads and no other site sends along with a post."""
    response.set_cookie(
        cookie_name(request, name),
        value,
        max_age=seconds,
        path="/",
        secure=is_https(request),
        httponly=True,
        samesite="lax",
    )


def drop_cookie(request: Request, response: Response, *, name: str = SESSION) -> None:
    """Take a cookie back; browsers take no ``__Host-`` cookie without its attributes, not even to end it."""
    response.delete_cookie(
        cookie_name(request, name), path="/", secure=is_https(request), httponly=True, samesite="lax"
    )
