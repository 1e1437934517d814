"""Sign-in, invites and the own account."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from grue.core.errors import UsageError
from grue.store.service import invites, sign_ins, submissions, tokens, users
from grue.store.service.values import User
from leaderboard_site.accounts import passwords
from leaderboard_site.accounts.forms import Form
from leaderboard_site.accounts.paths import is_id, own_path
from leaderboard_site.accounts.provider_routes import router as provider_router
from leaderboard_site.accounts.provider_routes import ways
from leaderboard_site.accounts.rates import Rates, address_key
from leaderboard_site.accounts.rights import require
from leaderboard_site.accounts.sessions import begin_session, end_session, see_other
from leaderboard_site.accounts.viewer import viewer_of
from leaderboard_site.pages.account import SHOWN_SUBMISSIONS, account_view, invite_view, signin_view
from leaderboard_site.web.requests import page, service_of

router = APIRouter(include_in_schema=False)
router.include_router(provider_router)
HOME = "/account"
DAYS = "90"
_WRONG = "Name or password is wrong."
# Asked for where there is no such account, so that the database has the same work.
_NOBODY = "0" * 26


@router.get("/signin")
def sign_in_page(request: Request, next: str = HOME) -> Response:
    """The sign-in page; whoever is signed in goes on at once."""
    if viewer_of(request).is_signed_in:
        return see_other(own_path(next, HOME))
    return _sign_in(request, own_path(next, HOME))


@router.post("/signin")
def sign_in(request: Request, form: Form) -> Response:
    """Sign in by name and password."""
    service, rates = service_of(request), _rates(request)
    path, name = own_path(form.text("next") or HOME, HOME), form.text("name")
    address = address_key(request.client.host if request.client else None)
    key = users.name_key(name[: users.MOST_LETTERS])
    rates.check("sign-in address", address)
    rates.check("sign-in name", key)
    known = users.user_by_name(service.store, name)
    kept = users.password_hash(service.store, known.user_id if known else _NOBODY)
    is_right = passwords.check_password(kept, form.raw("password"))
    if known is None or known.is_disabled or not is_right:
        rates.hit("sign-in address", address)
        rates.hit("sign-in name", key)
        return _sign_in(request, path, name=name, problem=_WRONG, status=401)
    return begin_session(request, known.user_id, path)


@router.post("/signout")
def sign_out(request: Request) -> Response:
    """Sign this browser out."""
    return end_session(request, "/")


@router.get("/invites/{secret}")
def invite_page(request: Request, secret: str) -> Response:
    """What an invite link opens."""
    return _invite(request, secret)


@router.post("/invites/{secret}")
def use_invite(request: Request, secret: str, form: Form) -> Response:
    """Make the account of an invite, with a password, and sign it in."""
    store, name = service_of(request).store, form.text("name")
    if invites.open_invite(store, secret) is None:
        return _invite(request, secret)
    try:
        made = invites.use_invite(store, secret, name, passwords.hash_password(form.raw("password")))
    except UsageError as error:
        return _invite(request, secret, name=name, problem=f"{error.cause} {error.fix}")
    return begin_session(request, made.user_id, f"{HOME}?done=joined")


@router.get(HOME)
def account(request: Request, done: str = "", cursor: str | None = None) -> Response:
    """The own account."""
    user = _self(request, "read account")
    return _account(request, user, done=done, cursor=cursor)


@router.post("/account/tokens")
def create_token(request: Request, form: Form) -> Response:
    """Make a token; the answer is the only one that ever shows it."""
    user = _self(request, "manage tokens")
    days = form.text("days") or DAYS
    try:
        if not form.text("label"):
            raise UsageError("The token has no label.", "Say where it is used.")
        if "host" in form.all("scope") and user.role != "host":
            raise UsageError("Only a host's token can be for host.", "Leave that scope out.")
        if not (days.isascii() and days.isdigit() and len(days) <= 5):
            raise UsageError(f"A token cannot hold for {days[:20]!r} days.", "Write a number, or 0 for no end.")
        secret, _ = tokens.create_token(
            service_of(request).store, user.user_id, form.text("label"), form.all("scope"), days=int(days) or None
        )
    except UsageError as error:
        return _account(request, user, problem=f"{error.cause} {error.fix}", status=422)
    return _account(request, user, secret=secret, status=201)


@router.post("/account/tokens/{token_id}/revoke")
def revoke_token(request: Request, token_id: str) -> Response:
    """Revoke one of the own tokens."""
    user = _self(request, "manage tokens")
    if not is_id(token_id):
        raise HTTPException(404)
    try:
        tokens.revoke_token(service_of(request).store, token_id, user.user_id)
    except UsageError as error:
        return _account(request, user, problem=f"{error.cause} {error.fix}", status=404)
    return see_other(f"{HOME}?done=revoked")


@router.post("/account/password")
def change_password(request: Request, form: Form) -> Response:
    """Change the own password; every other browser is signed out, and this one gets a new secret."""
    user = _self(request, "manage tokens")
    store, rates = service_of(request).store, _rates(request)
    key = users.name_key(user.name)
    rates.check("sign-in name", key)
    if not passwords.check_password(users.password_hash(store, user.user_id), form.raw("current")):
        rates.hit("sign-in name", key)
        return _account(request, user, problem="That is not the password you have now.", status=422)
    try:
        hashed = passwords.hash_password(form.raw("new"))
    except UsageError as error:
        return _account(request, user, problem=f"{error.cause} {error.fix}", status=422)
    users.set_password_hash(store, user.user_id, hashed, actor=user.user_id)
    return begin_session(request, user.user_id, f"{HOME}?done=password")


@router.post("/account/sign-out-everywhere")
def sign_out_everywhere(request: Request) -> Response:
    """Sign out every browser of the own account."""
    user = _self(request, "manage tokens")
    sign_ins.sign_out_all(service_of(request).store, user.user_id)
    return end_session(request, "/")


def _self(request: Request, action: str) -> User:
    user = require(request, action).user
    assert user is not None  # nobody else passes these two actions
    return user


def _rates(request: Request) -> Rates:
    rates: Rates = request.app.state.rates
    return rates


def _sign_in(request: Request, path: str, *, name: str = "", problem: str = "", status: int = 200) -> Response:
    is_open = service_of(request).settings.registration == "anyone"
    view = signin_view(next_path=path, ways=ways(request, next_path=path), is_open=is_open, name=name, problem=problem)
    return page(request, view, cacheable=False, status=status)


def _invite(request: Request, secret: str, *, name: str = "", problem: str = "") -> Response:
    found = invites.open_invite(service_of(request).store, secret)
    shown = invite_view(secret, found, ways(request, invite=secret), name=name, problem=problem)
    status = 404 if found is None else 422 if problem else 200
    return page(request, shown, cacheable=False, status=status)


def _account(
    request: Request,
    user: User,
    *,
    secret: str = "",
    problem: str = "",
    done: str = "",
    cursor: str | None = None,
    status: int = 200,
) -> Response:
    service = service_of(request)
    own = submissions.submissions_of(service.store, user.user_id, limit=SHOWN_SUBMISSIONS, cursor=cursor)
    view = account_view(
        user,
        submissions=own.submissions,
        next_cursor=own.next_cursor,
        usage=submissions.usage(service.store, user.user_id, service.limits),
        tokens=tokens.tokens(service.store, user.user_id),
        secret=secret,
        problem=problem,
        done=done,
    )
    return page(request, view, cacheable=False, status=status)
