"""Where a submission stands: its job and its place, and the one sentence that says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from grue.store.service.values import Job, LogLine, Progress, Submission
from leaderboard_site.numbers import count, moment, plural


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a submission stands besides its own values.

    Attributes:
        job: Its job.
        place: Its place in the queue; 0 while it runs.
        n_jobs: Jobs that wait.
        seconds: How long it will still take until it is taken; ``None`` where unknown.
        log: Lines of its job.
        by: Name of the account.
        quota: What the viewer has left, as text; empty for others.
    """

    job: Job | None
    place: int = 0
    n_jobs: int = 0
    seconds: float | None = None
    log: Sequence[LogLine] = ()
    by: str = ""
    quota: str = ""


def status_sentence(submission: Submission, standing: Standing, now: datetime) -> str:
    """The one sentence that changes."""
    status = submission.status
    progress = standing.job.progress if standing.job else None
    if submission.removed_at:
        return "Removed by the host of this board."
    if submission.withdrawn_at:
        return "Withdrawn."
    if status == "queued":
        after = f", about {about(standing.seconds)}" if standing.seconds is not None else ""
        return f"Queued, place {count(standing.place)} of {count(max(standing.n_jobs, standing.place))}{after}."
    if status == "leased":
        return "A worker has taken it and prepares."
    if status in ("generating", "scoring"):
        return _running_sentence(status, submission, progress)
    if status == "done":
        if not is_released(submission, now):
            at = f" on {moment(time_of(submission.released_at))}" if submission.released_at else " later"
            return f"Scored. The scores of this split appear{at}."
        return "Finished and on the board." if submission.is_public else "Finished. The result is private."
    if status == "cancelled":
        return "Cancelled."
    return "Stopped before the end."


def _running_sentence(status: str, submission: Submission, progress: Progress | None) -> str:
    word = status.capitalize()
    if progress is None or progress.step != status:
        return f"{word}: it begins."
    where = ""
    if progress.task in submission.tasks and len(submission.tasks) > 1:
        where = f": task {submission.tasks.index(progress.task) + 1} of {len(submission.tasks)}"
    left = f"{', ' if where else ': '}about {about(progress.seconds_left)} left" if progress.seconds_left else ""
    return f"{word}{where}{left}."


def is_released(submission: Submission, now: datetime) -> bool:
    """Whether its scores may be seen: those of a hidden split have to wait for their time."""
    if not submission.is_hidden:
        return True
    return submission.released_at is not None and time_of(submission.released_at) <= now


def about(seconds: float | None) -> str:
    """A span in the words of a guess: nobody needs it by the second."""
    if seconds is None or seconds < 45:
        return "less than a minute"
    minutes = round(seconds / 60)
    if minutes < 90:
        return plural(minutes, "minute")
    return plural(round(minutes / 60), "hour")


def time_of(text: str | None) -> datetime:
    """A time of the store."""
    return datetime.fromisoformat((text or "").replace("Z", "+00:00"))
