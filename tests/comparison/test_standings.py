"""Ranks with their intervals and bands on one task, against hand-worked cases and SciPy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from grue.comparison.bands_of import band_letter, p_better
from grue.comparison.standings_task import rank_task
from tests.comparison.ranked_runs import of_rows, run_of, standing
from tests.site.fake_runs import FakeTask

N_ROWS = 60


def _rows(seed: int, level: float, noise: float = 0.1) -> list[float]:
    shared: NDArray[np.float64] = np.random.default_rng(1).normal(0, 0.2, N_ROWS)
    own = np.random.default_rng(seed).normal(level, noise, N_ROWS)
    return [float(value) for value in shared + own]


def _holm(p_values: list[float]) -> list[float]:
    """Step-down by hand: the smallest times n, the next times n - 1, never falling."""
    order = np.argsort(p_values)
    out = [0.0] * len(p_values)
    reached = 0.0
    for step, index in enumerate(order):
        reached = max(reached, min(1.0, (len(p_values) - step) * p_values[index]))
        out[index] = reached
    return out


def test_bands_are_those_of_scipys_paired_t_test_with_holms_correction(tmp_path: Path) -> None:
    levels = (0.60, 0.59, 0.57, 0.55, 0.54, 0.50)
    rows = {f"r{place}": _rows(place + 10, level) for place, level in enumerate(levels)}
    board = rank_task("t", [run_of(tmp_path, name, {"t": of_rows(values)}) for name, values in rows.items()])
    order = [entry.run.name for entry in board.ranked]
    assert order == sorted(rows, key=lambda name: -np.mean(rows[name]))
    expected: dict[str, int] = {}
    leader, band = 0, 1
    while leader < len(order):
        below = order[leader + 1 :]
        adjusted = _holm([float(stats.ttest_rel(rows[order[leader]], rows[name]).pvalue) for name in below])
        beaten = next((place for place, p in enumerate(adjusted) if p <= 0.05), len(below))
        expected |= dict.fromkeys([order[leader], *below[:beaten]], band)
        leader, band = leader + 1 + beaten, band + 1
    assert len(set(expected.values())) > 1  # the case is one where the data tell some apart, and some not
    assert max(expected.values()) < len(order)
    assert {name: band for name, (_, _, band) in standing(board).items()} == expected


def test_the_p_of_a_mean_is_scipys_two_sided_one(tmp_path: Path) -> None:
    better, worse = _rows(3, 0.55), _rows(4, 0.52)
    board = rank_task(
        "t", [run_of(tmp_path, "a", {"t": of_rows(better)}), run_of(tmp_path, "b", {"t": of_rows(worse)})]
    )
    scaled = board.scaled()
    expected = stats.ttest_rel(better, worse).pvalue
    assert p_better([scaled["A"]], [scaled["B"]]) == pytest.approx(expected, rel=1e-6)
    assert p_better([scaled["B"]], [scaled["A"]]) == 1.0


def test_ranks_are_certain_where_every_row_says_so_and_open_where_none_does(tmp_path: Path) -> None:
    base = _rows(5, 0.5)
    noisy = [value + (0.3 if place % 2 else -0.3) for place, value in enumerate(base)]
    tasks = {
        "low": [value - 0.4 for value in base],
        "even": noisy,
        "base": [value + 0.001 for value in base],
    }
    board = rank_task("t", [run_of(tmp_path, name, {"t": of_rows(values)}) for name, values in tasks.items()])
    assert standing(board) == {"base": (1, (1, 2), 1), "even": (2, (1, 2), 1), "low": (3, (3, 3), 2)}


def test_equal_rows_share_rank_interval_and_band_and_the_earlier_run_stands_first(tmp_path: Path) -> None:
    rows = _rows(6, 0.5)
    later = run_of(tmp_path, "a-later", {"t": of_rows(rows)}, created_at="2026-11-20T05:03:00Z")
    earlier = run_of(tmp_path, "b-earlier", {"t": of_rows(rows)}, created_at="2026-11-20T05:02:59.5Z")
    third = run_of(tmp_path, "third", {"t": of_rows([value - 1 for value in rows])})
    board = rank_task("t", [later, earlier, third])
    assert standing(board) == {"b-earlier": (1, (1, 1), 1), "a-later": (1, (1, 1), 1), "third": (3, (3, 3), 2)}
    assert list(standing(board)) == ["b-earlier", "a-later", "third"]


def test_lower_is_better_turns_all_of_it_round(tmp_path: Path) -> None:
    rows = _rows(7, 50)
    tasks = {"worse": [value + 9 for value in rows], "best": rows}
    board = rank_task("t", [run_of(tmp_path, name, {"t": of_rows(values, "ter")}) for name, values in tasks.items()])
    assert standing(board) == {"best": (1, (1, 1), 1), "worse": (2, (2, 2), 2)}


def test_a_run_without_rows_has_a_rank_and_a_reason_and_blocks_nobody(tmp_path: Path) -> None:
    rows = {"first": _rows(8, 0.7), "second": _rows(9, 0.4)}
    runs = [run_of(tmp_path, name, {"t": of_rows(values)}) for name, values in rows.items()]
    alone = standing(rank_task("t", runs))
    fake = FakeTask(values={"rougeLsum": 0.95}, primary=("rougeLsum",), per_sample=(), n_rows=N_ROWS)
    board = rank_task("t", [*runs, run_of(tmp_path, "published", {"t": fake})])
    found = standing(board)
    assert found["published"] == (1, None, None)
    assert board.entries["PUBLISHED"].reason
    assert found["first"] == (2, (2, 2), 1)
    assert [found[name][2] for name in rows] == [alone[name][2] for name in rows] == [1, 2]


def test_rows_that_do_not_give_the_stored_value_are_not_believed(tmp_path: Path) -> None:
    honest = run_of(tmp_path, "honest", {"t": of_rows(_rows(8, 0.5))})
    edited = of_rows(_rows(9, 0.5))
    edited.values = {"rougeLsum": 0.9}
    board = rank_task("t", [honest, run_of(tmp_path, "edited", {"t": edited})])
    assert board.entries["EDITED"].rank_ci95 is None
    assert "do not give its value" in board.entries["EDITED"].reason


def test_a_run_that_lacks_some_rows_is_resampled_on_those_it_has(tmp_path: Path) -> None:
    rows = _rows(11, 0.5)
    short = of_rows(rows[:-1])
    short.n_rows = N_ROWS - 1
    whole = run_of(tmp_path, "whole", {"t": of_rows(rows)})
    board = rank_task("t", [whole, run_of(tmp_path, "short", {"t": short})])
    assert {entry.band for entry in board.ranked} == {1}
    assert all(entry.rank_ci95 == (1, 2) for entry in board.ranked)


def test_two_rows_can_prove_nothing(tmp_path: Path) -> None:
    """Exchanging two systems on two rows gives p = 1/2 at least."""
    runs = [run_of(tmp_path, name, {"t": of_rows(rows)}) for name, rows in (("a", [0.9, 0.9]), ("b", [0.1, 0.1]))]
    assert [entry.band for entry in rank_task("t", runs).ranked] == [1, 1]


def test_one_row_gives_no_interval_and_says_so(tmp_path: Path) -> None:
    runs = [run_of(tmp_path, name, {"t": of_rows([value])}) for name, value in (("a", 0.9), ("b", 0.1))]
    board = rank_task("t", runs)
    assert standing(board) == {"a": (1, None, None), "b": (2, None, None)}
    assert all("two rows" in entry.reason for entry in board.ranked)


def test_yardsticks_and_other_rows_change_no_rank_interval_or_band(tmp_path: Path) -> None:
    runs = [run_of(tmp_path, f"r{n}", {"t": of_rows(_rows(20 + n, 0.5 + n / 20))}) for n in range(4)]
    alone = standing(rank_task("t", runs))
    aside = [
        run_of(tmp_path, "null:empty", {"t": of_rows(_rows(30, 0.9))}, kind="null", source="null:empty"),
        run_of(tmp_path, "other", {"t": of_rows(_rows(31, 0.9), prompts="q" * 64)}),
    ]
    found = rank_task("t", [*runs, *aside])
    assert {name: one for name, one in standing(found).items() if name in alone} == alone
    assert found.entries["OTHER"].reason == "other prompts or rows"


def test_the_order_in_which_runs_are_read_changes_nothing(tmp_path: Path) -> None:
    runs = [run_of(tmp_path, f"r{n}", {"t": of_rows(_rows(40 + n, 0.5 + n % 3 / 50))}) for n in range(5)]
    found = standing(rank_task("t", runs))
    for start in (1, 3):
        assert standing(rank_task("t", [*runs[start:], *runs[:start]])) == found
    assert list(standing(rank_task("t", runs[::-1]))) == list(found)


def test_letters_of_bands_go_on_after_z() -> None:
    assert [band_letter(n) for n in (1, 2, 26, 27, 52, 53, 703)] == ["A", "B", "Z", "AA", "AZ", "BA", "AAA"]
