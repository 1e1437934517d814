"""A host's page of all accounts: roles, quotas, disabling, and invites."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from grue.core.errors import UsageError
from grue.store.service import invites, users
from grue.store.service.values import User
from leaderboard_site.accounts.forms import Form
from leaderboard_site.accounts.hosting import host_of, known_user, number_of, said
from leaderboard_site.accounts.sessions import see_other
from leaderboard_site.pages.host_users import host_users_view
from leaderboard_site.web.requests import page, service_of

router = APIRouter(include_in_schema=False, prefix="/host")
_HERE = "/host/users"


@router.get("/users")
def all_users(request: Request, done: str = "") -> Response:
    """All accounts."""
    return _page(request, host_of(request), done=done)


@router.post("/users/{user_id}/role")
def set_role(request: Request, user_id: str, form: Form) -> Response:
    """Let an account do more or less."""
    host, found = host_of(request), known_user(request, user_id)
    try:
        _check_other(host, found)
        users.set_role(service_of(request).store, found.user_id, form.text("role"), actor=host.user_id)
    except UsageError as error:
        return _page(request, host, problem=said(error), status=422)
    return see_other(f"{_HERE}?done=role")


@router.post("/users/{user_id}/disable")
def disable(request: Request, user_id: str) -> Response:
    """Disable an account, which ends its sign-ins and tokens."""
    host, found = host_of(request), known_user(request, user_id)
    try:
        _check_other(host, found)
    except UsageError as error:
        return _page(request, host, problem=said(error), status=422)
    users.set_disabled(service_of(request).store, found.user_id, True, actor=host.user_id)
    return see_other(f"{_HERE}?done=disabled")


@router.post("/users/{user_id}/enable")
def enable(request: Request, user_id: str) -> Response:
    """Enable an account again."""
    host, found = host_of(request), known_user(request, user_id)
    users.set_disabled(service_of(request).store, found.user_id, False, actor=host.user_id)
    return see_other(f"{_HERE}?done=enabled")


@router.post("/users/{user_id}/quota")
def set_quota(request: Request, user_id: str, form: Form) -> Response:
    """Give an account quotas of its own."""
    host, found = host_of(request), known_user(request, user_id)
    try:
        scored, attempts = number_of(form, "scored"), number_of(form, "attempts")
        users.set_quota(service_of(request).store, found.user_id, scored, attempts, actor=host.user_id)
    except UsageError as error:
        return _page(request, host, problem=said(error), status=422)
    return see_other(f"{_HERE}?done=quota")


@router.post("/invites")
def invite(request: Request, form: Form) -> Response:
    """Make an invite link; the answer is the only one that ever shows it."""
    host, service = host_of(request), service_of(request)
    try:
        raw, _ = invites.invite(service.store, host.user_id, form.text("role"), number_of(form, "days") or 0)
    except UsageError as error:
        return _page(request, host, problem=said(error), status=422)
    base = service.settings.base_url or str(request.base_url).rstrip("/")
    return _page(request, host, link=f"{base}/invites/{raw}", status=201)


def _check_other(host: User, found: User) -> None:
    # The last host would lock everybody out.
    if host.user_id == found.user_id:
        raise UsageError("A host does not do that to the own account.", "Let another host do it, or 'grue admin'.")


def _page(
    request: Request, host: User, *, link: str = "", done: str = "", problem: str = "", status: int = 200
) -> Response:
    service = service_of(request)
    view = host_users_view(
        users.users(service.store),
        host.user_id,
        scored_per_day=service.limits.scored_per_day,
        attempts_per_day=service.limits.attempts_per_day,
        link=link,
        done=done,
        problem=problem,
    )
    return page(request, view, cacheable=False, status=status)
