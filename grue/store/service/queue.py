"""Questions to the queue: who waits where, and how long jobs take."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select

from grue.store.database import Store
from grue.store.service.clock import moment, seconds_between
from grue.store.service.models import JobModel, SubmissionModel
from grue.store.service.rows import LOSSES_AT_ONCE, job_from, submission_from, submissions_query
from grue.store.service.values import OPEN, STATUSES, Job, Queue, Queued
from grue.store.service.workers import workers_seen

# The estimate is the median of so many jobs.
_RECENT = 50


def queue(store: Store, *, now: datetime | None = None) -> Queue:
    """Workers, and all jobs that run or wait."""
    of_jobs = select(JobModel.__table__).where(JobModel.status.in_(OPEN))
    with store.read() as connection:
        time = moment(connection, now)
        jobs = [job_from(row) for row in connection.execute(of_jobs).mappings()]
        rows = connection.execute(submissions_query().where(JobModel.status.in_(OPEN))).mappings()
        submissions = {row["submission_id"]: submission_from(row) for row in rows}
        workers = workers_seen(connection, time)
    running = sorted(
        (one for one in jobs if one.status != "queued"), key=lambda one: (one.started_at or "", one.job_id)
    )
    waiting = sorted((one for one in jobs if one.status == "queued"), key=_turn)
    places = [(0, one) for one in running] + list(enumerate(waiting, start=1))
    listed = [Queued(one, submissions[one.submission_id], place, _waited(one, time)) for place, one in places]
    return Queue(workers, tuple(listed))


def status_counts(store: Store) -> Mapping[str, int]:
    """Number of jobs by status, all statuses."""
    query = select(JobModel.status, func.count()).group_by(JobModel.status)
    with store.read() as connection:
        found: dict[str, int] = {row[0]: row[1] for row in connection.execute(query)}
    return {status: found.get(status, 0) for status in STATUSES}


def typical_seconds(store: Store, kind: str) -> float | None:
    """Median time that the latest jobs of a kind took in a worker's hands; ``None`` where none is done."""
    query = (
        select(JobModel.started_at, JobModel.finished_at)
        .join(SubmissionModel, SubmissionModel.submission_id == JobModel.submission_id)
        .where(JobModel.status == "done", SubmissionModel.kind == kind)
        .order_by(JobModel.finished_at.desc())
        .limit(_RECENT)
    )
    with store.read() as connection:
        times = connection.execute(query).all()
    taken = [seconds_between(begun, datetime.fromisoformat(ended)) for begun, ended in times if begun and ended]
    return statistics.median(taken) if taken else None


def _turn(one: Job) -> tuple[bool, str, str]:
    return (one.losses > LOSSES_AT_ONCE, one.queued_at, one.job_id)


def _waited(one: Job, time: datetime) -> float:
    until = time if one.status == "queued" or one.started_at is None else datetime.fromisoformat(one.started_at)
    return max(0.0, seconds_between(one.queued_at, until))
