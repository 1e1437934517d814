"""When workers were last heard of."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from grue.store.database import Store
from grue.store.service.clock import later, moment, stamp
from grue.store.service.inserting import insert_if_absent
from grue.store.service.models import WorkerModel
from grue.store.service.values import WorkerSeen

_SHOWN_SECONDS = 3600
_KEPT_SECONDS = 86400


def seen(store: Store, worker: str, doing: str | None, *, now: datetime | None = None) -> None:
    """Note that a worker is alive, and the id of the job it has."""
    with store.change() as connection:
        time = moment(connection, now)
        values = {"last_seen": stamp(time), "doing": doing}
        own = WorkerModel.name == worker
        if connection.execute(update(WorkerModel).where(own).values(values)).rowcount == 0:
            insert_if_absent(connection, WorkerModel, {"name": worker, **values})
            connection.execute(delete(WorkerModel).where(WorkerModel.last_seen < later(time, -_KEPT_SECONDS)))


def workers_seen(connection: Connection, time: datetime) -> tuple[WorkerSeen, ...]:
    """Workers that were heard of in the last hour, by name."""
    columns = (WorkerModel.name, WorkerModel.last_seen, WorkerModel.doing)
    query = select(*columns).where(WorkerModel.last_seen >= later(time, -_SHOWN_SECONDS)).order_by(WorkerModel.name)
    return tuple(WorkerSeen(*row) for row in connection.execute(query))
