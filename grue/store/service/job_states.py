"""How a job leaves a worker's hands, other than by its result."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from grue.core.errors import UsageError
from grue.store.database import Store
from grue.store.service.audit import write_line
from grue.store.service.changing import cancel_job, check_stands, locked_submission
from grue.store.service.clock import later, moment, stamp
from grue.store.service.job_log import say
from grue.store.service.models import JobModel
from grue.store.service.quotas import give_back
from grue.store.service.values import RUNNING

# A fault of ours is tried again once.
_MOST_FAULTS = 2
_LATE_AT_ONCE = 100
_HOUR = 3600
_WAITS: dict[str, Any] = {"status": "queued", "worker": None, "lease_until": None, "step_started_at": None}


def fail(
    store: Store,
    job_id: str,
    attempt: int,
    reason: str,
    detail: str,
    *,
    is_ours: bool,
    now: datetime | None = None,
) -> bool:
    """End an attempt without a result.

    Args:
        store: An open store.
        job_id: The job.
        attempt: The caller's.
        reason: A word with dashes.
        detail: What went wrong and what to do, for the submitter.
        is_ours: Whether it is a fault of ours: tried again once, then failed with the quota given back. One of the
            submitter's is final at once.
        now: The time to take instead of the real one.

    Returns:
        Whether the job was still the caller's.
    """
    with store.change() as connection:
        row = _own(connection, job_id, attempt)
        if row is None:
            return False
        time = moment(connection, now)
        if is_ours and row.faults + 1 < _MOST_FAULTS:
            values = {**_WAITS, "faults": row.faults + 1, "queued_at": stamp(time), "progress": None}
            connection.execute(update(JobModel).where(JobModel.job_id == job_id).values(values))
            say(connection, job_id, attempt, time, f"A fault of ours ({reason}): {detail} It is tried again.")
        else:
            fail_for_good(connection, job_id, attempt, time, reason, detail, is_ours=is_ours)
    return True


def release(store: Store, job_id: str, attempt: int, *, now: datetime | None = None) -> bool:
    """Give a job back to the queue, at its old place, as its worker stops; whether it was still the caller's."""
    with store.change() as connection:
        row = _own(connection, job_id, attempt)
        if row is None:
            return False
        connection.execute(update(JobModel).where(JobModel.job_id == job_id).values(_WAITS))
        say(connection, job_id, attempt, moment(connection, now), f"Worker {row.worker} stops; the job waits again.")
    return True


def cancel(store: Store, job_id: str, actor: str, *, now: datetime | None = None) -> bool:
    """End a job that waits or runs; whether there was one to end. One that nobody took yet costs no quota."""
    with store.change() as connection:
        submission_id = _submission_id(connection, job_id)
        if submission_id is None:
            return False
        row = locked_submission(connection, submission_id)
        time = moment(connection, now)
        if not cancel_job(connection, row, time, "cancelled", "It was cancelled."):
            return False
        write_line(connection, time, actor, "job.cancel", job_id)
    return True


def requeue(store: Store, job_id: str, actor: str, *, now: datetime | None = None) -> bool:
    """Let a job begin anew, at the end of the queue; one that runs is taken from its worker.

    Returns:
        Whether it was done: a job that waits already or is done stays as it is.

    Raises:
        UsageError: for a submission that was withdrawn or removed, or a job that is none.
    """
    with store.change() as connection:
        submission_id = _submission_id(connection, job_id)
        if submission_id is None:
            raise UsageError(f"There is no job {job_id[:40]!r}.", "Take its id from the page of the queue.")
        row = locked_submission(connection, submission_id)
        if row["status"] in ("queued", "done"):
            return False
        check_stands(row)
        time = moment(connection, now)
        fresh = dict.fromkeys(("reason", "detail", "started_at", "finished_at", "progress"))
        values = {**_WAITS, **fresh, "queued_at": stamp(time), "faults": 0, "losses": 0}
        connection.execute(update(JobModel).where(JobModel.job_id == job_id).values(values))
        say(connection, job_id, row["attempt"], time, "A host let the job begin anew.")
        write_line(connection, time, actor, "job.requeue", job_id)
    return True


def expire(store: Store, queue_hours: float, *, now: datetime | None = None) -> int:
    """Fail jobs that waited for too long, with their quota given back; how many."""
    with store.change() as connection:
        return fail_late(connection, moment(connection, now), queue_hours)


def fail_late(connection: Connection, time: datetime, queue_hours: float) -> int:
    """As ``expire``, inside the caller's transaction."""
    is_late = (JobModel.status == "queued", JobModel.queued_at <= later(time, -queue_hours * _HOUR))
    query = select(JobModel.job_id, JobModel.attempt).where(*is_late).order_by(JobModel.queued_at).limit(_LATE_AT_ONCE)
    late = connection.execute(query.with_for_update(skip_locked=True)).all()
    for row in late:
        waited = f"No worker took it within {queue_hours:g} hours."
        fail_for_good(connection, row.job_id, row.attempt, time, "queue-timeout", waited, is_ours=True)
    return len(late)


def fail_for_good(
    connection: Connection, job_id: str, attempt: int, time: datetime, reason: str, detail: str, *, is_ours: bool
) -> None:
    """End a job that the caller holds, with its quota given back where the fault is ours."""
    values: dict[str, Any] = {"status": "failed", "reason": reason, "detail": detail, "lease_until": None}
    if is_ours:
        values["faults"] = JobModel.faults + 1
        submission_id = _submission_id(connection, job_id)
        if submission_id is not None:
            give_back(connection, submission_id)
    own = JobModel.job_id == job_id
    connection.execute(update(JobModel).where(own).values(**values, finished_at=stamp(time)))
    say(connection, job_id, attempt, time, f"Failed ({reason}): {detail}")


def _own(connection: Connection, job_id: str, attempt: int) -> Any:
    """Row of a job that is the caller's, locked."""
    own = (JobModel.job_id == job_id, JobModel.attempt == attempt, JobModel.status.in_(RUNNING))
    return connection.execute(select(JobModel.faults, JobModel.worker).where(*own).with_for_update()).first()


def _submission_id(connection: Connection, job_id: str) -> str | None:
    return connection.execute(select(JobModel.submission_id).where(JobModel.job_id == job_id)).scalar()
