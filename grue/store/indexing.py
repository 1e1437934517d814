"""Puts one run into the index, inside the transaction of whoever brings it."""

from __future__ import annotations

from sqlalchemy import Connection, select

from grue.core.errors import StoreError
from grue.store.models import RunModel
from grue.store.rows import RunRows
from grue.store.tables import RowWriter


def index_run(connection: Connection, rows: RunRows, place: str) -> bool:
    """Insert a run that is not there yet; whether it was new. The connection is that of ``Store.write``.

    Raises:
        StoreError: where the index has other results under that run id; ``place`` says where these are.
    """
    known = connection.execute(select(RunModel.checksum).where(RunModel.run_id == rows.run_id)).scalar()
    if known is not None and known != rows.run["checksum"]:
        raise StoreError(
            f"run {rows.run_id} is stored with other results (checksum {known[:12]}…, here "
            f"{rows.run['checksum'][:12]}…).",
            "Results are insert-only: run it anew under its own id, then: grue db supersede OLD NEW --reason TEXT",
            place=place,
        )
    if known is None:
        RowWriter.on(connection).insert([rows])
    return known is None
