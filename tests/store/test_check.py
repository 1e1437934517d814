"""`check` names every difference between run directories and database, by run and key."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from grue.store.check import CHANGED, EXTRA, MISSING, Difference, check
from grue.store.database import Store
from grue.store.decisions import supersede
from grue.store.rebuild import rebuild


def named(store: Store, runs: Any) -> list[tuple[str, str, str, object, object]]:
    """The differences as plain values, names of run directories instead of ids."""
    found = check(store, [runs.folder]).differences
    return [(one.kind, one.run_id, one.key, one.directory, one.database) for one in found]


def tampered(store: Store, *statements: str) -> None:
    """Statements of someone who takes the guard away first."""
    with store.write() as connection:
        for table in ("runs", "asked", "suites", "results", "supersessions"):
            for event in ("update", "delete"):
                on = f" ON {table}" if connection.dialect.name == "postgresql" else ""
                connection.execute(text(f"DROP TRIGGER {table}_no_{event}{on}"))
        for statement in statements:
            connection.execute(text(statement))


def test_fresh_index_has_no_differences(store: Store, runs: Any, fake: Any) -> None:
    odd = fake({"cider_d": 0.1 + 0.2, "coverage": None}, rewards={"rouge": -0.0})
    runs.write({"commongen": odd}, name="é\x00")
    runs.write(parameters=2**40, kind="null")
    rebuild(store, [runs.folder])
    checked = check(store, [runs.folder])
    assert (checked.runs, checked.differences, checked.skipped) == (2, (), ())


def test_runs_that_only_one_side_has_are_named(store: Store, runs: Any) -> None:
    gone, kept = runs.write(weights="a"), runs.write(weights="b")
    rebuild(store, [runs.folder])
    shutil.rmtree(gone)
    new = runs.write(weights="c")
    assert named(store, runs) == [
        (EXTRA, gone.name, "", None, str(gone.resolve())),
        (MISSING, new.name, "", str(new.resolve()), None),
    ]
    assert kept.name not in str(named(store, runs))


def test_changed_run_directory_is_named_by_checksum_and_key(
    store: Store, runs: Any, rewrite: Callable[..., None]
) -> None:
    path = runs.write()
    rebuild(store, [runs.folder])
    rewrite(
        path,
        tasks__commongen__metrics__cider_d__value=2.5,
        tasks__commongen__metrics__coverage__signature="coverage|v:2",
        tasks__commongen__n__scored=6,
        scores__grue__value=12.0,
    )
    found = {key: (directory, database) for _, _, key, directory, database in named(store, runs)}
    assert found.pop("checksum")
    assert found == {
        "tasks.commongen.metrics.cider_d.value": (2.5, 1.0),
        "tasks.commongen.metrics.coverage.signature": ("coverage|v:2", "coverage|v:1"),
        "tasks.commongen.scored": (6, 7),
        "scores.grue.value": (12.0, None),
    }


def test_change_of_a_value_that_the_index_does_not_hold_shows_in_the_checksum(
    store: Store, runs: Any, rewrite: Callable[..., None]
) -> None:
    path = runs.write()
    rebuild(store, [runs.folder])
    rewrite(path, tasks__commongen__cost__wall_seconds=99.0)
    assert [key for _, _, key, _, _ in named(store, runs)] == ["checksum"]


def test_edited_manifest_is_named(store: Store, runs: Any) -> None:
    path = runs.write()
    rebuild(store, [runs.folder])
    manifest = (path / "manifest.json").read_text()
    (path / "manifest.json").write_text(manifest.replace('"name": "system"', '"name": "better"'))
    assert [(key, directory, database) for _, _, key, directory, database in named(store, runs) if key == "name"] == [
        ("name", "better", "system")
    ]


def test_metric_that_only_one_side_has_is_named(store: Store, runs: Any, rewrite: Callable[..., None]) -> None:
    path = runs.write()
    rebuild(store, [runs.folder])
    value = {"value": 0.5, "ci95": None, "n": 7, "scale": 1.0, "higher_is_better": True, "signature": "x"}
    rewrite(path, tasks__commongen__metrics={"cider_d": {**value, "value": 1.0}, "new": value})
    kinds = {(kind, key) for kind, _, key, _, _ in named(store, runs)}
    assert (MISSING, "tasks.commongen.metrics.new.value") in kinds
    assert (EXTRA, "tasks.commongen.metrics.coverage.value") in kinds


@pytest.mark.parametrize(
    ("statement", "key", "directory", "database"),
    [
        ("UPDATE runs SET name = 'winner'", "name", "system", "winner"),
        ("UPDATE runs SET path = '/elsewhere'", "path", None, "/elsewhere"),
        ("UPDATE asked SET split = 'train'", "tasks.commongen.split", "test", "train"),
        ("UPDATE results SET quality = 99", "tasks.commongen.scores.quality.value", 50.0, 99.0),
        ("UPDATE suites SET metrics = replace(metrics, 'cider_d|v:1', 'x')",
         "tasks.commongen.metrics.cider_d.signature", "cider_d|v:1", "x"),
    ],
)  # fmt: skip
def test_tampered_database_is_named_and_mended_by_a_rebuild(
    store: Store, runs: Any, statement: str, key: str, directory: object, database: object
) -> None:
    path = runs.write()
    rebuild(store, [runs.folder])
    tampered(store, statement)
    expected = Difference(CHANGED, path.name, key, directory or str(path.resolve()), database)
    assert check(store, [runs.folder]).differences == (expected,)
    rebuild(store, [runs.folder])
    assert check(store, [runs.folder]).differences == ()


def test_tampered_numbers_are_named_even_where_they_cannot_be_read(store: Store, runs: Any) -> None:
    runs.write()
    rebuild(store, [runs.folder])
    empty = "''" if store.shown.startswith("sqlite") else "''::bytea"
    tampered(store, f"UPDATE results SET numbers = {empty}")
    (found,) = check(store, [runs.folder]).differences
    assert found.key == "the rows of its results"
    assert str(found).startswith(f"run {found.run_id}: the rows of its results is 'sound' in the run directory")


def test_decisions_that_only_one_side_has_are_named(store: Store, runs: Any) -> None:
    old, new = runs.write(weights="a"), runs.write(weights="b")
    rebuild(store, [runs.folder])
    decision = supersede(store, old.name, new.name, "typo")
    assert named(store, runs) == []
    (new / "supersedes.json").unlink()
    said = f"{new.name}, {decision.decided_at}: typo"
    assert named(store, runs) == [(EXTRA, old.name, "superseded_by", None, said)]


def test_broken_runs_are_skipped_and_named(store: Store, runs: Any) -> None:
    path = runs.write(weights="a")
    runs.write(weights="b")
    rebuild(store, [runs.folder])
    (path / "results.json").write_text("{")
    checked = check(store, [runs.folder])
    assert [(broken.path, "results.json" in broken.reason) for broken in checked.skipped] == [(path.resolve(), True)]
    assert [(one.kind, one.run_id) for one in checked.differences] == [(EXTRA, path.name)]
