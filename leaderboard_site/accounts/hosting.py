"""What the host's pages share: who asks, what it is about, and what a form says."""

from __future__ import annotations

from fastapi import Request
from starlette.exceptions import HTTPException

from grue.core.errors import UsageError
from grue.store.service import submissions, users
from grue.store.service.values import Submission, User
from leaderboard_site.accounts.forms import FormFields
from leaderboard_site.accounts.paths import is_id
from leaderboard_site.accounts.rights import require
from leaderboard_site.web.requests import service_of

PAGE_LINES = 100
_MOST_REASON = 500


def host_of(request: Request) -> User:
    """The host who asks.

    Raises:
        Refused: for everybody else.
    """
    user = require(request, "host").user
    assert user is not None  # nobody else is a host
    return user


def known_submission(request: Request, submission_id: str) -> Submission:
    """A submission of an address.

    Raises:
        HTTPException: 404 where there is none.
    """
    found = submissions.submission(service_of(request).store, submission_id) if is_id(submission_id) else None
    if found is None:
        raise HTTPException(404)
    return found


def known_user(request: Request, user_id: str) -> User:
    """An account of an address.

    Raises:
        HTTPException: 404 where there is none.
    """
    found = users.user(service_of(request).store, user_id) if is_id(user_id) else None
    if found is None:
        raise HTTPException(404)
    return found


def names(request: Request) -> dict[str, str]:
    """User id -> name, of all accounts."""
    return {one.user_id: one.name for one in users.users(service_of(request).store)}


def reason_of(form: FormFields) -> str:
    """The reason that a form gives; the store refuses an empty one.

    Raises:
        UsageError: for one that is too long.
    """
    reason = form.text("reason")
    if len(reason) > _MOST_REASON:
        raise UsageError(f"The reason has {len(reason)} characters.", f"Take at most {_MOST_REASON}.")
    return reason


def number_of(form: FormFields, name: str) -> int | None:
    """A number of a form; ``None`` where the field is empty.

    Raises:
        UsageError: for what is no number.
    """
    text = form.text(name)
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 7):
        raise UsageError(f"{text[:20]!r} is no number for {name}.", "Write digits, or nothing.")
    return int(text)


def said(error: UsageError) -> str:
    """What went wrong and what to do, in a line."""
    return f"{error.cause} {error.fix}".strip()
