"""The form of the tables in a database: made on first use, raised by migrations, refused where it is newer."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from grue.core.errors import StoreError

# Oldest first; one module each in migrations/versions.
REVISIONS = ("0001", "0002")
HEAD = REVISIONS[-1]
VERSION_TABLE = "grue_schema"
_LOCK = 0x67727565  # "grue": one migration at a time in a PostgreSQL server


def revision(connection: Connection) -> str | None:
    """The revision of the tables; ``None`` where there are none of ours."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
    return found


def upgrade(connection: Connection) -> bool:
    """Raise the tables to this version's form, inside the caller's transaction; whether there was anything to do.

    Raises:
        StoreError: where the database is of a newer version, or holds tables of these names that are not ours.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    found = revision(connection)
    if found == HEAD:
        return False
    check_known(connection, found)
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return True


def check_known(connection: Connection, found: str | None) -> None:
    """Refuse tables that this version does not know.

    Raises:
        StoreError: for a newer revision, or foreign tables of the names that we use.
    """
    if found is not None and found not in REVISIONS:
        raise StoreError(
            f"The database is of a newer version of grue: its schema is {found}, this version knows up to {HEAD}.",
            "Upgrade grue (pip install --upgrade grue), or name another database in GRUE_DATABASE_URL.",
        )
    if found is None and inspect(connection).has_table("runs"):
        raise StoreError(
            "The database holds a table 'runs' that is not grue's.",
            "Name a database of its own in GRUE_DATABASE_URL.",
        )
