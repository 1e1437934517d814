"""The step line of a task, and what its prompts share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grue.comparison.standings import rank_board
from grue.comparison.standings_settings import settings
from leaderboard_site.collect import collect
from leaderboard_site.pages.task_example import shared
from leaderboard_site.pages.task_history import best_runs, history


def _board(folder: Path) -> Any:
    (setting,) = settings(collect([folder]).runs)
    return rank_board(setting, ["wmt16"]).tasks["wmt16"]


def test_steps_are_the_runs_better_than_all_before_them(
    tmp_path: Path, make_run: Callable[..., Path], fake_task: Any
) -> None:
    for day, level, kind in ((5, 20, "demo"), (1, 10, "demo"), (9, 15, "demo"), (7, 30, "demo"), (3, 99, "oracle")):
        task = fake_task({"sacrebleu": float(level)})
        created = f"2026-10-{day:02d}T05:00:00Z"
        make_run(f"06D{day}", f"run {level}", {"wmt16": task}, kind=kind, created_at=created)
    board = _board(tmp_path / "runs")
    assert [(run.name, value) for run, value in best_runs(board)] == [("run 10", 10), ("run 20", 20), ("run 30", 30)]
    drawn = history(board)
    assert drawn is not None
    assert [(step.date, step.value) for step in drawn.steps] == [
        ("2026-10-01", "10.0"), ("2026-10-05", "20.0"), ("2026-10-07", "30.0"),
    ]  # fmt: skip
    places = [float(step.x.rstrip("%")) for step in drawn.steps]
    # Four of six days; the line goes on for 8 % after the last step.
    assert places == [0.0, pytest.approx(100 * 0.92 * 4 / 6, abs=0.1), pytest.approx(92.0)]
    heights = [float(step.y.rstrip("%")) for step in drawn.steps]
    assert heights == sorted(heights, reverse=True)


def test_where_lower_is_better_the_best_falls(tmp_path: Path, make_run: Callable[..., Path], fake_task: Any) -> None:
    for day, level in ((1, 70.0), (2, 80.0), (3, 60.0)):
        created = f"2026-10-{day:02d}T05:00:00Z"
        make_run(f"06T{day}", f"run {day}", {"wmt16": fake_task({"ter": level}, ("ter",))}, created_at=created)
    assert [value for _, value in best_runs(_board(tmp_path / "runs"))] == [70.0, 60.0]


def test_one_step_is_no_line(tmp_path: Path, make_run: Callable[..., Path], fake_task: Any) -> None:
    make_run("06ONE", "one", {"wmt16": fake_task({"sacrebleu": 10.0})})
    assert history(_board(tmp_path / "runs")) is None


@pytest.mark.parametrize(
    ("prompts", "expected"),
    [
        (["write: a cat.", "write: the dog.", "write: it rains."], ("write: ", ".")),
        (["Where? a", "Who? b", "What? c"], ("", "")),
        (["the cats", "the cars", "the cows"], ("the ", "")),
        (["a singing bird", "a ringing bell", "no thing"], ("", "")),
        (["same", "same", "same"], ("same", "")),
        (["one: x", "one: y"], ("", "")),
        ([], ("", "")),
        (["", "a", "b"], ("", "")),
    ],
)
def test_prompts_share_whole_words(prompts: list[str], expected: tuple[str, str]) -> None:
    assert shared(prompts) == expected
