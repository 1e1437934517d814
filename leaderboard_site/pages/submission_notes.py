"""What stands out on the page of a submission: published, failed, withdrawn, hidden; and what may be done about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from grue.store.service.values import Submission
from leaderboard_site.links import Page
from leaderboard_site.numbers import duration, moment
from leaderboard_site.pages.submission_status import time_of

UNDO_DAYS = 7
_OURS = ("worker-lost", "internal", "queue-timeout")


@dataclass(frozen=True, slots=True)
class Note:
    """What stands out: published, withdrawn, failed; with the one action that it offers."""

    text: str
    title: str = ""
    is_bad: bool = False
    action: str = ""
    button: str = ""
    page: Page | None = None
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What the viewer may do with it."""

    publish: bool = False
    withdraw: bool = False
    cancel: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the host's settings say of it."""

    withdrawn_days: float
    release_hours: float = 0.0
    now: datetime = field(default_factory=lambda: datetime.now(UTC))


def notes_of(submission: Submission, rights: Rights, policy: Policy) -> tuple[Note, ...]:
    """All that stands out on the page, the last word of a host or owner alone."""
    notes = []
    if submission.removed_at:
        reason = f" Reason: {submission.removed_reason}" if submission.removed_reason else ""
        return (Note(f"The host removed it on {moment(time_of(submission.removed_at))}.{reason}", is_bad=True),)
    if submission.withdrawn_at:
        if submission.texts_deleted_at:
            after = f"Its texts were deleted on {moment(time_of(submission.texts_deleted_at))}."
        else:
            due = time_of(submission.withdrawn_at) + timedelta(days=policy.withdrawn_days)
            after = f"Its texts are deleted after {moment(due)}."
        return (Note(f"Withdrawn on {moment(time_of(submission.withdrawn_at))}. {after}"),)
    if submission.status == "failed":
        notes.append(_failure(submission))
    if submission.status == "cancelled":
        back = "" if submission.is_charged else " It did not cost quota."
        notes.append(Note(f"Cancelled before it was scored.{back}", page=Page(kind="submit"), link="Submit again"))
    if submission.is_hidden and submission.status == "done":
        hours = f" and appear at most once in {duration(policy.release_hours * 3600)}" if policy.release_hours else ""
        notes.append(Note(f"Samples of this split are not shown: its labels are private. Scores are rounded{hours}."))
    if submission.status == "done" and submission.is_public and submission.published_at:
        notes.append(_published(submission, rights, policy))
    return tuple(notes)


def _failure(submission: Submission) -> Note:
    detail = submission.detail or "No reason was kept."
    reason = f" (reason {submission.reason})" if submission.reason else ""
    back = "" if submission.is_charged else " Your quota was given back."
    is_ours = submission.reason in _OURS
    title = "Something broke on our side" if is_ours else "It could not be scored"
    more = " Nothing of yours was lost: submit it again." if is_ours else ""
    return Note(
        f"{detail}{reason}.{more}{back}".replace("..", "."),
        title,
        is_bad=True,
        page=Page(kind="submit"),
        link="Submit anew",
    )


def _published(submission: Submission, rights: Rights, policy: Policy) -> Note:
    until = undo_until(submission)
    text = f"Published on {moment(time_of(submission.published_at or submission.created_at))}."
    if rights.publish and until is not None and until > policy.now:
        return Note(
            f"{text} It can be made private again until {moment(until)}.",
            action="unpublish",
            button="Undo, make it private",
        )
    return Note(text)


def undo_until(submission: Submission) -> datetime | None:
    """Until when a published result may be made private again; ``None`` where it is not published."""
    if not submission.published_at:
        return None
    return time_of(submission.published_at) + timedelta(days=UNDO_DAYS)
