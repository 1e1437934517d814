"""PostgreSQL's answers as bytes: numbers of a board are not written out and read again."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.pq import Format
from psycopg.rows import TupleRow


class BinaryCursor(psycopg.Cursor[TupleRow]):
    """A cursor that asks for binary answers."""

    def __init__(self, connection: psycopg.Connection[Any], *, row_factory: Any = None) -> None:
        super().__init__(connection, row_factory=row_factory or connection.row_factory)
        self.format = Format.BINARY
