"""The score by hand: every expected number is worked out beside it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grue.core.run import ScoreValue
from grue.stats.grue_score import NATURALNESS, Primary, Quality, naturalness, over_tasks, quality


def primary(value, floor, ceiling, scale=1.0, resampled=None, name="m"):
    return Primary(name, value, floor, ceiling, scale, None if resampled is None else np.array(resampled))


def test_quality_is_the_mean_place_between_floor_and_ceiling():
    # (0.5 − 0.2) / (0.8 − 0.2) = 0.5 and (30 − 10) / (90 − 10) = 0.25: mean 0.375.
    found = quality([primary(0.5, 0.2, 0.8), primary(30.0, 10.0, 90.0, scale=100.0)])
    assert found.score.value == pytest.approx(37.5)


def test_quality_is_not_clipped():
    assert quality([primary(0.0, 0.2, 0.7)]).score.value == pytest.approx(-40.0)
    assert quality([primary(0.9, 0.2, 0.7)]).score.value == pytest.approx(140.0)


def test_quality_of_a_metric_where_lower_is_better_rises_as_it_falls():
    # TER 60 between random 90 and a ceiling of 0: two thirds are left to go, a third is done.
    assert quality([primary(60.0, 90.0, 0.0, scale=100.0)]).score.value == pytest.approx(100 / 3)


def test_the_interval_combines_the_metrics_resample_by_resample():
    rises, falls = [0.0, 0.25, 0.5, 0.75, 1.0] * 40, [1.0, 0.75, 0.5, 0.25, 0.0] * 40
    both = quality([primary(0.5, 0.0, 1.0, resampled=rises), primary(0.5, 0.0, 1.0, resampled=falls)])
    assert both.score.ci95 == pytest.approx((50.0, 50.0))
    one = quality([primary(0.5, 0.0, 1.0, resampled=rises)])
    assert one.score.ci95 == pytest.approx((0.0, 100.0))
    without = quality([primary(0.5, 0.0, 1.0, resampled=rises), primary(0.5, 0.0, 1.0)])
    assert without.score.ci95 is None
    assert without.score.reason


@pytest.mark.parametrize(
    ("metric", "reason"),
    [
        (primary(None, 0.1, 1.0, name="cider_d"), "cider_d has no value"),
        (primary(0.5, None, 1.0, name="cider_d"), "cider_d has no floor"),
        (primary(0.5, 0.1, None, name="cider_d"), "cider_d has no ceiling"),
        (primary(0.5, 0.48, 0.52, name="cider_d"), "too near"),
        (primary(5.0, 4.0, 4.4, scale=10.0, name="cider_d"), "too near"),
    ],
    ids=["value", "floor", "ceiling", "near", "near by its scale"],
)
def test_nothing_is_imputed_and_what_is_missing_is_named(metric, reason):
    found = quality([primary(0.5, 0.0, 1.0), metric])
    assert found.score.value is None
    assert reason in found.score.reason


def test_naturalness_loses_on_collapse_and_on_babble_alike():
    references = dict.fromkeys(NATURALNESS, 0.5)
    assert naturalness(references, references).value == pytest.approx(100.0)
    half, twice = dict.fromkeys(NATURALNESS, 0.25), dict.fromkeys(NATURALNESS, 1.0)
    assert naturalness(half, references).value == pytest.approx(50.0)
    assert naturalness(twice, references).value == pytest.approx(50.0)


def test_naturalness_counts_nothing_as_nought_and_leaves_out_what_references_lack():
    references = {**dict.fromkeys(NATURALNESS, 2.0), "msttr": None}
    values = {**dict.fromkeys(NATURALNESS, 2.0), "msttr": 0.6, "distinct_1": 0.0}
    # Five statistics count: four with 1, one with 0.
    assert naturalness(values, references).value == pytest.approx(80.0)
    # Too few words for a block of MSTTR where the references have one is collapse.
    assert naturalness({**values, "msttr": None}, {**references, "msttr": 0.6}).value == pytest.approx(400 / 6)
    lacking = naturalness({name: 1.0 for name in NATURALNESS if name != "entropy_2"}, references)
    assert lacking.value is None
    assert "entropy_2" in lacking.reason


@given(
    st.lists(st.floats(0.01, 100.0), min_size=6, max_size=6), st.lists(st.floats(0.01, 100.0), min_size=6, max_size=6)
)
def test_naturalness_is_symmetric_and_bounded(left, right):
    first, second = dict(zip(NATURALNESS, left, strict=True)), dict(zip(NATURALNESS, right, strict=True))
    score = naturalness(first, second).value
    assert 0 < score <= 100 + 1e-9
    assert score == pytest.approx(naturalness(second, first).value)


def test_the_score_over_tasks_is_their_mean_and_names_a_missing_task():
    draws = np.random.default_rng(0).normal(50, 5, 1000)
    tasks = {"a": Quality(ScoreValue(40.0), draws), "b": Quality(ScoreValue(60.0), draws)}
    natural = {"a": ScoreValue(80.0), "b": ScoreValue(90.0)}
    scores = over_tasks(tasks, natural)
    assert scores.grue.value == pytest.approx(50.0)
    assert scores.naturalness.value == pytest.approx(85.0)
    # Two independent tasks of equal spread: the interval of their mean is narrower by the square root of two.
    low, high = scores.grue.ci95
    assert (high - low) / np.subtract(*np.quantile(draws, [0.975, 0.025])) == pytest.approx(2**-0.5, abs=0.06)
    without = over_tasks({**tasks, "c": None}, {**natural, "c": None})
    assert without.grue.value is None
    assert "c" in without.grue.reason
    assert without.naturalness.value is None
    broken = over_tasks({**tasks, "c": Quality(ScoreValue.none("m has no value"))}, natural)
    assert broken.grue.value is None
    assert "c: m has no value" in broken.grue.reason
