"""To an identity provider and back."""

from __future__ import annotations

import structlog
from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from grue.core.errors import UsageError
from grue.store.service import invites, users
from grue.store.service.values import User
from leaderboard_site.accounts.cookies import cookie_name, drop_cookie, set_cookie
from leaderboard_site.accounts.departures import COOKIE, SECONDS, packed, unpacked
from leaderboard_site.accounts.oidc import Identity, authorization_address, depart, identity_of
from leaderboard_site.accounts.paths import own_path
from leaderboard_site.accounts.providers import Directory, Provider, ProviderError, providers
from leaderboard_site.accounts.sessions import begin_session
from leaderboard_site.links import Page
from leaderboard_site.pages.account import Way, signin_view
from leaderboard_site.web.requests import page, service_of

router = APIRouter(include_in_schema=False)
HOME = "/account"
_log = structlog.get_logger("grue.accounts")


def ways(request: Request, *, next_path: str = HOME, invite: str = "") -> tuple[Way, ...]:
    """Links to the providers of the settings.

    Args:
        request: What is answered.
        next_path: Own path that signing in leads to.
        invite: Secret of an invite that an unknown person comes with.
    """
    state = (("next", next_path), *((("invite", invite),) if invite else ()))
    found = providers(service_of(request).settings)
    return tuple(Way(one.label, Page(kind="signin", name=f"with/{one.key}", query=state)) for one in found)


@router.get("/signin/with/{key}")
def leave(request: Request, key: str, next: str = HOME, invite: str = "") -> Response:
    """Send the browser to a provider, with the secrets of this sign-in in a cookie."""
    provider = _provider(request, key)
    departure = depart(provider, next_path=own_path(next, HOME), invite=invite)
    try:
        address = authorization_address(_directory(request), provider, departure, _callback(request, key))
    except ProviderError as error:
        return _failed(request, departure.next, error, 503)
    response = RedirectResponse(address, 303, {"Cache-Control": "no-store"})
    secret = service_of(request).settings.secret_key
    set_cookie(request, response, packed(departure, secret), name=COOKIE, seconds=SECONDS)
    return response


@router.get("/signin/with/{key}/callback")
def come_back(request: Request, key: str) -> Response:
    """Sign in whom the provider sends back; the cookie of the departure is good for one return."""
    service, provider = service_of(request), _provider(request, key)
    departure = unpacked(request.cookies.get(cookie_name(request, COOKIE), ""), service.settings.secret_key)
    if departure is None or departure.provider != key:
        missing = ProviderError("This sign-in took more than ten minutes, or began in another browser.", "Begin again.")
        return _failed(request, HOME, missing, 400)
    path = own_path(departure.next, HOME)
    try:
        callback = _callback(request, key)
        identity = identity_of(_directory(request), provider, departure, callback, dict(request.query_params))
        user = _account_of(request, identity, departure.invite)
    except (ProviderError, UsageError) as error:
        response = _failed(request, path, error, 403)
    else:
        response = begin_session(request, user.user_id, path)
    drop_cookie(request, response, name=COOKIE)
    return response


def _account_of(request: Request, identity: Identity, invite: str) -> User:
    service = service_of(request)
    known = users.user_of_identity(service.store, identity.issuer, identity.subject)
    if known is not None and known.is_disabled:
        raise UsageError("This account is disabled.", "Ask a host of the board.")
    if known is not None:
        return known
    name = identity.name or "user"
    if invite and invites.open_invite(service.store, invite) is not None:
        who = (identity.issuer, identity.subject)
        return invites.use_invite(service.store, invite, name, None, identity=who)
    if service.settings.registration == "anyone":
        return users.create_with_identity(service.store, name, "submitter", identity.issuer, identity.subject)
    raise UsageError("There is no account for you here yet.", "Ask a host of the board for an invite link.")


def _failed(request: Request, path: str, error: ProviderError | UsageError, status: int) -> Response:
    _log.warning("sign-in by a provider failed", cause=error.cause)
    is_open = service_of(request).settings.registration == "anyone"
    links = ways(request, next_path=path)
    view = signin_view(next_path=path, ways=links, is_open=is_open, problem=f"{error.cause} {error.fix}".strip())
    return page(request, view, cacheable=False, status=status)


def _provider(request: Request, key: str) -> Provider:
    for one in providers(service_of(request).settings):
        if one.key == key:
            return one
    raise HTTPException(404)


def _directory(request: Request) -> Directory:
    directory: Directory = request.app.state.directory
    return directory


def _callback(request: Request, key: str) -> str:
    base = service_of(request).settings.base_url or str(request.base_url).rstrip("/")
    return f"{base}/signin/with/{key}/callback"
