"""The one transaction by which a result is there: job, run in the index, submission and board, or nothing of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from grue.core.errors import StoreError
from grue.core.text import Json
from grue.store.database import Store
from grue.store.indexing import index_run
from grue.store.records import RunRecord
from grue.store.rows import rows_of
from grue.store.service.board import board_changed
from grue.store.service.changing import locked_submission, set_values
from grue.store.service.clock import later, moment, stamp
from grue.store.service.job_log import say
from grue.store.service.models import JobModel, SubmissionModel
from grue.store.service.users import locked_user
from grue.store.service.values import RUNNING

_HOUR = 3600


def finish(
    store: Store,
    job_id: str,
    attempt: int,
    record: RunRecord | None,
    run_id: str,
    *,
    scores: Mapping[str, Json] | None = None,
    release_hours: float = 0.0,
    now: datetime | None = None,
) -> bool:
    """Make a result whole and visible, all at once.

    Told again by the same attempt, as after a lost answer, it changes nothing and is true again.

    Args:
        store: An open store.
        job_id: The job.
        attempt: The caller's.
        record: What the index holds of the run; ``None`` where a hidden split is kept out of the index.
        run_id: The run's id, the same whenever this attempt tells it.
        scores: Rounded scores of a hidden split, for its submission's page.
        release_hours: Scores on hidden splits of one account appear at most once in so many hours.
        now: The time to take instead of the real one.

    Returns:
        Whether the job was still the caller's.

    Raises:
        StoreError: where the index has other results under the id, or another submission has that run.
    """
    if record is not None and record.run_id != run_id:
        raise StoreError(f"The record is that of run {record.run_id}, not of {run_id}.")
    rows = None if record is None else rows_of(record)
    # The index has one writer at a time; a result that does not go there waits for nobody.
    opened: AbstractContextManager[Connection] = store.change() if rows is None else store.write()
    with opened as connection:
        found = connection.execute(
            select(SubmissionModel.submission_id, SubmissionModel.user_id)
            .join(JobModel, JobModel.submission_id == SubmissionModel.submission_id)
            .where(JobModel.job_id == job_id)
        ).first()
        if found is None:
            return False
        # The account first, as everywhere: two of its results on a hidden split see each other's time.
        locked_user(connection, found.user_id)
        row = locked_submission(connection, found.submission_id)
        if row["attempt"] != attempt or row["status"] not in RUNNING:
            return bool(row["attempt"] == attempt and row["status"] == "done" and row["run_id"] == run_id)
        _check_free(connection, run_id, found.submission_id)
        time = moment(connection, now)
        if rows is not None:
            index_run(connection, rows, rows.run["path"])
        is_shown = row["is_public"]
        set_values(
            connection,
            found.submission_id,
            run_id=run_id,
            published_at=stamp(time) if is_shown else None,
            released_at=_release(connection, found.user_id, release_hours, time) if row["is_hidden"] else stamp(time),
            scores=None if scores is None else json.dumps(dict(scores)),
        )
        values = {"status": "done", "finished_at": stamp(time), "lease_until": None, "reason": None, "detail": None}
        connection.execute(update(JobModel).where(JobModel.job_id == job_id).values(values))
        say(connection, job_id, attempt, time, "Done.")
        board_changed(connection)
    return True


def _check_free(connection: Connection, run_id: str, submission_id: str) -> None:
    taken = (SubmissionModel.run_id == run_id, SubmissionModel.submission_id != submission_id)
    other = connection.execute(select(SubmissionModel.submission_id).where(*taken)).scalar()
    if other is not None:
        raise StoreError(
            f"Run {run_id} is that of submission {other} already.", "Give each submission a run of its own."
        )


def _release(connection: Connection, user_id: str, hours: float, time: datetime) -> str:
    own = (SubmissionModel.user_id == user_id, SubmissionModel.is_hidden)
    last = connection.execute(select(func.max(SubmissionModel.released_at)).where(*own)).scalar()
    if last is None:
        return stamp(time)
    return max(stamp(time), later(datetime.fromisoformat(last), hours * _HOUR))
