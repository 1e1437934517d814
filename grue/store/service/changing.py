"""Changes of one submission and its job, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from grue.core.errors import UsageError
from grue.store.service.clock import stamp
from grue.store.service.models import JobModel, SubmissionModel
from grue.store.service.quotas import give_back
from grue.store.service.values import OPEN


def locked_submission(connection: Connection, submission_id: str) -> Mapping[Any, Any]:
    """A submission's row with that of its job, which nobody else changes before the transaction ends.

    Raises:
        UsageError: for a submission that is none.
    """
    query = select(JobModel.__table__).where(JobModel.submission_id == submission_id).with_for_update()
    job = connection.execute(query).mappings().first()
    if job is None:
        raise UsageError(f"There is no submission {submission_id[:40]!r}.", "Take its id from its page.")
    own = SubmissionModel.submission_id == submission_id
    row = connection.execute(select(SubmissionModel.__table__).where(own).with_for_update()).mappings().one()
    return {**job, **row}


def check_stands(row: Mapping[Any, Any]) -> None:
    """Refuse what was withdrawn or removed.

    Raises:
        UsageError: naming which.
    """
    for key, word in (("withdrawn_at", "withdrawn"), ("removed_at", "removed by a host")):
        if row[key] is not None:
            raise UsageError(f"The submission was {word}.", "Hand it in anew.")


def set_values(connection: Connection, submission_id: str, **values: object) -> None:
    """Set columns of a submission."""
    own = SubmissionModel.submission_id == submission_id
    connection.execute(update(SubmissionModel).where(own).values(**values))


def cancel_job(connection: Connection, row: Mapping[Any, Any], time: datetime, reason: str, detail: str) -> bool:
    """End a job that waits or runs; whether it did. Its worker is told when it is heard of next.

    Args:
        connection: The caller's.
        row: As ``locked_submission`` gives it.
        time: When it is.
        reason: A word with dashes.
        detail: The same for people.
    """
    if row["status"] not in OPEN:
        return False
    values = {
        "status": "cancelled",
        "reason": reason,
        "detail": detail,
        "finished_at": stamp(time),
        "lease_until": None,
    }
    connection.execute(update(JobModel).where(JobModel.job_id == row["job_id"]).values(values))
    if row["attempt"] == 0:
        # Nobody worked on it: it was not scored, and costs no place in the quota.
        give_back(connection, row["submission_id"])
    return True


def said_reason(reason: str) -> str:
    """A reason without blanks around it.

    Raises:
        UsageError: where there is none.
    """
    if not reason.strip():
        raise UsageError("There is no reason.", "Say why, in a sentence.")
    return reason.strip()
