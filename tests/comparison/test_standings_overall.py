"""The order over tasks: GRUE score or mean place, with intervals over rows and tasks, bands, weights, corrections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from grue.comparison.standings import BoardData, rank_board
from grue.comparison.standings_places import OTHER_SCORE
from grue.comparison.standings_runs import BoardRun
from grue.comparison.standings_settings import settings
from grue.core.run import RunScores, ScoreValue, TaskScore
from grue.registry.tasks import expand
from grue.runs.supersession import Supersession
from tests.comparison.ranked_runs import of_rows, run_of
from tests.site.fake_runs import FakeTask

N_ROWS = 40
TASKS = expand("grue").names


def _rows(seed: int, level: float, noise: float = 0.1) -> list[float]:
    shared = np.random.default_rng(1).normal(0, 0.2, N_ROWS)
    return [float(value) for value in shared + np.random.default_rng(seed).normal(level, noise, N_ROWS)]


def _scored(folder: Path, name: str, rows: Mapping[str, Sequence[float]], **more: float) -> BoardRun:
    """A run on the seven tasks whose qualities are 100 times its values: floor 0, ceiling 1."""
    tasks = {}
    for task, values in rows.items():
        standing = TaskScore(
            quality=ScoreValue(100 * float(np.mean(values)), None),
            floor={"rougeLsum": 0.0},
            ceiling={"rougeLsum": 1.0},
        )
        tasks[task] = of_rows(values, standing=standing)
    grue = 100 * float(np.mean([np.mean(values) for values in rows.values()]))
    return run_of(folder, name, tasks, scores=RunScores(ScoreValue(more.get("claimed", grue), (grue - 1, grue + 1))))


def _board(runs: Sequence[BoardRun]) -> BoardData:
    return rank_board(settings(runs)[0], [])


def _places(data: BoardData) -> dict[str, tuple[int | None, tuple[int, int] | None, int | None]]:
    names = {entry.id: entry.name for entry in data.setting.entries}
    return {names[key]: (one.place, one.rank_ci95, one.band) for key, one in data.places.items()}


def test_the_order_by_score_has_intervals_and_bands(tmp_path: Path) -> None:
    levels = {"best": 0.8, "next": 0.6, "close": 0.599}
    runs = [
        _scored(tmp_path, name, {task: _rows(7 * place + n, level) for n, task in enumerate(TASKS)})
        for place, (name, level) in enumerate(levels.items())
    ]
    found = _places(_board(runs))
    assert found["best"] == (1, (1, 1), 1)
    assert {found[name][2] for name in ("next", "close")} == {2}
    assert {found[name][1] for name in ("next", "close")} == {(2, 3)}


def test_the_bands_of_scores_are_a_test_of_the_sum_over_tasks(tmp_path: Path) -> None:
    """By hand: the mean over tasks of paired differences, variances of independent tasks added, Welch's degrees."""
    first = {task: _rows(n, 0.53) for n, task in enumerate(TASKS)}
    for shift, band in ((0.0, 1), (0.02, 1), (0.06, 2)):
        second = {task: [value - shift for value in _rows(50 + n, 0.53)] for n, task in enumerate(TASKS)}
        apart = [np.subtract(first[task], second[task]) for task in TASKS]
        variances = np.array([np.var(rows, ddof=1) / N_ROWS for rows in apart]) / len(TASKS) ** 2
        freedom = variances.sum() ** 2 / (variances**2 / (N_ROWS - 1)).sum()
        t = abs(float(np.mean([rows.mean() for rows in apart]))) / np.sqrt(variances.sum())
        assert (2 * stats.t.sf(t, freedom) <= 0.05) == (band == 2)
        folder = tmp_path / str(shift)
        found = _places(_board([_scored(folder, "a", first), _scored(folder, "b", second)]))
        assert sorted(one[2] or 0 for one in found.values()) == [1, band]


def test_a_lead_on_one_task_alone_may_not_hold_on_other_tasks(tmp_path: Path) -> None:
    rows = {task: _rows(n, 0.5, 0.01) for n, task in enumerate(TASKS)}
    lucky = {**rows, TASKS[0]: [value + 0.3 for value in rows[TASKS[0]]]}
    steady = {task: [value + (0.0 if task == TASKS[0] else 0.03) for value in values] for task, values in rows.items()}
    found = _places(_board([_scored(tmp_path, "lucky", lucky), _scored(tmp_path, "steady", steady)]))
    assert found == {"lucky": (1, (1, 2), 1), "steady": (2, (1, 2), 2)}  # sure on these tasks, not on others


def test_a_score_that_its_rows_do_not_give_has_no_interval_and_blocks_nobody(tmp_path: Path) -> None:
    rows = {task: _rows(n, 0.5) for n, task in enumerate(TASKS)}
    other = {task: [value - 0.3 for value in values] for task, values in rows.items()}
    odd = _scored(tmp_path, "odd", rows)
    task = odd.tasks[TASKS[2]]
    quality = ScoreValue(99.0, None)
    tasks = {**odd.tasks, TASKS[2]: replace(task, standing=replace(task.standing, quality=quality))}
    data = _board([replace(odd, tasks=tasks), _scored(tmp_path, "a", rows), _scored(tmp_path, "b", other)])
    assert _places(data)["odd"][1:] == (None, None)
    assert data.places["ODD"].reason == f"{TASKS[2]}: {OTHER_SCORE}"
    assert (_places(data)["a"][2], _places(data)["b"]) == (1, (3, (3, 3), 2))


