"""The index is made again from folders; what is born in the database stays, and each change of the board is counted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from grue.core.errors import StoreError
from grue.runs import published
from grue.runs.read import read_run
from grue.store import queries, schema
from grue.store.check import check
from grue.store.database import Store, database_url, open_store
from grue.store.decisions import supersede
from grue.store.models import Base
from grue.store.rebuild import add_run, rebuild
from grue.store.records import RunRecord, record_of
from grue.store.service import jobs, submissions, tokens, users
from leaderboard_site.from_store import collect_stored
from tests.store.service.conftest import Desk

BORN = (
    "users", "identities", "sign_ins", "tokens", "invites", "attempts", "submissions", "jobs", "job_log", "workers",
    "hidden_runs", "closed_tasks", "audit_log", "supersessions",
)  # fmt: skip


def born(store: Store) -> dict[str, list[str]]:
    """All rows of what is born in the database."""
    with store.read() as connection:
        return {name: sorted(str(row) for row in connection.execute(text(f"SELECT * FROM {name}"))) for name in BORN}


@pytest.fixture
def busy(desk: Desk, record: RunRecord, runs: Any) -> Desk:
    """A desk with something in each table; its public submission's run lies in no folder of results."""
    store = desk.store
    tokens.create_token(store, desk.user.user_id, "ci", ["read"])
    submissions.count_attempt(store, desk.user.user_id, desk.limits)
    desk.done(desk.submit(), record)
    private = desk.done(desk.submit(is_public=False), record)
    old, new = runs.write(weights="a"), runs.write(weights="b")
    rebuild(store, [runs.folder])
    supersede(store, old.name, new.name, "wrong data")
    submissions.hide_run(store, new.name, "why", "host")
    submissions.set_task_closed(store, "wmt16", True, "host")
    jobs.seen(store, "w", None)
    assert private in {one.run_id for one in queries.locations(store)}
    return desk


def test_rebuild_keeps_what_is_born_in_the_database_and_runs_of_submissions(
    busy: Desk, runs: Any, answers: Callable[[Store], str]
) -> None:
    before, said = born(busy.store), answers(busy.store)
    hidden = submissions.hidden_run_ids(busy.store)
    assert len(hidden) == 2
    done = rebuild(busy.store, [runs.folder])
    assert (len(done.kept), done.removed, done.runs) == (2, (), 5)
    assert born(busy.store) == before
    assert answers(busy.store) == said
    assert submissions.hidden_run_ids(busy.store) == hidden
    assert check(busy.store, [runs.folder]).differences == ()


