"""The tables: made by themselves, equal to the models, refused where they are not ours."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text

from grue.core.errors import MissingExtraError, StoreError
from grue.store import schema
from grue.store.database import database_url, open_store, own_url
from grue.store.models import Base


def test_database_needs_no_set_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRUE_HOME", str(tmp_path / "new" / "home #1?"))
    assert own_url() == f"sqlite:///{tmp_path}/new/home #1?/grue.sqlite"
    with open_store() as store, store.read() as connection:
        found = {name: connection.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "foreign_keys")}
        assert schema.revision(connection) == schema.HEAD
    assert found == {"journal_mode": "wal", "foreign_keys": 1}
    assert (tmp_path / "new" / "home #1?" / "grue.sqlite").is_file()


def test_migrations_make_the_tables_of_the_models(databases: Any) -> None:
    with open_store(databases.new()) as store, store.read() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": schema.VERSION_TABLE})
        assert compare_metadata(context, Base.metadata) == []


def test_migrations_go_down_and_up_again(databases: Any) -> None:
    from alembic import command

    url = databases.new()
    with open_store(url) as store:
        with store.write() as connection:
            config = Config()
            config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
            config.set_main_option("path_separator", "os")
            config.attributes["connection"] = connection
            command.downgrade(config, "base")
            assert inspect(connection).get_table_names() == [schema.VERSION_TABLE]
            if databases.kind == "postgresql":
                assert connection.execute(text("SELECT count(*) FROM pg_proc WHERE proname LIKE 'grue%'")).scalar() == 0
        assert store.upgrade()
        assert not store.upgrade()


def test_known_revisions_are_the_steps_there_are() -> None:
    folder = ScriptDirectory(str(Path(schema.__file__).parent / "migrations"))
    steps = [step.revision for step in folder.walk_revisions()]
    assert tuple(reversed(steps)) == schema.REVISIONS


def test_database_of_a_newer_version_is_refused_by_name(databases: Any) -> None:
    url = databases.new()
    open_store(url).close()
    engine = create_engine(database_url(url))
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {schema.VERSION_TABLE} SET version_num = '0099'"))
    engine.dispose()
    with pytest.raises(StoreError, match=r"newer version of grue: its schema is 0099") as error:
        open_store(url)
    assert "pip install --upgrade grue" in error.value.fix
    with open_store(url, checked=False) as store, pytest.raises(StoreError, match="newer version"):
        store.upgrade()


def test_older_database_is_raised_by_itself_in_sqlite_and_on_request_on_a_server(
    databases: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = databases.new()
    open_store(url).close()
    monkeypatch.setattr(schema, "REVISIONS", (*schema.REVISIONS, "next"))
    monkeypatch.setattr(schema, "HEAD", "next")
    # There is no such step yet: that it is asked for is what counts.
    if databases.kind == "postgresql":
        with pytest.raises(StoreError, match="needs next") as error:
            open_store(url)
        assert "grue db upgrade" in error.value.fix
    else:
        asked = []
        monkeypatch.setattr(schema, "upgrade", lambda connection: asked.append(connection) or True)
        open_store(url).close()
        assert len(asked) == 1


def test_tables_of_others_are_left_alone(databases: Any) -> None:
    url = databases.new()
    engine = create_engine(database_url(url))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE runs (id INTEGER)"))
    engine.dispose()
    with pytest.raises(StoreError, match="not grue's"):
        open_store(url)


def test_first_use_by_several_at_once_makes_one_set_of_tables(databases: Any) -> None:
    url = databases.new()
    faults: list[Exception] = []

    def first_use() -> None:
        try:
            open_store(url).close()
        except Exception as error:  # noqa: BLE001
            faults.append(error)

    users = [threading.Thread(target=first_use) for _ in range(4)]
    for user in users:
        user.start()
    for user in users:
        user.join(60)
    assert faults == []


def test_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite").write_bytes(b"not a database at all, but long enough to look at" * 50)
    with pytest.raises(StoreError, match="no SQLite database"):
        open_store(f"sqlite:///{tmp_path}/x.sqlite")


def test_place_that_cannot_hold_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="unable to open database file"):
        open_store(f"sqlite:///{tmp_path}")
    with pytest.raises(StoreError, match="folder of the database cannot be made"):
        open_store(f"sqlite:///{tmp_path}/file/x.sqlite")


@pytest.mark.parametrize(
    "url", ["grue.db", "mysql://a@b/c", "sqlite://", "sqlite:///:memory:", "postgresql+psycopg2://a/b"]
)
def test_other_addresses_are_refused_with_the_form_they_should_have(url: str) -> None:
    with pytest.raises(StoreError, match="GRUE_DATABASE_URL") as error:
        open_store(url)
    assert "postgresql://USER" in error.value.fix


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_addresses_of_postgres_mean_psycopg_3(scheme: str) -> None:
    url = database_url(f"{scheme}://u:secret@localhost:5433/results")
    assert (url.drivername, url.password, url.port) == ("postgresql+psycopg", "secret", 5433)


def test_missing_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "psycopg.pq", raising=False)
    with pytest.raises(MissingExtraError, match="'postgres' extra") as error:
        open_store("postgresql://u@127.0.0.1:1/results")
    assert error.value.fix == "pip install 'grue[postgres]'"


def test_server_that_is_not_there_is_named_without_the_password() -> None:
    with pytest.raises(StoreError, match="The database fails: connection") as error:
        open_store("postgresql://u:secret@127.0.0.1:1/results")
    assert "secret" not in str(error.value)
    assert "127.0.0.1:1" in error.value.place
