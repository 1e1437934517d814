"""The cookie that binds an upload to the browser that sent it, before anybody has signed in."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from starlette.requests import Request
from starlette.responses import Response

from leaderboard_site.accounts.cookies import cookie_name, set_cookie

NAME = "upload"
SECONDS = 3600


def browser_of(request: Request) -> str:
    """The random name that this browser has; empty where it has none, or one that we did not sign."""
    name, _, signature = request.cookies.get(cookie_name(request, NAME), "").partition(".")
    return name if name and hmac.compare_digest(_signature(request, name).encode(), signature.encode()) else ""


def bind(request: Request, response: Response, name: str) -> None:
    """Give a browser its name, for an hour from now."""
    set_cookie(request, response, f"{name}.{_signature(request, name)}", name=NAME, seconds=SECONDS)


def new_browser() -> str:
    """A name that nobody guesses."""
    return secrets.token_urlsafe(24)


def _signature(request: Request, name: str) -> str:
    key = request.app.state.service.settings.secret_key.get_secret_value().encode()
    return hmac.new(key, f"grue-upload:{name}".encode(), hashlib.sha256).hexdigest()
