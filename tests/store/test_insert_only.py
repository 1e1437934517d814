"""No result is lost or changes silently: not by our code, not by a statement from outside."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from grue.core.errors import StoreError
from grue.store.database import Store
from grue.store.decisions import supersede
from grue.store.rebuild import add_run, rebuild

INDEX = ("runs", "asked", "suites", "results")


@pytest.fixture
def filled(store: Store, runs: Any) -> Store:
    """A store with two runs, one superseded by the other."""
    old, new = runs.write(weights="a"), runs.write(weights="b")
    rebuild(store, [runs.folder])
    supersede(store, old.name, new.name, "wrong data")
    return store


@pytest.mark.parametrize("table", [*INDEX, "supersessions"])
def test_statements_that_change_or_remove_are_refused(
    filled: Store, table: str, answers: Callable[[Store], str]
) -> None:
    before = answers(filled)
    column = {
        "runs": "name = 'x'", "asked": "version = 2", "suites": "metrics = ''", "results": "scored = 0",
        "supersessions": "reason = ''",
    }[table]  # fmt: skip
    for statement in (f"UPDATE {table} SET {column}", f"DELETE FROM {table}"):
        with pytest.raises(StoreError, match="insert-only"), filled.write() as connection:
            connection.execute(text(statement))
    assert answers(filled) == before


def test_decisions_are_not_even_removed_by_a_rebuild(filled: Store) -> None:
    with pytest.raises(StoreError, match="insert-only"), filled.rebuild() as connection:
        connection.execute(text("DELETE FROM supersessions"))


def test_a_table_is_not_emptied_on_postgres(filled: Store) -> None:
    with filled.read() as connection:
        is_postgres = connection.dialect.name == "postgresql"
    if is_postgres:
        with pytest.raises(StoreError, match="insert-only"), filled.write() as connection:
            connection.execute(text("TRUNCATE runs CASCADE"))


def test_guard_is_up_again_after_a_rebuild_that_failed(filled: Store) -> None:
    with pytest.raises(RuntimeError), filled.rebuild():
        raise RuntimeError
    with pytest.raises(StoreError, match="insert-only"), filled.write() as connection:
        connection.execute(text("DELETE FROM runs"))


def test_same_run_again_changes_nothing_and_other_results_are_refused(
    store: Store, runs: Any, rewrite: Callable[..., None], answers: Callable[[Store], str]
) -> None:
    path = runs.write(weights="a")
    assert add_run(store, path)
    before = answers(store)
    assert not add_run(store, path)
    copy = shutil.copytree(path, runs.folder / "copy")
    assert not add_run(store, copy)
    rewrite(path, tasks__commongen__metrics__cider_d__value=2.0)
    with pytest.raises(StoreError, match="stored with other results") as error:
        add_run(store, path)
    assert "grue db supersede" in error.value.fix
    assert answers(store) == before
