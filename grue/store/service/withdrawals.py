"""Submissions that their owners withdraw, and the texts of these, which are deleted some time later."""

from __future__ import annotations

from datetime import datetime

from grue.core.errors import UsageError
from grue.store.database import Store
from grue.store.service.audit import WORKER, write_line
from grue.store.service.board import board_changed
from grue.store.service.changing import cancel_job, locked_submission, set_values
from grue.store.service.clock import later, moment, stamp
from grue.store.service.models import SubmissionModel
from grue.store.service.rows import submission_from, submissions_query
from grue.store.service.values import Submission

_DAY = 86400
_AT_ONCE = 100


def withdraw(store: Store, submission_id: str, actor: str, *, now: datetime | None = None) -> None:
    """Take a submission back: off the board and out of the queue, for good; again changes nothing.

    Raises:
        UsageError: for a submission that is none.
    """
    with store.change() as connection:
        row = locked_submission(connection, submission_id)
        if row["withdrawn_at"] is not None:
            return
        time = moment(connection, now)
        cancel_job(connection, row, time, "withdrawn", "It was withdrawn.")
        set_values(connection, submission_id, withdrawn_at=stamp(time))
        write_line(connection, time, actor, "submission.withdraw", submission_id)
        board_changed(connection)


def expired_uploads(store: Store, days: float, *, now: datetime | None = None) -> tuple[Submission, ...]:
    """Submissions that were withdrawn so many days ago and still have their texts: the oldest of them."""
    with store.read() as connection:
        until = later(moment(connection, now), -days * _DAY)
        query = (
            submissions_query()
            .where(SubmissionModel.withdrawn_at <= until, SubmissionModel.texts_deleted_at.is_(None))
            .order_by(SubmissionModel.withdrawn_at, SubmissionModel.submission_id)
            .limit(_AT_ONCE)
        )
        return tuple(submission_from(row) for row in connection.execute(query).mappings())


def texts_deleted(store: Store, submission_id: str, *, actor: str = WORKER, now: datetime | None = None) -> None:
    """Note that the texts of a withdrawn submission are gone; again changes nothing.

    Raises:
        UsageError: for a submission that is none, or that was not withdrawn.
    """
    with store.change() as connection:
        row = locked_submission(connection, submission_id)
        if row["withdrawn_at"] is None:
            raise UsageError("The submission was not withdrawn.", "Only texts of withdrawn ones are deleted.")
        if row["texts_deleted_at"] is None:
            time = moment(connection, now)
            set_values(connection, submission_id, texts_deleted_at=stamp(time))
            write_line(connection, time, actor, "submission.texts-deleted", submission_id)
