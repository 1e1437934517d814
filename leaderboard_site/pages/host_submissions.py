"""The host's page of all submissions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grue.store.service.values import ENDED, Submission, SubmissionPage
from leaderboard_site.links import Page
from leaderboard_site.pages.account import SubmissionLine, submission_line
from leaderboard_site.pages.frame import Frame, Tab
from leaderboard_site.pages.host import DONE, host_frame, host_tabs, older


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSubmissionLine:
    """A submission with what a host may do to it."""

    line: SubmissionLine
    submission_id: str
    owner: str
    run: Page | None
    run_id: str
    is_removed: bool
    removed: str
    may_requeue: bool
    may_cancel: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HostsubmissionsView:
    """Page value of ``hostsubmissions.html``."""

    frame: Frame
    tabs: tuple[Tab, ...]
    done: str
    problem: str
    submissions: tuple[HostSubmissionLine, ...]
    next_page: Page | None


def host_submissions_view(
    found: SubmissionPage, names: Mapping[str, str], *, done: str = "", problem: str = ""
) -> HostsubmissionsView:
    """All submissions, newest first.

    Args:
        found: Those of this page.
        names: User id -> name.
        done: Key of what was just done.
        problem: What did not work.
    """
    return HostsubmissionsView(
        frame=host_frame("submissions", "Submissions, host"),
        tabs=host_tabs("submissions"),
        done=DONE.get(done, ""),
        problem=problem,
        submissions=tuple(_submission_line(one, names) for one in found.submissions),
        next_page=older("submissions", found.next_cursor),
    )


def _submission_line(one: Submission, names: Mapping[str, str]) -> HostSubmissionLine:
    stands = not (one.removed_at or one.withdrawn_at)
    return HostSubmissionLine(
        line=submission_line(one, "the owner"),
        submission_id=one.submission_id,
        owner=names.get(one.user_id, one.user_id),
        run=Page(kind="run", run=one.run_id) if one.run_id else None,
        run_id=one.run_id or "",
        is_removed=one.removed_at is not None,
        removed=one.removed_reason or "",
        may_requeue=stands and one.status not in ("queued", "done"),
        may_cancel=one.status not in ENDED,
    )
