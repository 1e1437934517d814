"""The host's overview and audit log, and what the host's pages share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grue.store.service.values import AuditPage
from leaderboard_site.links import Page
from leaderboard_site.numbers import count
from leaderboard_site.pages.account import shown_time
from leaderboard_site.pages.frame import Frame, Tab

TABS = (("", "Overview"), ("submissions", "Submissions"), ("users", "Accounts"), ("audit", "Audit log"))
DONE = {
    "hidden": "The run is hidden from every public page.",
    "shown": "The run is shown again.",
    "closed": "The task takes no submissions any longer. Those that wait are scored.",
    "opened": "The task takes submissions again.",
    "removed": "The submission is removed. Its owner reads the reason.",
    "restored": "The submission is back.",
    "requeued": "The submission is queued again.",
    "cancelled": "The job is cancelled.",
    "role": "The role is set.",
    "quota": "The quotas are set.",
    "disabled": "The account is disabled: its sign-ins and tokens have ended.",
    "enabled": "The account is enabled. Its tokens stay revoked.",
}


@dataclass(frozen=True, slots=True)
class CountLine:
    """How many submissions are in a state."""

    state: str
    number: str


@dataclass(frozen=True, slots=True)
class HiddenLine:
    """A run that a host has hidden."""

    run_id: str
    page: Page
    reason: str


@dataclass(frozen=True, slots=True)
class TaskLine:
    """A task, open for submissions or closed."""

    name: str
    page: Page
    is_closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HostView:
    """Page value of ``host.html``."""

    frame: Frame
    tabs: tuple[Tab, ...]
    done: str
    problem: str
    counts: tuple[CountLine, ...]
    hidden: tuple[HiddenLine, ...]
    tasks: tuple[TaskLine, ...]
    run_id: str
    reason: str


def host_view(
    *,
    counts: Mapping[str, int],
    hidden: Mapping[str, str],
    tasks: Sequence[str],
    closed: frozenset[str],
    done: str = "",
    problem: str = "",
    run_id: str = "",
    reason: str = "",
) -> HostView:
    """The overview.

    Args:
        counts: State -> number of submissions.
        hidden: Run id -> reason.
        tasks: Tasks that submissions may answer.
        closed: Those that take none.
        done: Key of what was just done.
        problem: What did not work.
        run_id: Of the form that did not work.
        reason: The same.
    """
    return HostView(
        frame=host_frame("", "Host"),
        tabs=host_tabs(""),
        done=DONE.get(done, ""),
        problem=problem,
        counts=tuple(CountLine(state, count(number)) for state, number in counts.items()),
        hidden=tuple(HiddenLine(one, Page(kind="run", run=one), reason) for one, reason in hidden.items()),
        tasks=tuple(TaskLine(one, Page(kind="task", task=one), one in closed) for one in tasks),
        run_id=run_id,
        reason=reason,
    )


@dataclass(frozen=True, slots=True)
class AuditLineShown:
    """A line of the audit log."""

    at: str
    actor: str
    action: str
    thing: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostauditView:
    """Page value of ``hostaudit.html``."""

    frame: Frame
    tabs: tuple[Tab, ...]
    lines: tuple[AuditLineShown, ...]
    next_page: Page | None


def host_audit_view(found: AuditPage, names: Mapping[str, str]) -> HostauditView:
    """Who did what, newest first.

    Args:
        found: Lines of this page.
        names: User id -> name.
    """
    return HostauditView(
        frame=host_frame("audit", "Audit log, host"),
        tabs=host_tabs("audit"),
        lines=tuple(
            AuditLineShown(
                shown_time(one.at),
                names.get(one.actor, one.actor),
                one.action,
                names.get(one.thing, one.thing),
                one.detail,
            )
            for one in found.lines
        ),
        next_page=older("audit", found.next_cursor),
    )


def host_frame(name: str, title: str) -> Frame:
    """Frame of one of the host's pages."""
    return Frame(Page(kind="host", name=name), title, "account", is_indexed=False)


def host_tabs(current: str) -> tuple[Tab, ...]:
    """Links between the host's pages."""
    account = Tab("Your account", Page(kind="account"), False)
    return account, *(Tab(label, Page(kind="host", name=name), name == current) for name, label in TABS)


def older(name: str, cursor: str | None) -> Page | None:
    """The page that follows one of these."""
    return Page(kind="host", name=name, query=(("cursor", cursor),)) if cursor else None
