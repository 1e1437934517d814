"""The queue's states: every change compares the attempt, so that only the worker that has a job now may move it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, or_, select, update

from grue.store.database import Store
from grue.store.service.clock import later, moment, stamp
from grue.store.service.finishing import finish
from grue.store.service.job_log import add_log, log, say
from grue.store.service.job_states import cancel, expire, fail, fail_for_good, fail_late, release, requeue
from grue.store.service.models import JobModel
from grue.store.service.queue import queue, status_counts, typical_seconds
from grue.store.service.rows import LOSSES_AT_ONCE, job_from, progress_text
from grue.store.service.values import RUNNING, Job, Progress
from grue.store.service.workers import seen

# A worker that is killed says nothing about its job, so that the first losses are forgiven; a job that kills each of
# its workers ends all the same.
LOSSES_FORGIVEN = 8
_STEPS = {"generating": ("leased", "generating"), "scoring": ("leased", "generating", "scoring")}

__all__ = [
    "LOSSES_FORGIVEN",
    "add_log",
    "advance",
    "cancel",
    "claim",
    "expire",
    "fail",
    "finish",
    "heartbeat",
    "job",
    "log",
    "queue",
    "release",
    "requeue",
    "seen",
    "status_counts",
    "typical_seconds",
]


def claim(
    store: Store,
    worker: str,
    lease_seconds: float,
    *,
    queue_hours: float | None = None,
    now: datetime | None = None,
) -> Job | None:
    """Take the oldest job that waits, or whose worker is no longer heard of; its attempt grows by one.

    Args:
        store: An open store.
        worker: Name of the worker.
        lease_seconds: How long the job is the worker's unless it is heard of again.
        queue_hours: Jobs that waited for longer fail first; nothing fails where nothing is said.
        now: The time to take instead of the real one.

    Returns:
        The job; ``None`` where there is nothing to do.
    """
    with store.read() as connection:
        # Workers with nothing to do ask every second: they need no turn as writers for that.
        if (
            connection.execute(select(JobModel.job_id).where(_is_free(moment(connection, now))).limit(1)).first()
            is None
        ):
            return None
    with store.change() as connection:
        time = moment(connection, now)
        if queue_hours is not None:
            fail_late(connection, time, queue_hours)
        while (row := _next(connection, time)) is not None:
            if row.status == "queued":
                return _taken(connection, row.job_id, row.attempt, row.losses, worker, time, lease_seconds)
            say(connection, row.job_id, row.attempt, time, f"Worker {row.worker} is no longer heard of.")
            if row.losses < LOSSES_FORGIVEN:
                return _taken(connection, row.job_id, row.attempt, row.losses + 1, worker, time, lease_seconds)
            lost = f"{row.losses + 1} workers were lost while they had this job."
            fail_for_good(connection, row.job_id, row.attempt, time, "worker-lost", lost, is_ours=True)
    return None


def heartbeat(
    store: Store,
    job_id: str,
    attempt: int,
    lease_seconds: float,
    progress: Progress | None = None,
    *,
    now: datetime | None = None,
) -> bool:
    """Say that the job's worker is alive, and how far it is; whether the job is still the caller's."""
    with store.change() as connection:
        values: dict[str, Any] = {"lease_until": later(moment(connection, now), lease_seconds)}
        if progress is not None:
            values["progress"] = progress_text(progress)
        return _changed(connection, job_id, attempt, RUNNING, values)


def advance(store: Store, job_id: str, attempt: int, status: str, *, now: datetime | None = None) -> bool:
    """Begin a step, ``generating`` or ``scoring``; never back. Whether the job is still the caller's."""
    with store.change() as connection:
        at = stamp(moment(connection, now))
        # A step that is told again began when it was told first.
        began = case((JobModel.status == status, JobModel.step_started_at), else_=at)
        return _changed(connection, job_id, attempt, _STEPS[status], {"status": status, "step_started_at": began})


def job(store: Store, job_id: str) -> Job | None:
    """A job by its id."""
    with store.read() as connection:
        row = connection.execute(select(JobModel.__table__).where(JobModel.job_id == job_id)).mappings().first()
    return None if row is None else job_from(row)


def _is_free(time: datetime) -> ColumnElement[bool]:
    is_lost = and_(JobModel.status.in_(RUNNING), JobModel.lease_until <= stamp(time))
    return or_(JobModel.status == "queued", is_lost)


def _next(connection: Connection, time: datetime) -> Any:
    columns = (JobModel.job_id, JobModel.status, JobModel.attempt, JobModel.worker, JobModel.losses)
    order = (JobModel.losses > LOSSES_AT_ONCE, JobModel.queued_at, JobModel.job_id)
    query = select(*columns).where(_is_free(time)).order_by(*order).limit(1)
    # PostgreSQL passes over jobs that another worker takes at this moment; in SQLite there is no other writer.
    return connection.execute(query.with_for_update(skip_locked=True)).first()


def _taken(
    connection: Connection, job_id: str, attempt: int, losses: int, worker: str, time: datetime, lease_seconds: float
) -> Job:
    values = {
        "status": "leased",
        "attempt": attempt + 1,
        "worker": worker,
        "lease_until": later(time, lease_seconds),
        "started_at": stamp(time),
        "step_started_at": None,
        "losses": losses,
    }
    connection.execute(update(JobModel).where(JobModel.job_id == job_id).values(values))
    say(connection, job_id, attempt + 1, time, f"Taken by worker {worker}.")
    row = connection.execute(select(JobModel.__table__).where(JobModel.job_id == job_id)).mappings().one()
    return job_from(row)


def _changed(
    connection: Connection, job_id: str, attempt: int, statuses: tuple[str, ...], values: dict[str, Any]
) -> bool:
    own = (JobModel.job_id == job_id, JobModel.attempt == attempt, JobModel.status.in_(statuses))
    return connection.execute(update(JobModel).where(*own).values(values)).rowcount == 1
