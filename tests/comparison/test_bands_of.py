"""Bands of equal systems: how often chance alone opens a second one."""

from __future__ import annotations

import numpy as np
import pytest

from grue.comparison.bands_of import Scaled, bands_of_places, bands_on_rows, bands_over_tasks
from grue.comparison.row_cache import EntryRows
from grue.core.metric import Floats

TRIALS = 2000
KEYS = ("0", "1")


def _scaled(rows: Floats) -> Scaled:
    return Scaled(((1.0, EntryRows(np.zeros(0), rows, np.array([rows.mean()]))),))


def _order(values: Floats) -> list[str]:
    return [str(index) for index in np.argsort(-values, kind="stable")]


def _share(kind: str, n_rows: int, n_tasks: int) -> float:
    generator = np.random.default_rng(7)
    found = 0
    for _ in range(TRIALS):
        rows = generator.normal(size=(n_tasks, 2, n_rows)) + generator.normal(size=(n_tasks, 1, n_rows))
        tasks = [{key: _scaled(task[int(key)]) for key in KEYS} for task in rows]
        if kind == "task":
            bands = bands_on_rows(_order(rows[0].mean(axis=1)), tasks[0])
        elif kind == "score":
            by_key = {key: tuple(task[key] for task in tasks) for key in KEYS}
            bands = bands_over_tasks(_order(rows.mean(axis=(0, 2))), by_key)
        else:
            firsts = (rows.mean(axis=2) == rows.mean(axis=2).max(axis=1, keepdims=True)).mean(axis=0)
            bands = bands_of_places(_order(firsts), tasks)
        found += max(bands.values()) > 1
    return found / TRIALS


@pytest.mark.long
@pytest.mark.parametrize(("kind", "n_tasks"), [("task", 1), ("score", 7), ("places", 7)])
@pytest.mark.parametrize("n_rows", [20, 200])
def test_two_equal_systems_are_told_apart_at_the_level(kind: str, n_tasks: int, n_rows: int) -> None:
    assert 0.035 <= _share(kind, n_rows, n_tasks) <= 0.065


def test_no_rows_no_bands() -> None:
    assert bands_on_rows(["a", "b"], {}) == {}
    assert bands_of_places(["a", "b"], [{}]) == {}


def test_an_order_is_cut_at_the_first_that_its_leader_beats() -> None:
    """Exact: rows 0 and 1 apart by a constant are told apart for sure, equal rows never."""
    base = np.random.default_rng(0).normal(size=50)
    rows = {key: _scaled(base - shift) for key, shift in (("a", 0.0), ("b", 0.0), ("c", 1.0), ("d", 1.0), ("e", 2.0))}
    assert bands_on_rows(list("abcde"), rows) == {"a": 1, "b": 1, "c": 2, "d": 2, "e": 3}
    assert bands_on_rows(list("abxcde"), rows) == {"a": 1, "b": 1, "c": 2, "d": 2, "e": 3}
