"""The bootstrap against scipy's and sacrebleu's own, and its promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grue.stats.bootstrap import interval, mean_of, resampled


def columns(values: np.ndarray) -> np.ndarray:
    return np.column_stack((values, np.ones(len(values))))


def test_a_mean_has_the_interval_scipy_gives_within_monte_carlo_error() -> None:
    from scipy import stats

    values = np.random.default_rng(3).gamma(2.0, size=200)
    theirs = stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=20_000, random_state=np.random.default_rng(1)
    ).confidence_interval
    found = interval(columns(values), mean_of, n_resamples=20_000, seed=5)
    assert found is not None
    # The standard deviation of a bound over draws of 20,000 resamples is about 0.002 here.
    assert found == pytest.approx((theirs.low, theirs.high), abs=0.01)


def test_resamples_of_bleu_have_the_mean_and_spread_of_the_librarys_own() -> None:
    from sacrebleu.metrics import BLEU
    from sacrebleu.significance import _bootstrap_resample

    from grue.core.metric import SegmentMetric, Texts
    from grue.core.task import MetricSpec
    from grue.metrics.build import build

    generator = np.random.default_rng(0)
    words = np.array(["the", "a", "cat", "dog", "sat", "ran", "on", "mat", "in", "park"])
    references = [" ".join(generator.choice(words, 12)) for _ in range(80)]
    predictions = [
        " ".join(word if generator.random() < 0.8 else "odd" for word in reference.split()) for reference in references
    ]
    metric = build(MetricSpec("sacrebleu"))
    assert isinstance(metric, SegmentMetric)
    statistics = metric.statistics(Texts(predictions, [[text] for text in references], [{}] * 80))
    ours = resampled(statistics, metric.corpus_value, n_resamples=2000, seed=1)
    library = BLEU(force=True)
    _, scores = _bootstrap_resample(statistics.astype(int).tolist(), library, 2000)
    theirs = np.array([score.score for score in scores])
    error = theirs.std() / np.sqrt(2000)
    assert abs(ours.mean() - theirs.mean()) < 5 * error * np.sqrt(2)
    assert ours.std() == pytest.approx(theirs.std(), rel=0.1)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30), st.integers(0, 5))
def test_an_interval_contains_its_value(values: list[float], seed: int) -> None:
    rows = columns(np.array(values))
    found = interval(rows, mean_of, n_resamples=50, seed=seed)
    assert found is not None
    assert found[0] <= float(mean_of(rows.sum(axis=0))) <= found[1]


def test_equal_rows_have_an_interval_of_their_value() -> None:
    assert interval(columns(np.full(10, 0.3)), mean_of) == pytest.approx((0.3, 0.3), abs=1e-15)


@pytest.mark.parametrize("n_rows", [0, 1])
def test_fewer_than_two_rows_have_no_interval(n_rows: int) -> None:
    assert interval(columns(np.ones(n_rows)), mean_of) is None


def test_an_undefined_value_has_no_interval() -> None:
    assert interval(columns(np.ones(5)), lambda total: np.full(total.shape[:-1], np.nan)) is None


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    rows = columns(np.random.default_rng(0).normal(size=50))
    assert interval(rows, mean_of, seed=1) == interval(rows, mean_of, seed=1)
    assert interval(rows, mean_of, seed=1) != interval(rows, mean_of, seed=2)


def test_many_rows_are_drawn_in_portions_that_keep_every_resample() -> None:
    rows = columns(np.arange(300_000, dtype=float) % 7)
    values = resampled(rows, mean_of, n_resamples=30)
    assert values.shape == (30,)
    assert abs(values - 3).max() < 0.05  # the standard error of the mean is 0.004


@pytest.mark.long
def test_intervals_cover_the_true_mean_about_as_often_as_they_promise() -> None:
    generator = np.random.default_rng(11)
    hits = 0
    for trial in range(1000):
        found = interval(columns(generator.exponential(size=100)), mean_of, seed=trial)
        assert found is not None
        hits += found[0] <= 1.0 <= found[1]
    # Percentile intervals of a skewed mean at n = 100 cover a little less than 95 %; 3 standard errors are 2 %.
    assert 0.90 < hits / 1000 < 0.97


@pytest.mark.long
def test_samples_of_a_row_drawn_as_one_cover_where_single_draws_do_not() -> None:
    generator = np.random.default_rng(12)
    clustered = single = 0
    for trial in range(300):
        rows = generator.normal(size=(40, 1)) + 0.1 * generator.normal(size=(40, 5))
        together = interval(np.column_stack((rows.sum(axis=1), np.full(40, 5.0))), mean_of, seed=trial)
        apart = interval(columns(rows.ravel()), mean_of, seed=trial)
        assert together is not None
        assert apart is not None
        clustered += together[0] <= 0 <= together[1]
        single += apart[0] <= 0 <= apart[1]
    assert clustered / 300 > 0.88
    assert single / 300 < 0.75