def test_a_small_lead_on_every_task_tells_mean_places_apart(tmp_path: Path) -> None:
    """No task alone shows it (one-sided z near 1.3 each), nine together do (Stouffer: 1.3 · 3)."""
    names = [f"t{n}" for n in range(9)]
    rows = {name: _rows(n, 0.5) for n, name in enumerate(names)}
    below = {}
    for n, name in enumerate(names):
        noise = np.random.default_rng(90 + n).normal(0, 0.1, N_ROWS)
        noise -= noise.mean()
        step = 1.5 * float(noise.std(ddof=1)) / np.sqrt(N_ROWS)
        below[name] = [value - step + float(one) for value, one in zip(rows[name], noise, strict=True)]
    runs = [
        run_of(tmp_path, "ahead", {name: of_rows(values) for name, values in rows.items()}),
        run_of(tmp_path, "below", {name: of_rows(values) for name, values in below.items()}),
    ]
    data = _board(runs)
    assert not data.by_score
    assert all(entry.band == 1 for board in data.tasks.values() for entry in board.ranked)
    assert [(one.place, one.mean, one.band) for one in data.places.values()] == [(1, 1.0, 1), (2, 2.0, 2)]


def test_places_with_a_task_without_rows_say_which(tmp_path: Path) -> None:
    bare = FakeTask(values={"rougeLsum": 0.9}, primary=("rougeLsum",), per_sample=())
    runs = [
        run_of(tmp_path, "a", {"t": of_rows(_rows(1, 0.5)), "u": of_rows(_rows(2, 0.5), prompts="u" * 64)}),
        run_of(tmp_path, "b", {"t": of_rows(_rows(3, 0.2)), "u": of_rows(_rows(4, 0.2), prompts="u" * 64)}),
        run_of(tmp_path, "bare", {"t": of_rows(_rows(5, 0.4)), "u": replace(bare, prompts="u" * 64, n_rows=N_ROWS)}),
    ]
    data = _board(runs)
    assert data.places["BARE"].rank_ci95 is None
    assert data.places["BARE"].reason.startswith("u: ")
    assert (data.places["A"].band, data.places["B"].band) == (1, 2)


def _weighed(folder: Path, name: str, values: Mapping[str, float | None]) -> BoardRun:
    ends = dict.fromkeys(values, 0.0), dict.fromkeys(values, 1.0)
    task = FakeTask(
        values=values, primary=tuple(values), per_sample=(), standing=TaskScore(floor=ends[0], ceiling=ends[1])
    )
    return run_of(folder, name, {"t": task})


def test_weights_say_how_often_each_is_first(tmp_path: Path) -> None:
    """With two metrics, w and 1 − w, w uniform: a (1, 0) leads b (0, 0.5) where w > (1 − w) / 2, so for w > 1/3."""
    runs = [
        _weighed(tmp_path, "a", {"rougeLsum": 1.0, "rouge2": 0.0}),
        _weighed(tmp_path, "b", {"rougeLsum": 0.0, "rouge2": 0.5}),
        _weighed(tmp_path, "never", {"rougeLsum": 0.0, "rouge2": 0.4}),
        _weighed(tmp_path, "lacking", {"rougeLsum": 1.0, "rouge2": None}),
    ]
    found = _board(runs).robustness
    assert found is not None
    assert found.shares["A"] == pytest.approx(2 / 3, abs=0.04)
    assert found.shares["A"] + found.shares["B"] == pytest.approx(1)
    assert found.shares["NEVER"] == 0
    assert found.left_out == {"LACKING": "rouge2 on t"}
    assert _board(runs).robustness == found


def test_one_metric_has_no_weights(tmp_path: Path) -> None:
    runs = [_weighed(tmp_path, name, {"rougeLsum": value}) for name, value in (("a", 1.0), ("b", 0.5))]
    assert _board(runs).robustness is None


def test_a_superseded_run_has_no_rank_and_stays_readable(tmp_path: Path) -> None:
    old = run_of(tmp_path, "old", {"t": of_rows(_rows(1, 0.9))})
    old = replace(old, superseded=Supersession("OLD", "NEW", "a fault in the prompts", "2026-11-21T00:00:00Z"))
    runs = [
        old,
        run_of(tmp_path, "new", {"t": of_rows(_rows(2, 0.5))}),
        run_of(tmp_path, "x", {"t": of_rows(_rows(3, 0.2))}),
    ]
    data = _board(runs)
    assert list(_places(data)) == ["new", "x"]
    assert "OLD" not in data.tasks["t"].entries
    assert data.tasks["t"].of_run("OLD").score == old.tasks["t"].scores["rougeLsum"]
    assert data.tasks["t"].of_run("OLD").rank is None
    alone = _board([old])
    assert (dict(alone.places), dict(alone.tasks["t"].entries)) == ({}, {})
