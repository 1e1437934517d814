"""The host's page of all accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grue.store.service.values import ROLES, User
from leaderboard_site.numbers import count
from leaderboard_site.pages.account import ROLE_WORDS, Choice, shown_time
from leaderboard_site.pages.frame import Frame, Tab
from leaderboard_site.pages.host import DONE, host_frame, host_tabs

INVITE_DAYS = ((1, "1 day"), (7, "7 days"), (30, "30 days"))


@dataclass(frozen=True, slots=True, kw_only=True)
class UserLine:
    """An account in the list; quotas are empty where those of the settings hold."""

    user_id: str
    name: str
    created: str
    roles: tuple[Choice, ...]
    role: str
    by: str
    scored: str
    attempts: str
    is_disabled: bool
    is_self: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HostusersView:
    """Page value of ``hostusers.html``; ``link`` is a new invite, shown this once."""

    frame: Frame
    tabs: tuple[Tab, ...]
    done: str
    problem: str
    link: str
    users: tuple[UserLine, ...]
    scored: str
    attempts: str
    roles: tuple[Choice, ...]
    days: tuple[Choice, ...]


def host_users_view(
    users: Sequence[User],
    self_id: str,
    *,
    scored_per_day: int,
    attempts_per_day: int,
    link: str = "",
    done: str = "",
    problem: str = "",
) -> HostusersView:
    """All accounts, and a form for a new one.

    Args:
        users: All accounts.
        self_id: Who looks at the page.
        scored_per_day: The settings' quota.
        attempts_per_day: The settings' quota.
        link: An invite that was just made.
        done: Key of what was just done.
        problem: What did not work.
    """
    return HostusersView(
        frame=host_frame("users", "Accounts, host"),
        tabs=host_tabs("users"),
        done=DONE.get(done, ""),
        problem=problem,
        link=link,
        users=tuple(_user_line(one, self_id) for one in users),
        scored=count(scored_per_day),
        attempts=count(attempts_per_day),
        roles=tuple(Choice(role, f"{role}: {ROLE_WORDS[role]}", role == "submitter") for role in ROLES),
        days=tuple(Choice(str(number), words, number == 7) for number, words in INVITE_DAYS),
    )


def _user_line(one: User, self_id: str) -> UserLine:
    return UserLine(
        user_id=one.user_id,
        name=one.name,
        created=shown_time(one.created_at),
        roles=tuple(Choice(role, role, role == one.role) for role in ROLES),
        role=one.role,
        by="password" if one.has_password else "provider or token",
        scored="" if one.scored_per_day is None else str(one.scored_per_day),
        attempts="" if one.attempts_per_day is None else str(one.attempts_per_day),
        is_disabled=one.is_disabled,
        is_self=one.user_id == self_id,
    )
