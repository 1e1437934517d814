"""What the store answers, against runs whose numbers are known."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from grue.core.errors import StoreError, UsageError
from grue.stats.ranking import Candidate, rank
from grue.store import queries
from grue.store.database import Store
from grue.store.ranks import ranks_of
from grue.store.rebuild import rebuild

SETTING = "mini-test"


def values_of(store: Store, metric: str) -> dict[str, float]:
    """The comparable numbers of a metric, by run id."""
    board = queries.board(store, SETTING)
    return {number.run_id: number.value for number in board.tasks["commongen"].usual(metric)}


def test_run_is_answered_whole(store: Store, runs: Any, fake: Any) -> None:
    task = fake({"cider_d": 1.25, "coverage": None}, rewards={"rouge": 0.5}, limit=5, rows=7)
    path = runs.write({"commongen": task, "wmt16": fake(error="it broke")}, name="é", seed=3, grue=41.5, parameters=10)
    rebuild(store, [runs.folder])
    found = queries.run(store, path.name)
    assert (found.name, found.seed, found.parameters, found.status) == ("é", 3, 10, "partial")
    assert (found.grue.value, found.grue.ci95) == (41.5, (40.5, 42.5))
    assert (found.naturalness.value, found.naturalness.reason) == (None, "not all tasks")
    assert list(found.results) == ["commongen", "wmt16"]
    result = found.results["commongen"]
    assert (result.asked.limit, result.asked.data_rows, result.asked.primary) == (5, 7, ("cider_d", "coverage"))
    assert result.metrics["cider_d"].ci95 == (1.25 * 0.95, 1.25 * 1.05)
    assert (result.metrics["coverage"].value, result.metrics["coverage"].reason) == (None, "coverage is not installed")
    assert result.rewards["rouge"].value == 0.5
    assert (result.naturalness.value, result.naturalness.reason) == (71.5, "one reference a row")
    assert found.results["wmt16"].error == "it broke"
    with pytest.raises(StoreError, match="no run '01X'"):
        queries.run(store, "01X")


def test_pages_hold_every_run_once_in_order_of_time(store: Store, runs: Any) -> None:
    times = ["2026-11-02T00:00:00.5Z", "2026-11-02T00:00:00Z", "2026-11-02T01:00:00+02:00", "2026-11-02T00:00:00Z"]
    paths = [runs.write(weights=str(number), created_at=time) for number, time in enumerate(times)]
    rebuild(store, [runs.folder])
    first = queries.runs(store, limit=3)
    rest = queries.runs(store, limit=3, cursor=first.next_cursor)
    order = [2, 1, 3, 0]  # the third is 23:00 of the day before in UTC; equal times by id
    assert [run.run_id for run in (*first.runs, *rest.runs)] == [paths[index].name for index in order]
    assert (rest.next_cursor, len(rest.runs)) == (None, 1)
    assert queries.runs(store, setting="other").runs == ()


@pytest.mark.parametrize("cursor", ["x", "", "!!!", "OjAx", "bm90OmE"])
def test_cursor_of_elsewhere_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises(UsageError, match="is no cursor"):
        queries.runs(store, cursor=cursor)


@pytest.mark.parametrize("limit", [0, 1001])
def test_page_size_has_bounds(store: Store, limit: int) -> None:
    with pytest.raises(UsageError, match="limit"):
        queries.runs(store, limit=limit)


def test_only_equal_comparison_keys_come_together(store: Store, runs: Any, fake: Any) -> None:
    same = [runs.write({"commongen": fake({"cider_d": value})}, weights=str(value)[0]) for value in (1.0, 2.0, 3.0)]
    for change in (
        {"version": 2}, {"data": "e" * 64}, {"prompts": "q" * 64}, {"signatures": {"cider_d": "cider_d|v:2"}},
    ):  # fmt: skip
        runs.write({"commongen": fake({"cider_d": 9.0}, **change)}, weights="x")
    # Decoding, seed and limit on the same rows may differ.
    alike = runs.write({"commongen": fake({"cider_d": 4.0}, limit=7)}, weights="y", seed=5)
    rebuild(store, [runs.folder])
    assert values_of(store, "cider_d") == {
        path.name: value for path, value in zip((*same, alike), (1.0, 2.0, 3.0, 4.0), strict=True)
    }
    keys = {number.scored.key for number in queries.board(store, SETTING).tasks["commongen"].of("cider_d")}
    assert len(keys) == 5


def test_settings_keep_splits_subsets_and_profiles_apart(store: Store, runs: Any, fake: Any) -> None:
    runs.write()
    runs.write({"commongen": fake(split="validation")})
    runs.write({"commongen": fake(limit=5)}, weights="b")
    runs.write({"commongen": fake(limit=5, source="hub")}, weights="b")
    runs.write({"commongen": fake(split="validation", source="hub"), "wmt16": fake(source="hub")})
    rebuild(store, [runs.folder])
    assert [one.slug for one in queries.settings(store)] == [
        "default-splits", "mini-test", "mini-test-5", "mini-validation", "test-5",
    ]  # fmt: skip
    assert [(one.task, one.runs, len(one.settings)) for one in queries.tasks(store)] == [
        ("commongen", 5, 5),
        ("wmt16", 1, 1),
    ]


def test_shown_metric_is_the_first_primary_one_with_a_value(store: Store, runs: Any, fake: Any) -> None:
    runs.write({"commongen": fake({"mean_length": 9.0, "bleu": 1.0, "cider_d": None, "coverage": None})})
    rebuild(store, [runs.folder])
    board = queries.board(store, SETTING).tasks["commongen"]
    assert board.metrics == ("cider_d", "coverage", "bleu", "mean_length")
    assert board.shown() == "bleu"


def test_numbers_rank_as_the_ranking_says(store: Store, runs: Any, fake: Any) -> None:
    values = (2.0, 3.0, 2.0, None, 1.0)
    paths = [runs.write({"commongen": fake({"cider_d": value})}, weights=str(n)) for n, value in enumerate(values)]
    rebuild(store, [runs.folder])
    board = queries.board(store, SETTING)
    numbers = board.tasks["commongen"].usual("cider_d")
    candidates = [Candidate(one.run_id, one.value, board.runs[one.run_id].created_at) for one in numbers]
    ranked = rank(candidates, higher_is_better=numbers[0].scored.higher_is_better)
    names = {path.name: index for index, path in enumerate(paths)}
    assert [(names[one.key], one.rank) for one in ranked] == [(1, 1), (0, 2), (2, 2), (4, 4)]


def test_every_rank_at_once_is_that_of_the_ranking(store: Store, runs: Any, fake: Any) -> None:
    values = (2.0, 3.0, 2.0, None, 1.0)
    for number, value in enumerate(values):
        task = fake({"cider_d": value, "ter": value, "mean_length": 1.0})
        runs.write({"commongen": task, "wmt16": fake({"ter": value})}, weights=str(number))
    runs.write({"commongen": fake({"cider_d": 9.0}, version=2)}, weights="x")
    runs.write({"commongen": fake({"cider_d": 9.0})}, kind="oracle", name="oracle:reference")
    rebuild(store, [runs.folder])
    board = queries.board(store, SETTING)
    found = {(one.task, one.metric): dict(zip(one.run_ids, one.ranks, strict=True)) for one in ranks_of(board)}
    assert found.keys() == {("commongen", "cider_d"), ("commongen", "ter"), ("wmt16", "ter")}
    for (task, metric), ranks in found.items():
        numbers = [one for one in board.tasks[task].usual(metric) if not board.runs[one.run_id].is_yardstick]
        candidates = [Candidate(one.run_id, one.value, "") for one in numbers]
        ranked = rank(candidates, higher_is_better=numbers[0].scored.higher_is_better)
        assert ranks == {one.key: one.rank for one in ranked}
    assert sorted(found["commongen", "cider_d"].values()) == [1, 2, 2, 4]
    assert sorted(found["commongen", "ter"].values()) == [1, 2, 2, 4]


def test_seeds_are_one_entry_and_repeats_do_not_weigh(store: Store, runs: Any, fake: Any) -> None:
    made = [
        runs.write({"commongen": fake({"cider_d": value})}, seed=seed, name=f"a {seed}")
        for seed, value in ((1, 1.0), (1, 1.5), (2, 2.0), (3, 6.0))
    ]
    other = runs.write({"commongen": fake({"cider_d": 8.0})}, weights="b", name="b")
    runs.write({"commongen": fake({"cider_d": None})}, seed=4)
    rebuild(store, [runs.folder])
    found = {entry.name: entry for entry in queries.entries(store, SETTING, "commongen", "cider_d")}
    entry = found["a 1"]
    assert entry.runs == tuple(path.name for path in made)
    # Seeds 1, 2 and 3 gave 1, 2 and 6; the second run of seed 1 is a repeat of the first.
    assert (entry.seeds, entry.mean) == (3, 3.0)
    assert entry.spread == pytest.approx(math.sqrt(7))
    assert entry.ci95 is not None
    assert entry.ci95[0] < 3.0 < entry.ci95[1]
    single = found["b"]
    assert (single.runs, single.mean, single.spread, single.ci95) == ((other.name,), 8.0, None, (7.6, 8.4))


def test_history_names_each_rise_of_the_best_value(store: Store, runs: Any, fake: Any) -> None:
    for value in (2.0, 1.0, 2.0, 2.5, None, 2.4):
        runs.write({"commongen": fake({"cider_d": value, "ter": 10 - (value or 0)})}, weights=str(value)[0])
    runs.write({"commongen": fake({"cider_d": 9.0, "ter": 0.0})}, kind="oracle", name="oracle:reference")
    rebuild(store, [runs.folder])
    rises = queries.history(store, SETTING, "commongen", "cider_d")
    assert [(one.value, one.created_at[11:16]) for one in rises] == [(2.0, "00:01"), (2.5, "00:04")]
    falls = queries.history(store, SETTING, "commongen", "ter")
    assert [one.value for one in falls] == [8.0, 7.5]
    assert queries.history(store, SETTING, "commongen", "nothing") == ()
    assert queries.history(store, SETTING, "nothing", "ter") == ()


def test_metric_without_direction_has_no_history(store: Store, runs: Any, fake: Any) -> None:
    runs.write({"commongen": fake({"mean_length": 9.0})})
    rebuild(store, [runs.folder])
    assert queries.history(store, SETTING, "commongen", "mean_length") == ()


def test_marks_say_how_far_the_numbers_are_ours(store: Store, runs: Any) -> None:
    for kind in ("local", "predictions", "imported", "null"):
        runs.write(kind=kind, name=kind)
    rebuild(store, [runs.folder])
    marks = {run.name: run.mark for run in queries.runs(store).runs}
    assert marks == {"local": "verified", "predictions": "rescored", "imported": "imported", "null": "verified"}


def test_empty_store_answers_with_nothing(store: Store, answers: Callable[[Store], str]) -> None:
    assert queries.runs(store).runs == ()
    assert (queries.settings(store), queries.tasks(store), queries.supersessions(store)) == ((), (), ())
    assert queries.board(store, "test").runs == {}
    assert queries.entries(store, "test", "commongen", "cider_d") == ()
