"""The audit log: who did what; each line stands in the transaction of the act itself."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select

from grue.core.errors import UsageError
from grue.store.database import Store
from grue.store.service.clock import moment, stamp
from grue.store.service.models import AuditModel
from grue.store.service.values import AuditLine, AuditPage

MOST_LINES = 1000
COMMAND_LINE = "command line"
WORKER = "worker"


def audit(store: Store, actor: str, action: str, thing: str, detail: str = "", *, now: datetime | None = None) -> None:
    """Write a line of its own, for an act that changes nothing else in the database."""
    with store.change() as connection:
        write_line(connection, moment(connection, now), actor, action, thing, detail)


def audit_log(store: Store, *, limit: int = 100, cursor: str | None = None) -> AuditPage:
    """Lines, newest first.

    Args:
        store: An open store.
        limit: Lines a page, 1 to 1,000.
        cursor: ``next_cursor`` of the page before.

    Raises:
        UsageError: for a limit out of range or a cursor that is none.
    """
    if not 1 <= limit <= MOST_LINES:
        raise UsageError(f"limit is {limit}.", f"Ask for 1 to {MOST_LINES:,} lines at a time.")
    query = select(AuditModel.__table__).order_by(AuditModel.number.desc()).limit(limit + 1)
    if cursor is not None:
        if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 15):
            raise UsageError(f"{cursor[:40]!r} is no cursor.", "Take 'next_cursor' of the page before.")
        query = query.where(AuditModel.number < int(cursor))
    with store.read() as connection:
        found = [AuditLine(**row) for row in connection.execute(query).mappings()]
    page = tuple(found[:limit])
    return AuditPage(page, str(page[-1].number) if len(found) > limit else None)


def write_line(connection: Connection, time: datetime, actor: str, action: str, thing: str, detail: str = "") -> None:
    """Write a line inside the caller's transaction."""
    values = {"at": stamp(time), "actor": actor, "action": action, "thing": thing, "detail": detail}
    connection.execute(insert(AuditModel).values(values))
