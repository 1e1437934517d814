"""The index is made again from run directories: the same answers, all at once or not at all."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grue.core.errors import UsageError
from grue.store import queries, reading
from grue.store.check import check
from grue.store.database import Store, open_store
from grue.store.rebuild import add_run
from grue.store.rebuild import rebuild as rebuild_index

Answers = Callable[[Store], str]


def several(runs: Any, fake: Any) -> list[Path]:
    """Runs of several settings, tasks, seeds and suites."""
    return [
        runs.write(name="a", weights="a", seed=1, grue=40.0),
        runs.write({"commongen": fake({"cider_d": 2.0, "coverage": 80.0})}, name="a", weights="a", seed=2, grue=44.0),
        runs.write({"commongen": fake({"cider_d": 2.0, "coverage": None}), "wmt16": fake({"ter": 60.0})}, weights="b"),
        runs.write({"commongen": fake(split="validation", source="hub", rows=500, limit=100)}, weights="c"),
        runs.write({"commongen": fake(signatures={"cider_d": "cider_d|v:2"}, rewards={"rouge": 0.25})}, weights="d"),
        runs.write(name="null:empty", kind="null"),
        runs.write(
            {"wmt16": fake({"ter": 61.5, "mean_length": 9.0}, primary=("ter",), error="it broke")}, name="é\x00"
        ),
    ]


def test_deleted_database_is_made_again_with_the_same_answers(
    databases: Any, runs: Any, fake: Any, answers: Answers
) -> None:
    several(runs, fake)
    url = databases.new()
    with open_store(url) as store:
        rebuild_index(store, [runs.folder])
        before = answers(store)
    databases.again(url)
    with open_store(url) as store:
        assert queries.locations(store) == ()
        rebuild_index(store, [runs.folder])
        assert answers(store) == before
    assert '"cider_d|v:2"' in before
    assert len(json.loads(before)["runs"]) == 7


def test_answers_do_not_depend_on_the_order_of_insertion(
    databases: Any, runs: Any, fake: Any, answers: Answers
) -> None:
    paths = several(runs, fake)
    with open_store(databases.new()) as one, open_store(databases.new()) as other, open_store(databases.new()) as third:
        rebuild_index(one, [runs.folder])
        for path in reversed(paths):
            assert add_run(other, path)
        rebuild_index(third, [paths[4], *paths])
        rebuild_index(third, list(reversed(paths)))
        assert answers(one) == answers(other) == answers(third)


def test_both_databases_answer_alike(
    postgres: str, tmp_path: Path, runs: Any, fake: Any, answers: Answers, databases_of: Callable[..., Any]
) -> None:
    several(runs, fake)
    said = []
    for kind in ("sqlite", "postgresql"):
        with open_store(databases_of(kind).new()) as store:
            rebuild_index(store, [runs.folder])
            said.append(answers(store))
    assert said[0] == said[1]


def test_report_names_what_came_went_and_changed(store: Store, runs: Any, rewrite: Callable[..., None]) -> None:
    kept, gone, changed = runs.write(weights="a"), runs.write(weights="b"), runs.write(weights="c")
    first = rebuild_index(store, [runs.folder])
    assert (first.runs, first.added) == (3, tuple(sorted(path.name for path in (kept, gone, changed))))
    shutil.rmtree(gone)
    rewrite(changed, tasks__commongen__metrics__cider_d__value=3.0)
    new = runs.write(weights="d")
    second = rebuild_index(store, [runs.folder])
    assert (second.added, second.removed, second.changed) == ((new.name,), (gone.name,), (changed.name,))
    assert second.runs == 3
    assert queries.run(store, changed.name).results["commongen"].metrics["cider_d"].value == 3.0


def test_crash_in_the_middle_leaves_the_old_index(
    store: Store, runs: Any, fake: Any, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.write(weights="a")
    rebuild_index(store, [runs.folder])
    before = answers(store)
    several(runs, fake)
    monkeypatch.setattr(reading, "_CHUNK_RUNS", 2)

    def crash(done: int, of: int) -> None:
        if done > 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild_index(store, [runs.folder], crash)
    assert answers(store) == before
    # The way is free for the next one, and the guard is up again.
    assert rebuild_index(store, [runs.folder]).runs == 8


def test_readers_see_the_old_index_until_the_new_one_is_whole(
    store: Store, runs: Any, fake: Any, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.write(weights="a")
    rebuild_index(store, [runs.folder])
    before = answers(store)
    several(runs, fake)
    monkeypatch.setattr(reading, "_CHUNK_RUNS", 2)
    seen: list[str] = []
    rebuild_index(store, [runs.folder], lambda *_: seen.append(answers(store)))
    assert set(seen) == {before}
    assert len(seen) == 4
    assert answers(store) != before


def test_run_added_while_folders_are_read_is_not_lost(
    databases: Any, runs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.write(weights="a")
    late = runs.write(weights="b", folder="late")
    elsewhere = runs.folder.parent / "elsewhere"
    shutil.move(late, elsewhere / late.name)
    url = databases.new()
    added = threading.Thread(target=lambda: add_run(other, elsewhere / late.name))
    with open_store(url) as store, open_store(url) as other:
        started: list[int] = []

        def add_now(done: int, of: int) -> None:
            if not started:
                started.append(done)
                added.start()
                added.join(30)
                assert not added.is_alive(), "folders are read without the lock"

        done = rebuild_index(store, [runs.folder], add_now)
        assert (done.kept, done.removed) == ((late.name,), ())
        assert {location.run_id for location in queries.locations(store)} == {"01J" + "1".rjust(23, "0"), late.name}


def test_copies_are_one_run_and_another_run_under_its_id_is_named(
    store: Store, runs: Any, rewrite: Callable[..., None]
) -> None:
    path = runs.write(weights="a")
    shutil.copytree(path, runs.folder / "b-copy")
    shutil.copytree(path, runs.folder / "c-other")
    rewrite(runs.folder / "c-other", tasks__commongen__metrics__cider_d__value=9.0)
    done = rebuild_index(store, [runs.folder / "c-other", runs.folder])
    assert done.runs == 1
    assert [(broken.path.name, "also that of" in broken.reason) for broken in done.skipped] == [("c-other", True)]
    assert [location.path for location in queries.locations(store)] == [path.resolve()]
    checked = check(store, [runs.folder])
    assert (checked.differences, checked.skipped) == ((), done.skipped)


def test_many_runs_are_read_by_several_processes_with_the_same_answers(
    databases_of: Callable[..., Any], runs: Any, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        runs.write(weights=f"{number:02d}", name=f"s{number}")
    (runs.folder / f"01J{7:023d}" / "samples" / "commongen.parquet").unlink()
    made = databases_of("sqlite")
    with open_store(made.new()) as one, open_store(made.new()) as several_processes:
        first = rebuild_index(one, [runs.folder])
        monkeypatch.setattr("grue.store.reading._WORTH_PROCESSES", 1)
        monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
        second = rebuild_index(several_processes, [runs.folder])
        assert (first.runs, first.skipped) == (second.runs, second.skipped)
        assert first.runs == 19
        assert answers(one) == answers(several_processes)


def test_missing_results_folder_is_a_wrong_call_and_leaves_the_index(store: Store, runs: Any, answers: Answers) -> None:
    runs.write()
    rebuild_index(store, [runs.folder])
    before = answers(store)
    with pytest.raises(UsageError, match="no such folder"):
        rebuild_index(store, [runs.folder, runs.folder / "nowhere"])
    assert answers(store) == before
