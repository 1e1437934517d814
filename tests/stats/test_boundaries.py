"""Bounds against published tables and simulated paths."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from grue.stats.boundaries import lower_bounds, obrien_fleming_spent, upper_bounds


# One-sided 0.025, looks at equal distances: rpact 3.5 (asOF) and gsDesign 3.6 (sfLDOF).
@pytest.mark.parametrize(
    ("looks", "bounds"),
    [
        (1, [1.960]),
        (2, [2.963, 1.969]),
        (3, [3.710, 2.511, 1.993]),
        (5, [4.877, 3.357, 2.680, 2.290, 2.031]),
    ],
)
def test_bounds_are_the_published_ones(looks: int, bounds: list[float]) -> None:
    found = upper_bounds([look / looks for look in range(1, looks + 1)], 0.025)
    assert found == pytest.approx(bounds, abs=6e-4)


def test_all_of_the_level_is_spent_at_the_end_and_none_before_the_start() -> None:
    assert obrien_fleming_spent(1.0, 0.05) == pytest.approx(0.05)
    assert obrien_fleming_spent(0.0, 0.05) == 0.0


def paths(n_paths: int, looks: int, seed: int) -> np.ndarray:
    steps = np.random.default_rng(seed).normal(0, np.sqrt(1 / looks), size=(n_paths, looks))
    return np.cumsum(steps, axis=1)


@pytest.mark.parametrize("level", [0.05, 0.05 / 7])
def test_paths_without_drift_cross_as_often_as_the_level_says(level: int) -> None:
    fractions = np.arange(1, 11) / 10
    z = paths(200_000, 10, 1) / np.sqrt(fractions)
    crossed = (z >= upper_bounds(fractions.tolist(), level)).any(axis=1).mean()
    assert crossed == pytest.approx(level, abs=4 * np.sqrt(level / 200_000))


def test_paths_to_a_given_end_cross_the_lower_bounds_as_often_as_promised() -> None:
    fractions = np.arange(1, 11) / 10
    end, miss = 1.79, 0.05
    free = paths(200_000, 10, 2)
    bridges = free + (end - free[:, -1:]) * fractions
    z = (bridges / np.sqrt(fractions))[:, :-1]
    crossed = (z <= lower_bounds(fractions[:-1].tolist(), end, miss)).any(axis=1).mean()
    assert crossed == pytest.approx(miss, abs=4 * np.sqrt(miss / 200_000))


def test_one_look_is_the_plain_test() -> None:
    assert upper_bounds([1.0], 0.05) == pytest.approx([NormalDist().inv_cdf(0.95)])
    assert lower_bounds([], 1.6, 0.05) == []
