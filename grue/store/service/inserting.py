"""Inserting what another process may insert at the same moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, inspect
from sqlalchemy.dialects import postgresql, sqlite

from grue.store.models import Base


def insert_if_absent(connection: Connection, model: type[Base], values: Mapping[str, Any]) -> bool:
    """Insert a row unless one with the same key is there; whether it was inserted."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    keys = inspect(model).primary_key
    return (
        connection.execute(insert(model).values(**values).on_conflict_do_nothing().returning(*keys)).first() is not None
    )
