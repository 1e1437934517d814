"""A number that grows with every change of what public pages show, so that they are made anew only then."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select, update

from grue.store.database import Store
from grue.store.service.clock import moment, stamp
from grue.store.service.models import BoardStateModel, SubmissionModel


def board_version(store: Store, *, now: datetime | None = None) -> int:
    """The number: scores on hidden splits that are released by the time count too."""
    with store.read() as connection:
        released = (
            select(func.count())
            .select_from(SubmissionModel)
            .where(SubmissionModel.is_hidden, SubmissionModel.released_at <= stamp(moment(connection, now)))
            .scalar_subquery()
        )
        return int(connection.execute(select(BoardStateModel.version + released)).scalar_one())


def board_changed(connection: Connection) -> None:
    """Let the number grow, as the last statement of the caller's transaction: other writers wait for it from here."""
    connection.execute(update(BoardStateModel).values(version=BoardStateModel.version + 1))
