"""What hosts decide about submissions and tasks."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert, select

from grue.core.errors import UsageError
from grue.store.database import Store
from grue.store.service.audit import write_line
from grue.store.service.board import board_changed
from grue.store.service.changing import cancel_job, locked_submission, said_reason, set_values
from grue.store.service.clock import moment, stamp
from grue.store.service.models import ClosedTaskModel


def remove(store: Store, submission_id: str, reason: str, actor: str, *, now: datetime | None = None) -> None:
    """Take a submission off the board and out of the queue, with a reason that its owner reads.

    Raises:
        UsageError: for a submission that is none or was removed before, or without a reason.
    """
    said = said_reason(reason)
    with store.change() as connection:
        row = locked_submission(connection, submission_id)
        if row["removed_at"] is not None:
            raise UsageError("The submission is removed already.", "Restore it first to remove it for another reason.")
        time = moment(connection, now)
        cancel_job(connection, row, time, "removed", said)
        set_values(connection, submission_id, removed_at=stamp(time), removed_reason=said)
        write_line(connection, time, actor, "submission.remove", submission_id, said)
        board_changed(connection)


def restore(store: Store, submission_id: str, actor: str, *, now: datetime | None = None) -> None:
    """Undo a removal; a job that it cancelled stays so until a host queues it again.

    Raises:
        UsageError: for a submission that is none, or was not removed.
    """
    with store.change() as connection:
        row = locked_submission(connection, submission_id)
        if row["removed_at"] is None:
            raise UsageError("The submission is not removed.", "There is nothing to restore.")
        set_values(connection, submission_id, removed_at=None, removed_reason=None)
        write_line(connection, moment(connection, now), actor, "submission.restore", submission_id)
        board_changed(connection)


def set_task_closed(store: Store, task: str, is_closed: bool, actor: str, *, now: datetime | None = None) -> None:
    """Let a task take no submissions any longer, or take them again; those that wait are scored."""
    with store.write() as connection:
        there = connection.execute(delete(ClosedTaskModel).where(ClosedTaskModel.task == task)).rowcount > 0
        if is_closed:
            connection.execute(insert(ClosedTaskModel).values(task=task))
        if is_closed != there:
            write_line(connection, moment(connection, now), actor, "task.close" if is_closed else "task.open", task)
            board_changed(connection)


def closed_tasks(store: Store) -> frozenset[str]:
    """Tasks that take no submissions."""
    with store.read() as connection:
        return frozenset(connection.execute(select(ClosedTaskModel.task)).scalars())
