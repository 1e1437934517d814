"""Sign-in, invite and account pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from grue.store.service.values import OPEN, SCOPES, Invite, Submission, Token, Usage, User
from leaderboard_site.links import Page
from leaderboard_site.numbers import NONE, count, moment
from leaderboard_site.pages.frame import Frame

ROLE_WORDS = {
    "reader": "may read the board",
    "submitter": "may submit",
    "host": "may submit, and runs the board",
}
SCOPE_WORDS = {
    "read": "read what you may read",
    "submit": "submit, publish, withdraw and cancel",
    "host": "do what a host does",
}
KIND_WORDS = {"predictions": "predictions", "run": "run directory", "model": "checkpoint"}
SHOWN_SUBMISSIONS = 10
TOKEN_DAYS = ((30, "30 days"), (90, "90 days"), (365, "1 year"), (0, "no end"))
DONE = {
    "password": "Your password is changed, and every other browser is signed out.",
    "revoked": "The token is revoked. Whatever still uses it is refused.",
    "joined": "Your account is made, and you are signed in.",
}


@dataclass(frozen=True, slots=True)
class Way:
    """A way to sign in other than by password."""

    label: str
    page: Page


@dataclass(frozen=True, slots=True, kw_only=True)
class SigninView:
    """Page value of ``signin.html``.

    Attributes:
        next: Own path that signing in leads to.
        name: As it was typed before.
        problem: Why it did not work.
        ways: Identity providers.
        is_open: Whether a provider's unknown people get an account.
    """

    frame: Frame
    next: str
    name: str
    problem: str
    ways: tuple[Way, ...]
    is_open: bool


def signin_view(*, next_path: str, ways: Sequence[Way], is_open: bool, name: str = "", problem: str = "") -> SigninView:
    """The sign-in page."""
    return SigninView(
        frame=Frame(Page(kind="signin"), "Sign in", "signin", is_indexed=False),
        next=next_path,
        name=name,
        problem=problem,
        ways=tuple(ways),
        is_open=is_open,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteView:
    """Page value of ``invite.html``; ``until`` is empty where the link is no longer good."""

    frame: Frame
    secret: str
    role: str
    may: str
    until: str
    name: str
    problem: str
    ways: tuple[Way, ...]


def invite_view(
    secret: str, invite: Invite | None, ways: Sequence[Way], *, name: str = "", problem: str = ""
) -> InviteView:
    """The page behind an invite link; its address is in no link of it."""
    return InviteView(
        frame=Frame(Page(kind="signin"), "Invitation", "signin", is_indexed=False),
        secret=secret,
        role=invite.role if invite else "",
        may=ROLE_WORDS[invite.role] if invite else "",
        until=shown_time(invite.expires_at) if invite else "",
        name=name,
        problem=problem,
        ways=tuple(ways),
    )


@dataclass(frozen=True, slots=True)
class SubmissionLine:
    """A submission in a list."""

    name: str
    page: Page
    kind: str
    state: str
    visible: str
    created: str


@dataclass(frozen=True, slots=True)
class TokenLine:
    """A token in the list; ``state`` is empty while it is good."""

    token_id: str
    label: str
    scopes: str
    created: str
    expires: str
    used: str
    state: str


@dataclass(frozen=True, slots=True)
class QuotaLine:
    """What is used of a quota."""

    name: str
    used: str
    limit: str
    note: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of a form's field, and what it means."""

    value: str
    label: str
    is_chosen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """Page value of ``account.html``.

    Attributes:
        secret: The token that was just made; shown this once.
        problem: What did not work, of the last form.
        done: What did.
        next_page: Older submissions; ``None`` where all are shown.
    """

    frame: Frame
    name: str
    role: str
    may: str
    is_host: bool
    has_password: bool
    created: str
    secret: str
    problem: str
    done: str
    submissions: tuple[SubmissionLine, ...]
    next_page: Page | None
    quotas: tuple[QuotaLine, ...]
    tokens: tuple[TokenLine, ...]
    scopes: tuple[Choice, ...]
    days: tuple[Choice, ...]


def account_view(
    user: User,
    *,
    submissions: Sequence[Submission],
    next_cursor: str | None,
    usage: Usage,
    tokens: Sequence[Token],
    secret: str = "",
    problem: str = "",
    done: str = "",
) -> AccountView:
    """The page of somebody's own account."""
    scopes = SCOPES if user.role == "host" else SCOPES[:-1] if user.role == "submitter" else SCOPES[:1]
    return AccountView(
        frame=Frame(Page(kind="account"), "Account", "account", is_indexed=False),
        name=user.name,
        role=user.role,
        may=ROLE_WORDS[user.role],
        is_host=user.role == "host",
        has_password=user.has_password,
        created=shown_time(user.created_at),
        secret=secret,
        problem=problem,
        done=DONE.get(done, ""),
        submissions=tuple(submission_line(one) for one in submissions),
        next_page=Page(kind="account", query=(("cursor", next_cursor),)) if next_cursor else None,
        quotas=_quotas(usage),
        tokens=tuple(_token_line(one) for one in tokens),
        scopes=tuple(Choice(scope, SCOPE_WORDS[scope], scope != "host") for scope in scopes),
        days=tuple(Choice(str(number), words, number == 90) for number, words in TOKEN_DAYS),
    )


def submission_line(one: Submission, owner: str = "you") -> SubmissionLine:
    """A submission as a line of a list; ``owner`` is what the reader calls its owner."""
    return SubmissionLine(
        name=one.name,
        page=Page(kind="submission", submission=one.submission_id),
        kind=KIND_WORDS.get(one.kind, one.kind),
        state=one.status if not one.reason else f"{one.status}: {one.reason}",
        visible=_visible(one, owner),
        created=shown_time(one.created_at),
    )


def shown_time(text: str | None) -> str:
    """A time of the store as pages write it."""
    return moment(datetime.fromisoformat(text)) if text else NONE


def _visible(one: Submission, owner: str) -> str:
    if one.removed_at:
        return "removed by a host"
    if one.withdrawn_at:
        return "withdrawn"
    if one.status == "done" and one.is_public and one.published_at:
        return "everyone"
    return f"only {owner}; everyone when done" if one.is_public and one.status in OPEN else f"only {owner}"


def _quotas(usage: Usage) -> tuple[QuotaLine, ...]:
    until = f"counts anew at {shown_time(usage.resets_at)}"
    limits = usage.limits
    return (
        QuotaLine(
            "Scored submissions today",
            count(usage.scored),
            count(limits.scored_per_day),
            f"given back where the fault is ours; {until}",
        ),
        QuotaLine("Uploads today", count(usage.attempts), count(limits.attempts_per_day), until),
        QuotaLine("Jobs waiting now", count(usage.waiting), count(limits.jobs_waiting), "free again as they run"),
    )


def _token_line(one: Token) -> TokenLine:
    state = ""
    if one.revoked_at:
        state = "revoked"
    elif one.expires_at and datetime.fromisoformat(one.expires_at) <= datetime.now(UTC):
        state = "expired"
    return TokenLine(
        token_id=one.token_id,
        label=one.label,
        scopes=", ".join(one.scopes),
        created=shown_time(one.created_at),
        expires=shown_time(one.expires_at) if one.expires_at else "no end",
        used=shown_time(one.last_used_at) if one.last_used_at else "never",
        state=state,
    )
