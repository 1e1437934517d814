"""Guards around every answer: headers for browsers, no posts from other sites, rates by address.

Plain ASGI, since each of them sees every request.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from grue.submissions.settings import ServiceSettings
from leaderboard_site.accounts import passwords
from leaderboard_site.accounts.providers import Directory
from leaderboard_site.accounts.rates import Rates, address_key, counted_as
from leaderboard_site.accounts.refusals import add_refusals
from leaderboard_site.accounts.viewer import brings_token
from leaderboard_site.web.errors import problem

POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_NOT_NEEDED: Final = (
    "accelerometer", "autoplay", "browsing-topics", "camera", "display-capture", "encrypted-media", "fullscreen",
    "geolocation", "gyroscope", "hid", "identity-credentials-get", "idle-detection", "magnetometer", "microphone",
    "midi", "payment", "picture-in-picture", "publickey-credentials-get", "screen-wake-lock", "serial", "usb",
    "xr-spatial-tracking",
)  # fmt: skip
HEADERS: Final = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    # Not "no-referrer": with it browsers send "Origin: null" even to the page's own site.
    (b"referrer-policy", b"same-origin"),
    (b"permissions-policy", ", ".join(f"{name}=()" for name in _NOT_NEEDED).encode()),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
)
# A year; only this host, since a board does not decide for its sisters.
HSTS: Final = (b"strict-transport-security", b"max-age=31536000")


class SecurityHeaders:
    """Adds the headers to every answer, errors of the app included."""

    def __init__(self, app: ASGIApp, *, is_secure: bool) -> None:
        self._app = app
        self._is_secure = is_secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and its answer back, headers added."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        added = (*HEADERS, HSTS) if self._is_secure or scope["scheme"] == "https" else HEADERS

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                kept = list(message["headers"])
                kept += [(name, value) for name, value in added if name not in present]
                message = {**message, "headers": kept}
            await send(message)

        await self._app(scope, receive, send_with_headers)


class Guard:
    """Turns away what no database takes, what another site's page sent, and an address that asks too often.

    Args:
        app: What is behind the guard.
        base_url: Address that people reach the board by; empty for that of the request.
        rates: The limits.
    """

    def __init__(self, app: ASGIApp, *, base_url: str, rates: Rates) -> None:
        self._app = app
        self._base_url = base_url
        self._rates = rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with a problem document."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if "\x00" in scope["path"] or b"%00" in scope["query_string"]:
            # No id or word has one, and PostgreSQL refuses it even in a question.
            await problem(400, "", "The address holds a null character.")(scope, receive, send)
            return
        counted = counted_as(scope["method"], scope["path"])
        if counted is None:
            await self._app(scope, receive, send)
            return
        if counted == "post" and is_foreign(scope, self._base_url):
            detail = "A page of another site sent this. Open the board itself and do it there."
            await problem(403, "Sent from another site", detail)(scope, receive, send)
            return
        client = scope.get("client")
        key = address_key(client[0] if client else None)
        if seconds := self._rates.wait_seconds(counted, key):
            detail = f"Too many requests from your address. Try again in {seconds} s."
            headers = {"Retry-After": str(seconds)}
            await problem(429, "Too many requests", detail, headers=headers)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def is_foreign(scope: Scope, base_url: str) -> bool:
    """Whether a browser says that a page of another site sent the request.

    Every browser that keeps a ``SameSite`` cookie sends ``Origin`` with a post. A request with neither header comes
    from a program; one with a token carries a secret that no page of another site has.
    """
    headers = Headers(scope=scope)
    if brings_token(headers):
        return False
    fetch_site = headers.get("sec-fetch-site")
    if fetch_site is not None:
        return fetch_site not in ("same-origin", "none")
    origin = headers.get("origin")
    if origin is None:
        return False
    own = urlsplit(base_url).netloc if base_url else headers.get("host", "")
    try:
        parts = urlsplit(origin)
    except ValueError:
        return True
    is_scheme = parts.scheme == urlsplit(base_url).scheme if base_url else parts.scheme in ("http", "https")
    return not (is_scheme and parts.netloc.lower() == own.lower())


def secure(app: FastAPI, settings: ServiceSettings) -> None:
    """Put the guards around an app; call it after every other middleware was added.

    Addresses are those in front of the proxies for all of them, and every answer of theirs gets the headers; the
    guard itself is innermost, so that what it turns away is logged, numbered and cheap.
    """
    rates = Rates(
        posts_per_minute=settings.posts_per_minute,
        api_per_minute=settings.api_per_minute,
        sign_in_failures=settings.sign_in_failures,
    )
    app.state.rates = rates
    app.state.directory = Directory()
    add_refusals(app)
    passwords.prepare()
    app.user_middleware.append(Middleware(Guard, base_url=settings.base_url, rates=rates))
    app.add_middleware(SecurityHeaders, is_secure=settings.is_secure)
    if settings.proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(settings.proxies))
