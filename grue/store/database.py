"""Opens the database: SQLite with a write-ahead log, or PostgreSQL; faults of both say what to do."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, select, update
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from grue.core.errors import MissingExtraError, StoreError
from grue.core.settings import load_settings
from grue.store import schema
from grue.store.models import StateModel

# A rebuild of tens of thousands of runs holds the lock for that long at most.
BUSY_SECONDS = 60
_FORMS = "sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/NAME"
_SQLITE = "sqlite:///"
# Option of a query whose answer holds packed numbers: PostgreSQL sends them as they are, not written out in digits.
PACKED = "grue_packed"
_BEGIN = "grue_begin"


def database_url(text: str) -> URL:
    """Read an address; ``postgres://`` and ``postgresql://`` mean psycopg.

    Raises:
        StoreError: for text that is no address, or one of another database.
    """
    # All after the third slash is the file's name, whatever letters it has.
    file = text.removeprefix(_SQLITE)
    if file not in (text, "", ":memory:"):
        return URL.create("sqlite", database=str(Path(file).expanduser()))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise StoreError(
            f"GRUE_DATABASE_URL is no address of a database: {text[:60]!r}.", f"Write {_FORMS}."
        ) from error
    if url.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        return url.set(drivername="postgresql+psycopg")
    raise StoreError(
        f"GRUE_DATABASE_URL names a database that the store cannot use: {url.render_as_string()}.", f"Write {_FORMS}."
    )


def own_url() -> str:
    """The address in the settings of this process."""
    return load_settings(os.environ, Path.cwd())["GRUE_DATABASE_URL"]


class Store:
    """An open store; ``read`` and ``write`` give a connection in a transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # SQLite lets waiting writers try again now and then, and one may be passed over for long; threads queue here.
        self._turn = threading.Lock() if engine.dialect.name == "sqlite" else None

    @property
    def shown(self) -> str:
        """The address without its password."""
        url = self._engine.url
        if url.drivername == "sqlite":
            return f"{_SQLITE}{url.database}"
        return url.set(drivername="postgresql").render_as_string()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view of the store.

        Raises:
            StoreError: where the database fails.
        """
        with self._translated(), self._engine.connect() as plain:
            # SQLite gives one view by itself.
            options = {"isolation_level": "REPEATABLE READ"} if plain.dialect.name == "postgresql" else {}
            connection = plain.execution_options(**options)
            with connection.begin():
                yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """The only writer, from its first to its last statement; all is kept or nothing.

        Raises:
            StoreError: where the database fails, or another process writes for longer than a minute.
        """
        with self.change() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(select(StateModel.id).with_for_update())
            yield connection

    @contextmanager
    def change(self) -> Iterator[Connection]:
        """A short change of what is born in the database; all is kept or nothing.

        SQLite has one writer at a time; in PostgreSQL others write meanwhile, and the caller locks the rows it reads.

        Raises:
            StoreError: where the database fails, or another process writes for longer than a minute.
        """
        with self._translated(), self._in_turn(), self._engine.connect() as plain:
            connection = plain.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
            with connection.begin():
                yield connection

    @contextmanager
    def rebuild(self) -> Iterator[Connection]:
        """As ``write``, and rows of the index may be removed."""
        with self.write() as connection:
            connection.execute(update(StateModel).values(is_rebuilding=True))
            yield connection
            connection.execute(update(StateModel).values(is_rebuilding=False))

    def upgrade(self) -> bool:
        """Raise the tables to this version's form; whether there was anything to do.

        Raises:
            StoreError: where the database is of a newer version or fails.
        """
        with self._translated(), self._engine.connect() as plain:
            connection = plain.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
            with connection.begin():
                return schema.upgrade(connection)

    def close(self) -> None:
        """Give back all connections."""
        self._engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def check_schema(self) -> None:
        """Make or raise the tables where that may be done unasked: in a new database, and in any SQLite file.

        Raises:
            StoreError: where the tables are of a newer version, or of an older one on a server.
        """
        with self.read() as connection:
            found = schema.revision(connection)
            schema.check_known(connection, found)
        if found == schema.HEAD:
            return
        if found is not None and self._engine.dialect.name == "postgresql":
            raise StoreError(
                f"The database's schema is {found}; this version of grue needs {schema.HEAD}.",
                "Stop what uses the database, then run: grue db upgrade",
                place=self.shown,
            )
        self.upgrade()

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        if self._turn is None:
            yield
        elif self._turn.acquire(timeout=BUSY_SECONDS):
            try:
                yield
            finally:
                self._turn.release()
        else:
            raise _busy(self.shown)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise _fault(error, self.shown) from error
        except SQLAlchemyError as error:
            raise StoreError(f"The database fails: {_first_line(error)}.", place=self.shown) from error


def open_store(url: str | None = None, *, checked: bool = True) -> Store:
    """Open the store.

    Args:
        url: Its address; that of the settings where nothing is said.
        checked: Whether the tables are made, or raised to this version's form, where they are not.

    Raises:
        StoreError: where the address or the database is no good.
        MissingExtraError: where the driver of PostgreSQL is not installed.
    """
    address = database_url(own_url() if url is None else url)
    store = Store(_sqlite(address) if address.drivername == "sqlite" else _postgres(address))
    try:
        if checked:
            store.check_schema()
    except BaseException:
        store.close()
        raise
    return store


def _sqlite(url: URL) -> Engine:
    path = Path(url.database or "")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"The folder of the database cannot be made: {error.strerror or error}.",
            "Set GRUE_HOME or GRUE_DATABASE_URL to a place that you may write.",
            place=str(path.parent),
        ) from error
    # Threads of a web server wait for the lock of the database, never for a connection.
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, pool_size=8, max_overflow=-1)

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: object) -> None:
        # The driver would begin transactions by itself, and only before a change.
        connection.isolation_level = None
        # FULL: a submission that was answered with yes outlives a power cut.
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))

    return engine


def _postgres(url: URL) -> Engine:
    try:
        from psycopg.pq import Format

        engine = create_engine(url, pool_pre_ping=True, pool_size=8, max_overflow=16, pool_timeout=BUSY_SECONDS)
    except ModuleNotFoundError as error:
        raise MissingExtraError("PostgreSQL needs the 'postgres' extra.", "pip install 'grue[postgres]'") from error

    @event.listens_for(engine, "before_cursor_execute")
    def executed(
        connection: Connection,  # noqa: ARG001
        cursor: Any,
        statement: str,  # noqa: ARG001
        parameters: object,  # noqa: ARG001
        context: Any,
        executemany: bool,  # noqa: ARG001
    ) -> None:
        if context is not None and context.execution_options.get(PACKED):
            cursor.format = Format.BINARY

    return engine


def _fault(error: DBAPIError, place: str) -> StoreError:
    line = _first_line(error.orig or error)
    if "locked" in line or "busy" in line:
        return _busy(place)
    if "not a database" in line:
        return StoreError(
            "The file is no SQLite database.", "Name another file in GRUE_DATABASE_URL, or move it away.", place=place
        )
    if any(word in line for word in ("insert-only", "never deleted")):
        return StoreError(line, place=place)
    return StoreError(
        f"The database fails: {line}.", "Check that it runs and that GRUE_DATABASE_URL fits.", place=place
    )


def _busy(place: str) -> StoreError:
    return StoreError(
        f"The database is held by another process for more than {BUSY_SECONDS} seconds.",
        "Wait until it is done, then run the same command.",
        place=place,
    )


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].strip().rstrip(".") if lines else type(error).__name__
