"""Databases for tests: SQLite files and, where there is one, databases of a real PostgreSQL."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from grue.store.database import database_url, open_store


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Address of a PostgreSQL server: ``GRUE_TEST_POSTGRES_URL``, else one of our own on loopback."""
    named = _NAMED
    if named:
        yield named
        return
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not binaries:
        pytest.skip("no PostgreSQL: set GRUE_TEST_POSTGRES_URL, or install the package 'postgresql'")
    with _own_server(binaries[-1].parent) as url:
        yield url


# Read before the fixture that hides settings from tests.
_NAMED = os.environ.get("GRUE_TEST_POSTGRES_URL")


class _own_server:  # noqa: N801 - used as a function
    """A cluster in a folder of its own; its server may not run as root."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._as_other = os.getuid() == 0

    def __enter__(self) -> str:
        self._folder = Path(tempfile.mkdtemp(prefix="grue-pg-"))
        if self._as_other:
            try:
                other = pwd.getpwnam("postgres")
            except KeyError:
                pytest.skip("PostgreSQL does not run as root, and there is no user 'postgres'")
            os.chown(self._folder, other.pw_uid, other.pw_gid)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        data = self._folder / "data"
        self._run("initdb", "-D", data, "-U", "grue", "-A", "trust", "--encoding=UTF8", "--no-sync", "--locale=C.UTF-8")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c fsync=off -c unix_socket_directories="
        self._run("pg_ctl", "-D", data, "-l", self._folder / "log", "-o", options, "-w", "start")
        return f"postgresql://grue@127.0.0.1:{port}/postgres"

    def __exit__(self, *_: object) -> None:
        self._run("pg_ctl", "-D", self._folder / "data", "-m", "immediate", "-w", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str | Path) -> None:
        command = [str(self._binaries / program), *map(str, arguments)]
        if self._as_other:
            command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *command]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=self._folder)
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stdout}{done.stderr}")


@dataclass
class Databases:
    """Makes databases of one kind; ``template`` gives the address of one with tables that nobody is connected to."""

    kind: str
    folder: Path
    server: str
    template: Callable[[], str]
    made: list[str] = field(default_factory=list)

    def new(self, options: str = "") -> str:
        """Address of a new database, empty unless PostgreSQL is told otherwise."""
        name = f"grue_test_{os.getpid()}_{len(self.made)}_{os.urandom(4).hex()}"
        if self.kind == "sqlite":
            self.made.append(f"sqlite:///{self.folder / name}.sqlite")
        else:
            self._on_server(f"CREATE DATABASE {name} {options}")
            self.made.append(database_url(self.server).set(database=name).render_as_string(hide_password=False))
        return self.made[-1]

    def migrated(self) -> str:
        """Address of a new database with the tables of today and no rows: a copy of one that was migrated once."""
        template = database_url(self.template()).database or ""
        if self.kind == "postgresql":
            return self.new(f"TEMPLATE {template}")
        url = self.new()
        shutil.copyfile(template, database_url(url).database or "")
        return url

    def delete(self, url: str) -> None:
        """Remove a database with all it holds."""
        name = database_url(url).database or ""
        if self.kind == "sqlite":
            for path in Path(name).parent.glob(f"{Path(name).name}*"):
                path.unlink()
        else:
            self._on_server(f"DROP DATABASE {name} WITH (FORCE)")
        self.made.remove(url)

    def again(self, url: str) -> None:
        """An empty database in the place of a deleted one."""
        self.delete(url)
        if self.kind == "postgresql":
            self._on_server(f"CREATE DATABASE {database_url(url).database}")
        self.made.append(url)

    def _on_server(self, statement: str) -> None:
        engine = create_engine(database_url(self.server), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


def _no_template() -> str:
    raise AssertionError("only databases made by the fixture have one")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A SQLite database with the tables of today."""
    url = f"sqlite:///{tmp_path_factory.mktemp('template')}/template.sqlite"
    open_store(url).close()
    return url


@pytest.fixture(scope="session")
def postgresql_template(postgres: str) -> Iterator[str]:
    """A PostgreSQL database with the tables of today."""
    databases = Databases("postgresql", Path(), postgres, _no_template)
    url = databases.new()
    open_store(url).close()
    yield url
    databases.delete(url)


@pytest.fixture
def databases_of(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Databases]]:
    """New databases of a kind that a test chooses."""
    all_made: list[Databases] = []

    def of(kind: str) -> Databases:
        server = request.getfixturevalue("postgres") if kind == "postgresql" else ""
        all_made.append(Databases(kind, tmp_path, server, lambda: request.getfixturevalue(f"{kind}_template")))
        return all_made[-1]

    yield of
    for made in all_made:
        for url in list(made.made) if made.kind == "postgresql" else ():
            made.delete(url)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def databases(request: pytest.FixtureRequest, databases_of: Callable[[str], Databases]) -> Databases:
    """New databases of both kinds."""
    return databases_of(request.param)
