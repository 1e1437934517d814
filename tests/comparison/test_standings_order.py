"""Settings and orders, on run directories whose numbers are given and whose rows are not."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from grue.comparison.standings import rank_board
from grue.comparison.standings_runs import BoardRun, board_run
from grue.comparison.standings_settings import settings
from grue.comparison.standings_task import TaskBoard, rank_task
from grue.runs.read import read_run
from tests.site.fake_runs import FakeTask, write_run


@pytest.fixture
def run(make_run: Callable[..., Path], fake_task: Any) -> Callable[..., BoardRun]:
    """A run of one task ``t`` with one value of ``metric``; further arguments go to the task."""

    def make(name: str, value: float | None, metric: str = "sacrebleu", **more: Any) -> BoardRun:
        kind = name.partition(":")[0] if ":" in name else "demo"
        values = more.pop("values", {metric: value})
        primary = more.pop("primary", (metric,))
        task = fake_task(values=values, primary=primary, **more)
        return board_run(read_run(make_run(f"ID-{name.replace(':', '-')}", name, {"t": task}, kind=kind, source=name)))

    return make


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """Writes a run directory; arguments as for ``write_run`` after the folder."""
    return partial(write_run, tmp_path / "runs")


@pytest.fixture
def fake_task() -> type[FakeTask]:
    """The class of a task of a run."""
    return FakeTask


def _ranks(board: TaskBoard) -> dict[str, int | None]:
    return {entry.run.name: entry.rank for entry in board.entries.values()}


def test_higher_is_better_and_ties_share_a_rank(run: Callable[..., BoardRun]) -> None:
    runs = [run("a", 10.0), run("b", 20.0), run("c", 20.0), run("d", 5.0)]
    assert _ranks(rank_task("t", runs)) == {"a": 3, "b": 1, "c": 1, "d": 4}


def test_lower_is_better_for_ter(run: Callable[..., BoardRun]) -> None:
    assert _ranks(rank_task("t", [run("a", 80.0, "ter"), run("b", 60.0, "ter")])) == {"a": 2, "b": 1}


def test_a_metric_without_direction_is_never_ranked(run: Callable[..., BoardRun]) -> None:
    board = rank_task("t", [run("a", 12.0, "mean_length"), run("b", 13.0, "mean_length")])
    assert board.metric == "mean_length"
    assert _ranks(board) == {"a": None, "b": None}


def test_a_missing_value_is_never_ranked(run: Callable[..., BoardRun]) -> None:
    assert _ranks(rank_task("t", [run("a", None), run("b", 1.0)])) == {"a": None, "b": 1}


def test_yardsticks_are_never_ranked_and_set_the_strip(run: Callable[..., BoardRun]) -> None:
    runs = [run("a", 30.0), run("null:random-reference", 10.0), run("oracle:reference", 60.0), run("null:empty", 90.0)]
    board = rank_task("t", runs)
    assert _ranks(board) == {"a": 1, "null:random-reference": None, "oracle:reference": None, "null:empty": None}
    assert (board.floor, board.ceiling) == (10.0, 60.0)
    position = board.entries["ID-a"].position
    assert position is not None
    assert position[0] == pytest.approx(0.4)
    assert position[1] == pytest.approx((28.5 - 10) / 50)


def test_without_a_ceiling_there_is_no_strip(run: Callable[..., BoardRun]) -> None:
    board = rank_task("t", [run("a", 30.0), run("null:random-reference", 10.0)])
    assert board.entries["ID-a"].position is None


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({"version": 2}, ("task version",)),
        ({"data": "e" * 64}, ("data",)),
        ({"prompts": "e" * 64}, ("prompts or rows",)),
        ({"signatures": {"sacrebleu": "other"}}, ("metric signature",)),
    ],
)
def test_other_comparison_keys_are_shown_and_not_ranked(
    run: Callable[..., BoardRun], change: dict[str, Any], differs: tuple[str, ...]
) -> None:
    board = rank_task("t", [run("a", 10.0), run("b", 20.0), run("c", 99.0, **change)])
    assert _ranks(board) == {"a": 2, "b": 1, "c": None}
    assert board.entries["ID-c"].differs == differs
    assert board.entries["ID-c"].position is None


def test_a_floor_on_other_rows_is_no_floor(run: Callable[..., BoardRun]) -> None:
    board = rank_task("t", [run("a", 10.0), run("null:random-reference", 1.0, data="e" * 64)])
    assert board.floor is None


def test_the_next_primary_stands_in_for_an_absent_one(run: Callable[..., BoardRun]) -> None:
    values = {"sentiment": None, "chrf": 40.0, "sacrebleu": 9.0}
    board = rank_task("t", [run("a", 0, values=values, primary=("sentiment", "sacrebleu"))])
    assert (board.metric, board.wanted) == ("sacrebleu", "sentiment")


def test_without_any_primary_the_first_metric_with_a_direction_is_shown(run: Callable[..., BoardRun]) -> None:
    values = {"sentiment": None, "mean_length": 3.0, "chrf": 40.0}
    board = rank_task("t", [run("a", 0, values=values, primary=("sentiment",))])
    assert (board.metric, board.wanted) == ("chrf", "sentiment")


def test_where_no_metric_has_a_direction_the_first_is_shown_unranked(run: Callable[..., BoardRun]) -> None:
    values = {"sentiment": None, "mean_length": 3.0}
    board = rank_task("t", [run("a", 0, values=values, primary=("sentiment",))])
    assert (board.metric, board.wanted, board.ranked) == ("mean_length", "sentiment", [])


def test_the_order_is_the_mean_of_places_and_a_missing_task_counts_as_after_the_last(
    make_run: Callable[..., Path], fake_task: Any
) -> None:
    def value(score: float) -> Any:
        return fake_task(values={"sacrebleu": score})

    tasks = {
        "A": {"t": value(30), "u": value(10)},  # 1 and 2: 1.5
        "B": {"t": value(20), "u": value(20)},  # 2 and 1: 1.5
        "C": {"t": value(10)},  # 3 and, of two ranked, 3: 3.0
    }
    runs = [board_run(read_run(make_run(name, name, found))) for name, found in tasks.items()]
    data = rank_board(settings(runs)[0], ["u", "t"])
    assert list(data.tasks) == ["u", "t"]
    assert {name: (place.place, place.mean) for name, place in data.places.items()} == {
        "A": (1, 1.5),
        "B": (1, 1.5),
        "C": (3, 3.0),
    }


def test_a_run_without_any_rank_has_no_place(run: Callable[..., BoardRun]) -> None:
    runs = [run("a", 10.0), run("b", 20.0), run("c", 99.0, data="e" * 64)]
    assert list(rank_board(settings(runs)[0], []).places) == ["ID-b", "ID-a"]


def test_the_default_is_the_whole_split_with_most_runs(run: Callable[..., BoardRun]) -> None:
    runs = [
        run("a", 1.0, source="folder", limit=500, data_rows=600),
        run("b", 1.0, source="folder", split="validation"),
        run("c", 1.0, source="folder"),
        run("d", 1.0, source="folder"),
        run("e", 1.0, source="folder", limit=100, data_rows=600),
        run("f", 1.0),
        run("null:empty", 1.0),
    ]
    found = [(setting.slug, setting.label) for setting in settings(runs)]
    assert found == [
        ("test", "test split, whole"),
        ("mini-test", "mini rows, test split, whole"),
        ("validation", "validation split, whole"),
        ("test-500", "test split, 500 rows a task"),
        ("test-100", "test split, 100 rows a task"),
    ]


def test_a_limit_that_no_task_reaches_leaves_the_split_whole(run: Callable[..., BoardRun]) -> None:
    assert [setting.limit for setting in settings([run("a", 1.0, limit=100, data_rows=40)])] == [None]


def test_splits_that_differ_between_tasks_are_named_so(make_run: Callable[..., Path], fake_task: Any) -> None:
    tasks = {"t": fake_task(source="hub"), "u": fake_task(source="hub", split="validation")}
    setting = settings([board_run(read_run(make_run("A", "a", tasks)))])[0]
    assert (setting.slug, setting.label) == ("default-splits", "default splits, whole")
