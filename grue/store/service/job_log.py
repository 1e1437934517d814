"""What workers write about a job, for its owner; nothing of it is data of a hidden split."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from grue.store.database import Store
from grue.store.service.clock import moment, stamp
from grue.store.service.models import JobModel, LogModel
from grue.store.service.values import RUNNING, LogLine

MOST_LINES = 5000
MOST_LETTERS = 2000


def add_log(store: Store, job_id: str, attempt: int, texts: Sequence[str], *, now: datetime | None = None) -> bool:
    """Add lines to a job's log; whether the job is still the caller's. Very long lines, and very many, are cut."""
    own = (JobModel.job_id == job_id, JobModel.attempt == attempt, JobModel.status.in_(RUNNING))
    with store.change() as connection:
        if connection.execute(select(JobModel.job_id).where(*own).with_for_update()).first() is None:
            return False
        time = moment(connection, now)
        for text in texts:
            say(connection, job_id, attempt, time, text)
    return True


def log(store: Store, job_id: str, after: int = 0) -> tuple[LogLine, ...]:
    """Lines of a job's log with numbers above one."""
    columns = (LogModel.number, LogModel.at, LogModel.attempt, LogModel.text)
    query = select(*columns).where(LogModel.job_id == job_id, LogModel.number > after).order_by(LogModel.number)
    with store.read() as connection:
        return tuple(LogLine(*row) for row in connection.execute(query))


def say(connection: Connection, job_id: str, attempt: int, time: datetime, text: str) -> None:
    """Add a line inside the transaction of the caller, who holds the job's row."""
    last = connection.execute(select(func.max(LogModel.number)).where(LogModel.job_id == job_id)).scalar() or 0
    if last >= MOST_LINES:
        return
    said = text[:MOST_LETTERS] if last + 1 < MOST_LINES else f"The log ends here, after {MOST_LINES:,} lines."
    values = {"job_id": job_id, "number": last + 1, "at": stamp(time), "attempt": attempt, "text": said}
    connection.execute(insert(LogModel).values(values))
