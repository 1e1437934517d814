"""Who asks: nobody known, a person with a session cookie, or a program with an API token."""

from __future__ import annotations

import re
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.requests import Request

from grue.store.service import sign_ins, tokens
from grue.store.service.values import Token, User
from leaderboard_site.accounts.cookies import cookie_name

ANONYMOUS = "anonymous"
# Secrets of the store are of that form; anything else is not worth a look at the database.
_SECRET = re.compile(r"[A-Za-z0-9_.-]{16,200}")
_BEARER = re.compile(r"bearer(?: +(\S*))?\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who asks.

    Attributes:
        user: The account; ``None`` where nobody is signed in.
        token: The API token that the request came with; ``None`` for a session of a browser.
        has_bad_token: Whether the request brought a token that is unknown, revoked or expired.
    """

    user: User | None = None
    token: Token | None = None
    has_bad_token: bool = False

    @property
    def role(self) -> str:
        """``anonymous``, or the role of the account."""
        return ANONYMOUS if self.user is None or self.user.is_disabled else self.user.role

    @property
    def is_signed_in(self) -> bool:
        """Whether there is an account."""
        return self.role != ANONYMOUS


def viewer_of(request: Request) -> Viewer:
    """The viewer of a request, looked up once.

    A token counts before a cookie: a program that sends one means it. Requests with neither cost no query.
    """
    known: Viewer | None = getattr(request.state, "viewer", None)
    if known is None:
        known = _look_up(request)
        request.state.viewer = known
    return known


def brings_token(headers: Headers) -> bool:
    """Whether a request comes with an API token, good or not; a proxy's own ``Basic`` credentials are none."""
    return headers.get("authorization", "")[:6].lower() == "bearer"


def _look_up(request: Request) -> Viewer:
    store = request.app.state.service.store
    if brings_token(request.headers):
        bearer = _BEARER.fullmatch(request.headers["authorization"])
        raw = bearer[1] or "" if bearer else ""
        found = tokens.user_of_token(store, raw) if _SECRET.fullmatch(raw) else None
        if found is None or found[0].is_disabled:
            return Viewer(has_bad_token=True)
        return Viewer(user=found[0], token=found[1])
    raw = request.cookies.get(cookie_name(request), "")
    user = sign_ins.signed_in(store, raw) if _SECRET.fullmatch(raw) else None
    return Viewer(user=None if user is None or user.is_disabled else user)
