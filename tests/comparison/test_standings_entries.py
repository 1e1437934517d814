"""Seeds and repeats as one entry: means, spreads and intervals worked by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from grue.comparison.bands_of import p_better
from grue.comparison.standings_entries import entries_of
from grue.comparison.standings_runs import BoardRun
from grue.comparison.standings_task import rank_task
from grue.core.run import RunScores, ScoreValue
from tests.comparison.ranked_runs import of_rows, run_of, standing
from tests.site.fake_runs import FakeTask

N_ROWS = 30


def _seed(folder: Path, seed: int, value: float | None, **more: Any) -> BoardRun:
    task = FakeTask(values={"sacrebleu": value})
    return run_of(folder, "model", {"t": task}, run_id=f"RUN{more.pop('repeat', '')}{seed}", seed=seed, **more)


def test_seeds_stand_as_one_with_mean_spread_and_an_interval_over_rows_and_seeds(tmp_path: Path) -> None:
    values = [20.0, 22.0, 27.0]
    (entry,) = entries_of([_seed(tmp_path, seed, value) for seed, value in enumerate(values)])
    score = entry.tasks["t"].scores["sacrebleu"]
    assert score.value == pytest.approx(23.0)
    assert score.sd == pytest.approx(math.sqrt((9 + 1 + 16) / 2))
    assert score.seeds == 3
    # Each run's own interval is ±5 % of its value, so ±1.15 on average; that of three seeds t(2) · sd / √3.
    half = math.hypot(1.15, stats.t.ppf(0.975, 2) * math.sqrt(13) / math.sqrt(3))
    assert (score.low, score.high) == pytest.approx((23 - half, 23 + half))
    assert [run.id for run in entry.members] == ["RUN0", "RUN1", "RUN2"]


def test_repeats_of_one_identity_are_one_seed_and_the_earliest_value_counts(tmp_path: Path) -> None:
    first = _seed(tmp_path, 1, None, identity="x", created_at="2026-11-20T01:00:00Z")
    second = _seed(tmp_path, 1, 21.0, repeat="B", identity="x", created_at="2026-11-20T02:00:00Z")
    third = _seed(tmp_path, 1, 99.0, repeat="C", identity="x", created_at="2026-11-20T03:00:00Z")
    (entry,) = entries_of([third, first, second])
    score = entry.tasks["t"].scores["sacrebleu"]
    assert (score.value, score.sd, score.seeds) == (21.0, None, 1)
    assert (len(entry.seeds), len(entry.members), entry.id) == (1, 3, "RUN1")


def test_a_value_no_seed_has_is_missing_with_its_reason(tmp_path: Path) -> None:
    (entry,) = entries_of([_seed(tmp_path, seed, None) for seed in (1, 2)])
    score = entry.tasks["t"].scores["sacrebleu"]
    assert (score.value, score.reason) == (None, "sacrebleu is not installed")


def test_another_checkpoint_is_another_entry(tmp_path: Path) -> None:
    one = run_of(tmp_path, "one", {"t": FakeTask()}, seed=1)
    other = run_of(tmp_path, "other", {"t": FakeTask()}, seed=2)
    assert [entry.id for entry in entries_of([one, other])] == ["ONE", "OTHER"]


def test_the_score_over_tasks_is_the_mean_over_seeds_too(tmp_path: Path) -> None:
    scores = [RunScores(ScoreValue(value, (value - 1, value + 1))) for value in (40.0, 44.0)]
    runs = [_seed(tmp_path, seed, 20.0, scores=one) for seed, one in enumerate(scores)]
    (entry,) = entries_of(runs)
    grue = entry.results.scores.grue
    half = math.hypot(1, stats.t.ppf(0.975, 1) * math.sqrt(8) / math.sqrt(2))
    assert grue.value == 42.0
    assert grue.ci95 == pytest.approx((42 - half, 42 + half))


def _rows(seed: int, level: float) -> list[float]:
    shared = np.random.default_rng(1).normal(0, 0.2, N_ROWS)
    return [float(value) for value in shared + np.random.default_rng(seed).normal(level, 0.05, N_ROWS)]


def test_seeds_that_scatter_make_ranks_and_bands_less_sure(tmp_path: Path) -> None:
    def seeds(name: str, levels: list[float]) -> list[BoardRun]:
        return [
            run_of(tmp_path, name, {"t": of_rows(_rows(9 * n + len(name), level))}, run_id=f"{name}{n}", seed=n)
            for n, level in enumerate(levels)
        ]

    rival = run_of(tmp_path, "rival", {"t": of_rows(_rows(99, 0.5))})
    steady = rank_task("t", entries_of([*seeds("steady", [0.60, 0.61, 0.59]), rival]))
    wild = rank_task("t", entries_of([*seeds("wild", [0.95, 0.30, 0.55]), rival]))
    assert standing(steady) == {"steady": (1, (1, 1), 1), "rival": (2, (2, 2), 2)}
    assert standing(wild) == {"wild": (1, (1, 2), 1), "rival": (2, (1, 2), 1)}
    assert set(wild.singles) == {"wild0", "wild1", "wild2"}
    assert wild.of_run("wild1").rank == 1  # that of its entry
    assert wild.of_run("wild1").score != wild.entries["wild0"].score


def test_the_test_of_seeds_adds_their_variance_with_welchs_degrees_of_freedom(tmp_path: Path) -> None:
    levels = [0.52, 0.60, 0.50]
    rows = [_rows(n, level) for n, level in enumerate(levels)]
    members = [run_of(tmp_path, "m", {"t": of_rows(one)}, run_id=f"M{n}", seed=n) for n, one in enumerate(rows)]
    rival_rows = _rows(50, 0.48)
    board = rank_task("t", entries_of([*members, run_of(tmp_path, "rival", {"t": of_rows(rival_rows)})]))
    apart = np.mean(rows, axis=0) - np.array(rival_rows)
    of_rows_, of_seeds = np.var(apart, ddof=1) / N_ROWS, np.var([np.mean(one) for one in rows], ddof=1) / 3
    freedom = (of_rows_ + of_seeds) ** 2 / (of_rows_**2 / (N_ROWS - 1) + of_seeds**2 / 2)
    expected = 2 * stats.t.sf(apart.mean() / math.sqrt(of_rows_ + of_seeds), freedom)
    scaled = board.scaled()
    assert p_better([scaled["M0"]], [scaled["RIVAL"]]) == pytest.approx(expected, rel=1e-6)
