"""A correction takes the place of an old result, which stays readable; rebuilds do not lose it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grue.core.errors import RunDirectoryError, StoreError, UsageError
from grue.runs.supersession import Supersession, read_supersessions, sorted_out, write_supersession
from grue.store import queries
from grue.store.database import Store, open_store
from grue.store.decisions import supersede
from grue.store.rebuild import add_run, rebuild


@pytest.fixture
def three(store: Store, runs: Any) -> list[str]:
    """Three runs in the store."""
    paths = [runs.write(weights=weights) for weights in "abc"]
    rebuild(store, [runs.folder])
    return [path.name for path in paths]


def test_old_result_no_longer_counts_and_stays_readable(store: Store, three: list[str]) -> None:
    old, new, _ = three
    decision = supersede(store, old, new, "  scored with the wrong references ")
    assert (decision.old, decision.new, decision.reason) == (old, new, "scored with the wrong references")
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", decision.decided_at)
    assert old not in queries.board(store, "mini-test").runs
    assert queries.board(store, "mini-test", with_superseded=True).runs[old].superseded == decision
    assert queries.run(store, old).results["commongen"].metrics["cider_d"].value == 1.0
    listed = {run.run_id: run.superseded for run in queries.runs(store).runs}
    assert listed == {old: decision, new: None, three[2]: None}
    assert queries.settings(store)[0].runs == 2
    assert queries.tasks(store)[0].runs == 2
    assert len(queries.entries(store, "mini-test", "commongen", "cider_d")) == 2


def test_decision_lies_in_the_new_run_and_survives_the_database(
    databases: Any, runs: Any, answers: Callable[[Store], str]
) -> None:
    old, new = runs.write(weights="a"), runs.write(weights="b")
    url = databases.new()
    with open_store(url) as store:
        rebuild(store, [runs.folder])
        decision = supersede(store, old.name, new.name, "typo")
        assert read_supersessions(new, new.name) == (decision,)
        before = answers(store)
        rebuild(store, [runs.folder])
        assert answers(store) == before
    databases.again(url)
    with open_store(url) as store:
        rebuild(store, [runs.folder])
        assert answers(store) == before
        assert queries.supersessions(store) == (decision,)


def test_decision_waits_while_its_new_run_is_not_in_the_index(store: Store, runs: Any, three: list[str]) -> None:
    old, new, _ = three
    decision = supersede(store, old, new, "typo")
    rebuild(store, [runs.folder / old])
    assert queries.supersessions(store) == ()
    assert queries.board(store, "mini-test").runs.keys() == {old}
    add_run(store, runs.folder / new)
    assert queries.supersessions(store) == (decision,)
    assert queries.board(store, "mini-test").runs.keys() == {new}


def test_decisions_that_contradict_are_refused(store: Store, three: list[str]) -> None:
    first, second, third = three
    supersede(store, first, second, "typo")
    supersede(store, second, third, "another")
    with pytest.raises(StoreError, match="has a successor already"):
        supersede(store, first, third, "again")
    with pytest.raises(StoreError, match="was itself superseded"):
        supersede(store, third, first, "back")
    with pytest.raises(StoreError, match="own place"):
        supersede(store, third, third, "self")
    assert [decision.old for decision in queries.supersessions(store)] == [first, second]


@pytest.mark.parametrize(("old", "says"), [("01K", "no run"), ("01J", "fits 3 runs"), ("", "no run")])
def test_wrong_ids_are_wrong_calls(store: Store, three: list[str], old: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        supersede(store, old, three[1], "typo")


def test_decision_without_a_reason_is_a_wrong_call(store: Store, three: list[str]) -> None:
    with pytest.raises(UsageError, match="reason"):
        supersede(store, three[0], three[1], "  ")


def test_where_the_new_run_cannot_be_written_nothing_is_decided(store: Store, runs: Any, three: list[str]) -> None:
    old, new, _ = three
    (runs.folder / new / "supersedes.json").write_text("{}")
    with pytest.raises(RunDirectoryError, match="schema_version"):
        supersede(store, old, new, "typo")
    assert queries.supersessions(store) == ()


def test_published_correction_counts_like_one_of_our_own(store: Store, runs: Any) -> None:
    old, new = runs.write(weights="a"), runs.write(weights="b")
    (new / "submission.yaml").write_text(
        f"schema_version: 1\nname: fixed\nrun_id: {new.name}\ndescription: a system\nlicence: MIT\ntrained_on: books\n"
        "contamination: none known\nmark: self-reported\ncommand: grue eval\ngrue: {version: 0.1.0, commit: null}\n"
        f"supersedes: {{run_id: {old.name}, reason: wrong split, date: 2026-11-20}}\n"
    )
    rebuild(store, [runs.folder])
    assert queries.supersessions(store) == (Supersession(old.name, new.name, "wrong split", "2026-11-20T00:00:00Z"),)
    assert queries.board(store, "mini-test").runs[new.name].mark == "self-reported"


def test_order_of_discovery_does_not_decide_which_of_two_contradictions_stands() -> None:
    early = Supersession("a", "b", "x", "2026-11-01T00:00:00Z")
    late = Supersession("a", "c", "y", "2026-11-02T00:00:00Z")
    circle = Supersession("b", "a", "z", "2026-11-03T00:00:00Z")
    for order in ([early, late, circle], [circle, late, early]):
        kept, refused = sorted_out(order, ())
        assert kept == [early]
        assert [one.decision for one in refused] == [late, circle]


def test_contradicting_file_is_named_by_the_rebuild(store: Store, runs: Any, three: list[str]) -> None:
    first, second, third = three
    for new, time in ((second, "2026-11-01T00:00:00Z"), (third, "2026-11-02T00:00:00Z")):
        write_supersession(runs.folder / new, Supersession(first, new, "typo", time))
    done = rebuild(store, [runs.folder])
    assert [(one.decision.new, one.reason) for one in done.refused] == [
        (third, f"run {first} has a successor already: {second}.")
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "no valid JSON"),
        ('{"schema_version": 2, "run_id": "RUN", "supersedes": []}', "reads up to 1"),
        ('{"schema_version": 1, "run_id": "other", "supersedes": []}', "the run here is"),
        ('{"schema_version": 1, "run_id": "RUN", "supersedes": [1]}', "should be an object"),
        ('{"schema_version": 1, "run_id": "RUN", "supersedes": [{"old": "x"}]}', "reason should be a string"),
    ],
)
def test_damaged_decision_is_named_and_its_run_stays(store: Store, runs: Any, text: str, says: str) -> None:
    path: Path = runs.write()
    (path / "supersedes.json").write_text(text.replace("RUN", path.name))
    done = rebuild(store, [runs.folder])
    assert done.runs == 1
    assert [says in broken.reason for broken in done.skipped] == [True]
    assert "supersedes.json" in done.skipped[0].reason


def test_several_old_runs_may_have_one_successor(store: Store, runs: Any, three: list[str]) -> None:
    supersede(store, three[0], three[2], "one")
    supersede(store, three[1], three[2], "two")
    document = json.loads((runs.folder / three[2] / "supersedes.json").read_text())
    assert [one["old"] for one in document["supersedes"]] == three[:2]
    assert queries.board(store, "mini-test").runs.keys() == {three[2]}
