"""What an account may do in a day (UTC): counted and used in one transaction, under the lock of the account."""

from __future__ import annotations

import math
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from grue.store.database import Store
from grue.store.service.clock import day_of, moment, next_day, stamp
from grue.store.service.models import AttemptsModel, JobModel, SubmissionModel, UserModel
from grue.store.service.users import locked_user, user_from
from grue.store.service.values import Limits, QuotaError, Usage, User

# A place in the queue is free as soon as a worker takes a job.
_WAITING_RETRY_SECONDS = 60


def count_attempt(store: Store, user_id: str, limits: Limits, *, now: datetime | None = None) -> None:
    """Count a checked upload, which is never given back.

    Raises:
        QuotaError: where the account has none left today; nothing is counted then.
        UsageError: for an account that is none.
    """
    with store.change() as connection:
        user = user_from(locked_user(connection, user_id))
        time = moment(connection, now)
        most = limits_of(user, limits).attempts_per_day
        used = _attempts(connection, user_id, time)
        if used >= most:
            raise _used_up("attempts", f"All {most} attempts of today are used.", time)
        today = {"user_id": user_id, "day": day_of(time)}
        if used:
            own = (AttemptsModel.user_id == user_id, AttemptsModel.day == day_of(time))
            connection.execute(update(AttemptsModel).where(*own).values(used=AttemptsModel.used + 1))
        else:
            connection.execute(insert(AttemptsModel).values(**today, used=1))


def usage(store: Store, user_id: str, limits: Limits, *, now: datetime | None = None) -> Usage:
    """What an account has used today, with the limits that hold for it; those of the settings where it is none."""
    with store.read() as connection:
        time = moment(connection, now)
        row = connection.execute(select(UserModel.__table__).where(UserModel.user_id == user_id)).mappings().first()
        return Usage(
            scored=_scored(connection, user_id, time),
            attempts=_attempts(connection, user_id, time),
            waiting=_waiting(connection, user_id),
            limits=limits if row is None else limits_of(user_from(row), limits),
            resets_at=stamp(next_day(time)),
        )


def limits_of(user: User, limits: Limits) -> Limits:
    """The limits that hold for an account."""
    return Limits(
        scored_per_day=limits.scored_per_day if user.scored_per_day is None else user.scored_per_day,
        attempts_per_day=limits.attempts_per_day if user.attempts_per_day is None else user.attempts_per_day,
        jobs_waiting=limits.jobs_waiting,
    )


def check_scored(connection: Connection, user_id: str, limits: Limits, time: datetime) -> None:
    """Refuse one submission more than the account may have scored today; the caller holds its lock.

    Raises:
        QuotaError: where there is no place left.
    """
    if _scored(connection, user_id, time) >= limits.scored_per_day:
        raise _used_up("scored", f"All {limits.scored_per_day} scored submissions of today are used.", time)


def check_waiting(connection: Connection, user_id: str, limits: Limits) -> None:
    """Refuse one job more than may wait; the caller holds the account's lock.

    Raises:
        QuotaError: where there is no place left.
    """
    if _waiting(connection, user_id) >= limits.jobs_waiting:
        raise QuotaError(
            f"{limits.jobs_waiting} submissions of the account wait already.",
            "Wait until one of them is at work, or cancel one.",
            retry_after=_WAITING_RETRY_SECONDS,
            what="waiting",
        )


def give_back(connection: Connection, submission_id: str) -> None:
    """Give the place in the quota of scored submissions back."""
    own = SubmissionModel.submission_id == submission_id
    connection.execute(update(SubmissionModel).where(own).values(is_charged=False))


def _scored(connection: Connection, user_id: str, time: datetime) -> int:
    own = (SubmissionModel.user_id == user_id, SubmissionModel.day == day_of(time), SubmissionModel.is_charged)
    return connection.execute(select(func.count()).select_from(SubmissionModel).where(*own)).scalar_one()


def _attempts(connection: Connection, user_id: str, time: datetime) -> int:
    own = (AttemptsModel.user_id == user_id, AttemptsModel.day == day_of(time))
    return connection.execute(select(AttemptsModel.used).where(*own)).scalar() or 0


def _waiting(connection: Connection, user_id: str) -> int:
    query = (
        select(func.count())
        .select_from(SubmissionModel)
        .join(JobModel, JobModel.submission_id == SubmissionModel.submission_id)
        .where(SubmissionModel.user_id == user_id, JobModel.status == "queued")
    )
    return connection.execute(query).scalar_one()


def _used_up(what: str, cause: str, time: datetime) -> QuotaError:
    seconds = max(1, math.ceil((next_day(time) - time).total_seconds()))
    return QuotaError(cause, "The count starts again at midnight UTC.", retry_after=seconds, what=what)