def test_rebuild_of_an_empty_folder_leaves_the_runs_of_submissions_alone(busy: Desk, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    before = born(busy.store)
    done = rebuild(busy.store, [tmp_path / "empty"])
    own = {one.run_id for one in submissions.all_submissions(busy.store).submissions}
    assert (len(done.removed), {one.run_id for one in queries.locations(busy.store)}) == (3, own)
    assert born(busy.store) == before


def test_submissions_run_that_a_folder_holds_is_compared_with_it(
    desk: Desk, runs: Any, rewrite: Callable[..., None]
) -> None:
    path = runs.write()
    held_in = desk.submit()
    held = desk.claim()
    record = record_of(read_run(path))
    assert jobs.finish(desk.store, held.job_id, 1, record, record.run_id, now=desk.now)
    assert desk.again(held_in).run_id == path.name
    assert check(desk.store, [runs.folder]).differences == ()
    rewrite(path, tasks__commongen__metrics__cider_d__value=2.0)
    assert {one.run_id for one in check(desk.store, [runs.folder]).differences} == {path.name}
    assert rebuild(desk.store, [runs.folder]).changed == (path.name,)


def test_every_command_that_changes_the_board_is_counted(store: Store, runs: Any) -> None:
    versions = [submissions.board_version(store)]
    old, new = runs.write(weights="a"), runs.write(weights="b")

    def grows() -> bool:
        versions.append(submissions.board_version(store))
        return versions[-1] > versions[-2]

    assert add_run(store, old)
    assert grows()
    assert not add_run(store, old)
    assert not grows()
    rebuild(store, [runs.folder])
    assert grows()
    supersede(store, old.name, new.name, "wrong data")
    assert grows()
    check(store, [runs.folder])
    assert not grows()
    with pytest.raises(StoreError):
        supersede(store, old.name, new.name, "again")
    assert not grows()


def test_static_board_leaves_out_what_is_private_or_hidden(databases: Any, runs: Any) -> None:
    url = databases.new()
    with open_store(url) as store:
        desk = Desk(store, users.create_user(store, "Ann", "submitter"))
        paths = [runs.write(weights=letter) for letter in "abc"]
        records = [record_of(read_run(path)) for path in paths]
        for index, one in enumerate(records[:2]):
            desk.submit(is_public=bool(index))
            held = desk.claim()
            assert jobs.finish(store, held.job_id, 1, one, one.run_id)
        add_run(store, paths[2])
        supersede(store, records[1].run_id, records[2].run_id, "the hidden one shows in no decision")
        submissions.hide_run(store, records[2].run_id, "why", "host")
    (shown,) = collect_stored(url).runs
    assert (shown.id, shown.superseded) == (records[1].run_id, None)


def old_database(url: str, path: Path) -> None:
    """A database of the first revision, filled by its own tables alone."""
    from alembic import command
    from alembic.config import Config

    with open_store(url, checked=False) as store, store.change() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        assert not connection.dialect.has_table(connection, "users")
        from grue.store.indexing import index_run
        from grue.store.rows import rows_of

        index_run(connection, rows_of(record_of(read_run(path))), "")
        values = "'01JOLD', '01JNEW', 'wrong data', '2026-11-01T00:00:00Z'"
        connection.execute(text(f"INSERT INTO supersessions VALUES ({values})"))


def test_database_of_the_first_revision_is_raised_with_its_runs(
    databases: Any, runs: Any, answers: Callable[[Store], str]
) -> None:
    path = runs.write(grue=40.0)
    url, fresh = databases.new(), databases.new()
    old_database(url, path)
    if databases.kind == "postgresql":
        with pytest.raises(StoreError, match="schema is 0001; this version of grue needs 0002") as error:
            open_store(url)
        assert "grue db upgrade" in error.value.fix
        with open_store(url, checked=False) as store:
            assert store.upgrade()
    with open_store(url) as store, open_store(fresh) as other:
        add_run(other, path)
        assert answers(store) == answers(other)
        with store.read() as connection:
            assert connection.execute(text("SELECT count(*) FROM supersessions")).scalar() == 1
        assert submissions.board_version(store) == 1
        desk = Desk(store, users.create_user(store, "Ann", "submitter"))
        made = desk.submit()
        assert desk.claim().job_id == made.job_id
        assert submissions.hidden_run_ids(store) == frozenset()
        assert check(store, [runs.folder]).differences[0].kind == "extra"  # the decision that no directory has


def test_upgrade_that_is_interrupted_leaves_the_old_form(
    databases: Any, runs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = databases.new()
    old_database(url, runs.write())
    real = Store.upgrade

    def cut(store: Store) -> bool:
        with store.change() as connection:
            schema.upgrade(connection)
            raise KeyboardInterrupt

    monkeypatch.setattr(Store, "upgrade", cut)
    with open_store(url, checked=False) as store, pytest.raises(KeyboardInterrupt):
        store.upgrade()
    engine = create_engine(database_url(url))
    with engine.connect() as connection:
        assert schema.revision(connection) == "0001"
        assert not connection.dialect.has_table(connection, "users")
        assert connection.execute(text("SELECT count(*) FROM runs")).scalar() == 1
    engine.dispose()
    monkeypatch.setattr(Store, "upgrade", real)
    with open_store(url, checked=False) as store:
        assert store.upgrade()
        assert len(queries.locations(store)) == 1


def test_all_that_is_born_in_the_database_is_looked_at_here() -> None:
    index = {"runs", "asked", "suites", "results", "store_state", "board_state"}
    assert set(Base.metadata.tables) == index | set(BORN)


def test_copy_of_a_submissions_run_under_results_is_no_second_run(desk: Desk, runs: Any, record: RunRecord) -> None:
    desk.submit()
    held = desk.claim()
    assert jobs.finish(desk.store, held.job_id, 1, record, record.run_id)
    shutil.copytree(record.path, runs.folder / "copy")
    done = rebuild(desk.store, [runs.folder])
    assert (done.runs, done.kept) == (1, ())


def test_attempt_that_never_counted_does_not_come_onto_the_board(desk: Desk, runs: Any) -> None:
    """A worker stored a run and was killed before it told of it; then the submission was cancelled."""
    private = desk.submit(is_public=False)
    lost, counted = runs.write(weights="a"), runs.write(weights="b")
    for path in (lost, counted):
        said = dict.fromkeys(("description", "licence", "trained_on", "contamination", "command", "grue_version"), "x")
        about = published.Submission(name=private.submission_id, run_id=path.name, mark="rescored", **said)
        (path / published.SUBMISSION).write_text(json.dumps(about.to_json()))
    held = desk.claim()
    for path in (lost, counted):
        with pytest.raises(StoreError, match="that does not count"):
            add_run(desk.store, path)
    assert [broken.path for broken in rebuild(desk.store, [runs.folder]).skipped] == [lost, counted]
    assert queries.locations(desk.store) == ()
    record = record_of(read_run(counted))
    assert jobs.finish(desk.store, held.job_id, 1, record, counted.name)
    done, checked = rebuild(desk.store, [runs.folder]), check(desk.store, [runs.folder])
    assert [(one.path, private.submission_id in one.reason) for one in done.skipped] == [(lost, True)]
    assert (checked.differences, checked.skipped, checked.runs) == ((), done.skipped, 1)
    assert {one.run_id for one in queries.locations(desk.store)} == {counted.name}
    assert submissions.hidden_run_ids(desk.store) == {counted.name}
    assert not add_run(desk.store, counted)
