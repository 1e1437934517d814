"""Submissions: taken in one transaction with their job, read with its state."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, insert, select

from grue.core.errors import UsageError
from grue.store.database import Store
from grue.store.service.audit import write_line
from grue.store.service.board import board_version
from grue.store.service.clock import day_of, moment, new_id, stamp
from grue.store.service.hosts import closed_tasks, remove, restore, set_task_closed
from grue.store.service.models import ClosedTaskModel, JobModel, SubmissionModel
from grue.store.service.quotas import check_scored, check_waiting, count_attempt, limits_of, usage
from grue.store.service.rows import submission_from, submission_values, submissions_query
from grue.store.service.users import locked_user, user_from
from grue.store.service.values import KINDS, OPEN, Limits, NewSubmission, Submission, SubmissionPage
from grue.store.service.visibility import hidden_run_ids, hidden_runs, hide_run, set_public, unhide_run
from grue.store.service.withdrawals import expired_uploads, texts_deleted, withdraw

MOST_ROWS = 1000

__all__ = [
    "all_submissions",
    "board_version",
    "closed_tasks",
    "count_attempt",
    "expired_uploads",
    "hidden_run_ids",
    "hidden_runs",
    "hide_run",
    "remove",
    "restore",
    "set_public",
    "set_task_closed",
    "submission",
    "submission_of_run",
    "submissions_of",
    "submit",
    "texts_deleted",
    "unhide_run",
    "usage",
    "withdraw",
]


def submit(store: Store, new: NewSubmission, limits: Limits, *, now: datetime | None = None) -> Submission:
    """Take a submission in: its quota, the submission, its job and the audit line, or nothing of all that.

    Args:
        store: An open store.
        new: What was handed in, checked before.
        limits: Those of the settings.
        now: The time to take instead of the real one.

    Raises:
        QuotaError: where the account has no place left today, or too many jobs that wait.
        UsageError: for a closed task, an account that is disabled, or content of the same account that is on its way.
    """
    if new.kind not in KINDS:
        raise UsageError(f"There is no kind {new.kind[:40]!r}.", f"Kinds are {', '.join(KINDS)}.")
    if not new.tasks:
        raise UsageError("The submission has no task.", "Answer one task at least.")
    with store.change() as connection:
        # Two submissions of one account follow each other from here, so that both count right.
        user = user_from(locked_user(connection, new.user_id))
        if user.is_disabled:
            raise UsageError("The account is disabled.", "Ask a host of the board.")
        time = moment(connection, now)
        _check_closed(connection, new)
        _check_not_on_its_way(connection, new)
        own = limits_of(user, limits)
        check_waiting(connection, user.user_id, own)
        check_scored(connection, user.user_id, own, time)
        submission_id, job_id, at = new_id(time), new_id(time), stamp(time)
        connection.execute(
            insert(SubmissionModel).values(
                **submission_values(new), submission_id=submission_id, created_at=at, day=day_of(time), is_charged=True
            )
        )
        connection.execute(
            insert(JobModel).values(
                job_id=job_id,
                submission_id=submission_id,
                status="queued",
                attempt=0,
                created_at=at,
                queued_at=at,
                faults=0,
                losses=0,
            )
        )
        write_line(connection, time, user.user_id, "submission.create", submission_id, new.kind)
        row = connection.execute(submissions_query().where(SubmissionModel.submission_id == submission_id)).mappings()
        return submission_from(row.one())


def submission(store: Store, submission_id: str) -> Submission | None:
    """A submission by its id."""
    return _one(store, SubmissionModel.submission_id == submission_id)


def submission_of_run(store: Store, run_id: str) -> Submission | None:
    """The submission that a run came of."""
    return _one(store, SubmissionModel.run_id == run_id)


def submissions_of(store: Store, user_id: str, *, limit: int = 100, cursor: str | None = None) -> SubmissionPage:
    """An account's submissions, newest first.

    Args:
        store: An open store.
        user_id: The account.
        limit: Submissions a page, 1 to 1,000.
        cursor: ``next_cursor`` of the page before.

    Raises:
        UsageError: for a limit out of range or a cursor that is none.
    """
    return _page(store, [SubmissionModel.user_id == user_id], limit, cursor)


def all_submissions(store: Store, *, limit: int = 100, cursor: str | None = None) -> SubmissionPage:
    """All submissions, newest first; as ``submissions_of``."""
    return _page(store, [], limit, cursor)


def _check_closed(connection: Connection, new: NewSubmission) -> None:
    query = select(ClosedTaskModel.task).where(ClosedTaskModel.task.in_(new.tasks)).order_by(ClosedTaskModel.task)
    closed = connection.execute(query).scalars().all()
    if closed:
        raise UsageError(
            f"Closed for submissions: {', '.join(closed)}.", "Leave out what is closed, or wait until it is open again."
        )


def _check_not_on_its_way(connection: Connection, new: NewSubmission) -> None:
    query = (
        select(SubmissionModel.submission_id)
        .join(JobModel, JobModel.submission_id == SubmissionModel.submission_id)
        .where(
            SubmissionModel.user_id == new.user_id,
            SubmissionModel.content_sha256 == new.content_sha256,
            SubmissionModel.kind == new.kind,
            SubmissionModel.split == new.split,
            JobModel.status.in_(OPEN),
        )
    )
    there = connection.execute(query).scalar()
    if there is not None:
        raise UsageError(
            f"The same content is on its way already: submission {there}.", "Wait for its result, or cancel it."
        )


def _one(store: Store, condition: ColumnElement[bool]) -> Submission | None:
    with store.read() as connection:
        row = connection.execute(submissions_query().where(condition)).mappings().first()
    return None if row is None else submission_from(row)


def _page(store: Store, conditions: list[ColumnElement[bool]], limit: int, cursor: str | None) -> SubmissionPage:
    if not 1 <= limit <= MOST_ROWS:
        raise UsageError(f"limit is {limit}.", f"Ask for 1 to {MOST_ROWS:,} submissions at a time.")
    query = submissions_query().where(*conditions).order_by(SubmissionModel.submission_id.desc()).limit(limit + 1)
    if cursor is not None:
        if not (len(cursor) == 26 and cursor.isascii() and cursor.isalnum()):
            raise UsageError(f"{cursor[:40]!r} is no cursor.", "Take 'next_cursor' of the page before.")
        query = query.where(SubmissionModel.submission_id < cursor)
    with store.read() as connection:
        found = [submission_from(row) for row in connection.execute(query).mappings()]
    page = tuple(found[:limit])
    return SubmissionPage(page, page[-1].submission_id if len(found) > limit else None)
