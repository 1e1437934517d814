"""What a viewer may do: one table of actions, one question, asked by every route."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request

from grue.store.service.values import Submission
from leaderboard_site.accounts.rates import Rates, counted_as
from leaderboard_site.accounts.viewer import ANONYMOUS, Viewer, viewer_of

ORDER: Final = (ANONYMOUS, "reader", "submitter", "host")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunThing:
    """A run as rights see it; the thing of ``read run`` and ``read samples``.

    Attributes:
        run_id: The run.
        submission: The submission that it came from; ``None`` for a run that a host put there.
        is_hidden: Whether no public page shows it (``hidden_run_ids`` of the store).
    """

    run_id: str
    submission: Submission | None
    is_hidden: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Who may do one action.

    Attributes:
        role: The least role.
        scope: What an API token must be good for; ``None`` where no token will do.
        thing: A further condition on the thing, asked of everybody; ``None`` where there is none.
        is_secret: Whether to a viewer who may not, the thing does not exist.
    """

    role: str
    scope: str | None
    thing: Callable[[Viewer, Any], bool] | None = None
    is_secret: bool = False


class Refused(HTTPException):
    """The viewer may not do that: 401 where signing in could help, 403 where not, 404 for a thing kept from them."""


def _is_owner(viewer: Viewer, submission: Submission | None) -> bool:
    return submission is not None and viewer.user is not None and submission.user_id == viewer.user.user_id


def _owner_or_host(viewer: Viewer, submission: Submission | None) -> bool:
    return _is_owner(viewer, submission) or _is_host(viewer)


def _is_host(viewer: Viewer) -> bool:
    return viewer.role == "host" and (viewer.token is None or "host" in viewer.token.scopes)


def _may_use_own(viewer: Viewer) -> bool:
    # Whoever may submit may see what comes of it.
    return viewer.role != ANONYMOUS and (viewer.token is None or bool({"read", "submit"} & {*viewer.token.scopes}))


def _is_public(submission: Submission) -> bool:
    gone = submission.withdrawn_at or submission.removed_at
    is_out = submission.released_at is not None and datetime.fromisoformat(submission.released_at) <= datetime.now(UTC)
    return submission.is_public and submission.status == "done" and is_out and not gone


def _may_read_submission(viewer: Viewer, submission: Submission) -> bool:
    own = _is_owner(viewer, submission) and _may_use_own(viewer)
    return own or _is_host(viewer) or _is_public(submission)


def _may_read_run(viewer: Viewer, run: RunThing) -> bool:
    if not run.is_hidden or _is_host(viewer):
        return True
    is_own = run.submission is not None and _is_owner(viewer, run.submission) and _may_use_own(viewer)
    return is_own and run.submission is not None and run.submission.removed_at is None


def _may_read_samples(viewer: Viewer, run: RunThing) -> bool:
    # Texts and scores of single rows of a hidden split are for nobody, hosts included.
    return not (run.submission is not None and run.submission.is_hidden) and _may_read_run(viewer, run)


def _is_self(viewer: Viewer, user: Any) -> bool:
    return viewer.user is not None and (user is None or user.user_id == viewer.user.user_id)


# Action -> rule. A token needs its scope besides the account's role, so it never may more than its owner.
RULES: Mapping[str, Rule] = {
    "read board": Rule(role=ANONYMOUS, scope="read"),
    "read run": Rule(role=ANONYMOUS, scope="read", thing=_may_read_run, is_secret=True),
    "read samples": Rule(role=ANONYMOUS, scope="read", thing=_may_read_samples, is_secret=True),
    "read queue": Rule(role=ANONYMOUS, scope="read"),
    "validate": Rule(role=ANONYMOUS, scope="submit"),
    "read submission": Rule(role=ANONYMOUS, scope="read", thing=_may_read_submission),
    "submit": Rule(role="submitter", scope="submit"),
    "publish": Rule(role="reader", scope="submit", thing=_is_owner),
    "withdraw": Rule(role="reader", scope="submit", thing=_is_owner),
    "cancel": Rule(role="reader", scope="submit", thing=_owner_or_host),
    "read account": Rule(role="reader", scope="read", thing=_is_self),
    "manage tokens": Rule(role="reader", scope=None, thing=_is_self),
    "host": Rule(role="host", scope="host"),
}


def can(viewer: Viewer, action: str, thing: object | None = None) -> bool:
    """Whether the viewer may do an action, on a thing where the action has one.

    Args:
        viewer: Who asks.
        action: A key of ``RULES``.
        thing: ``Submission`` for an action on one, ``RunThing`` for ``read run`` and ``read samples``, ``User`` or
            nothing for those of an account.

    Raises:
        KeyError: for an action that is in no table.
    """
    rule = RULES[action]
    if ORDER.index(viewer.role) < ORDER.index(rule.role) or not _token_will_do(viewer, rule):
        return False
    return rule.thing is None or rule.thing(viewer, thing)


def _token_will_do(viewer: Viewer, rule: Rule) -> bool:
    if viewer.token is None:
        return True
    # What anybody may do needs no scope.
    return rule.role == ANONYMOUS or (rule.scope is not None and rule.scope in viewer.token.scopes)


def _count(request: Request, viewer: Viewer) -> None:
    """Hold an account to its rate, once a request, from however many addresses it comes."""
    counted = counted_as(request.method, request.url.path)
    if counted is None or viewer.user is None or getattr(request.state, "is_counted", False):
        return
    request.state.is_counted = True
    rates: Rates = request.app.state.rates
    rates.hit(counted, f"account {viewer.user.user_id}")


def require(request: Request, action: str, thing: object | None = None) -> Viewer:
    """The viewer, who may do that.

    Raises:
        Refused: where they may not; the app answers with a problem document, or leads a browser to the sign-in page.
        TooManyRequests: where the account asks too often.
    """
    viewer = viewer_of(request)
    if viewer.has_bad_token:
        raise Refused(401, "The token is unknown, revoked or has expired.", {"WWW-Authenticate": "Bearer"})
    if can(viewer, action, thing):
        _count(request, viewer)
        return viewer
    rule = RULES[action]
    if rule.is_secret:
        raise Refused(404, "There is nothing here, or it is not public.")
    if viewer.role == ANONYMOUS:
        raise Refused(401, "Sign in first, or send a token.", {"WWW-Authenticate": "Bearer"})
    if viewer.token is not None and not _token_will_do(viewer, rule):
        need = f"a token with the scope {rule.scope}" if rule.scope else "a browser: no token will do"
        raise Refused(403, f"This takes {need}.")
    raise Refused(403, f"Your account may not do that: {action}.")
