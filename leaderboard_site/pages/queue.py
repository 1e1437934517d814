"""The queue: who works, what waits and in which order. Names of private submissions are for their owners alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from grue.store.service.values import Queue, Queued, Submission
from leaderboard_site.links import Page
from leaderboard_site.numbers import count, duration, plural
from leaderboard_site.pages.frame import Frame
from leaderboard_site.pages.submission import KIND_WORDS
from leaderboard_site.pages.submission_status import about

REFRESH_SECONDS = 30
_AWAY_SECONDS = 90.0
_STATUS = {"queued": "waits", "leased": "prepares", "generating": "generates", "scoring": "is scored"}


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """A worker and what it does."""

    name: str
    doing: str
    seen: str


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job; ``page`` leads to its submission where the viewer may read it."""

    place: str
    name: str
    page: Page | None
    is_own: bool
    kind: str
    status: str
    progress: str
    waiting: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueView:
    """Page value of ``queue.html``."""

    frame: Frame
    lead: str
    workers: tuple[WorkerRow, ...]
    jobs: tuple[JobRow, ...]


def queue_view(
    queue: Queue,
    may_read: Callable[[Submission], bool],
    is_own: Callable[[Submission], bool],
    now: datetime,
) -> QueueView:
    """The page.

    Args:
        queue: Workers and jobs.
        may_read: Whether the viewer may read a submission.
        is_own: Whether it is the viewer's.
        now: The time.
    """
    names = {one.job.job_id: _name(one.submission, may_read) for one in queue.jobs}
    running = sum(not one.place for one in queue.jobs)
    return QueueView(
        frame=Frame(
            Page(kind="queue"),
            "Queue",
            "queue",
            Page(kind="json", name="queue"),
            refresh_seconds=REFRESH_SECONDS if queue.jobs else 0,
            is_indexed=False,
        ),
        lead=_lead(queue, running, now),
        workers=tuple(
            WorkerRow(one.name, _doing(one.doing, names), _seen(one.last_seen, now)) for one in queue.workers
        ),
        jobs=tuple(_job(one, may_read, is_own) for one in queue.jobs),
    )


def _lead(queue: Queue, running: int, now: datetime) -> str:
    waiting = len(queue.jobs) - running
    awake = [one for one in queue.workers if _seconds(one.last_seen, now) <= _AWAY_SECONDS]
    jobs = f"{plural(running, 'job')} at work, {count(waiting)} waiting."
    if not queue.jobs:
        jobs = "Nothing waits."
    if not awake:
        why = "No worker has been heard of: what is submitted waits until one starts."
        return f"{jobs} {why}"
    return f"{jobs} {plural(len(awake), 'worker')}."


def _job(one: Queued, may_read: Callable[[Submission], bool], is_own: Callable[[Submission], bool]) -> JobRow:
    submission, readable = one.submission, may_read(one.submission)
    progress = one.job.progress
    shown = ""
    if progress is not None and progress.rows_total and progress.step == one.job.status:
        shown = f"{count(progress.rows_done)} of {count(progress.rows_total)} rows"
    return JobRow(
        place=count(one.place) if one.place else "",
        name=_name(submission, may_read),
        page=Page(kind="submission", submission=submission.submission_id) if readable else None,
        is_own=is_own(submission),
        kind=KIND_WORDS[submission.kind],
        status=_STATUS.get(one.job.status, one.job.status),
        progress=shown,
        waiting=about(one.waiting_seconds),
    )


def _name(submission: Submission, may_read: Callable[[Submission], bool]) -> str:
    """The name, where its owner lets everybody see it or the viewer may; else nothing."""
    return submission.name if submission.is_public or may_read(submission) else ""


def _doing(job_id: str | None, names: dict[str, str]) -> str:
    if job_id is None:
        return "waits for work"
    name = names.get(job_id)
    return f"works on {name}" if name else "works on a private submission" if name is not None else "at work"


def _seen(text: str, now: datetime) -> str:
    seconds = _seconds(text, now)
    return "now" if seconds < 15 else f"{duration(seconds)} ago"


def _seconds(text: str, now: datetime) -> float:
    return max(0.0, (now - datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)).total_seconds())
