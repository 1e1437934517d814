"""Paired tests against SciPy and SacreBLEU, and the laws that any comparison keeps."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from grue.core.metric import SegmentMetric, Texts
from grue.core.task import MetricSpec
from grue.metrics.build import build
from grue.stats.bootstrap import Column, mean_of
from grue.stats.paired import PairedResult, paired


def means(values: np.ndarray) -> Column:
    return Column(np.column_stack((values, np.ones(len(values)))), mean_of)


def compared(baseline: np.ndarray, candidate: np.ndarray, **more: float) -> PairedResult:
    return paired(
        means(baseline),
        means(candidate),
        higher_is_better=True,
        rows_baseline=baseline,
        rows_candidate=candidate,
        **more,  # type: ignore[arg-type]
    )


def error(p: float, *draws: int) -> float:
    """Five standard errors of the difference of two p-values from these many draws."""
    return 5 * np.sqrt(sum(p * (1 - p) / n for n in draws)) + sum(2 / n for n in draws)


@pytest.mark.parametrize("shift", [0.0, 0.05, 0.15])
@pytest.mark.parametrize("n_rows", [12, 200])
def test_randomisation_has_the_p_value_of_scipys_permutation_test(n_rows: int, shift: float) -> None:
    generator = np.random.default_rng(n_rows)
    baseline = generator.gamma(2.0, size=n_rows)
    candidate = baseline + generator.normal(-shift, 0.5, size=n_rows)
    found = compared(baseline, candidate, n_resamples=20_000)
    for alternative, ours in (("two-sided", found.p_randomization), ("less", found.p_worse)):
        theirs = stats.permutation_test(
            (candidate, baseline),
            lambda x, y, axis: np.mean(x - y, axis=axis),
            permutation_type="samples",
            alternative=alternative,
            n_resamples=20_000,
            vectorized=True,
            rng=np.random.default_rng(1),
        ).pvalue
        assert ours == pytest.approx(theirs, abs=error(theirs, 20_000, 20_000))


def test_ties_count_as_in_scipy() -> None:
    baseline = np.array([1.0, 0, 1, 1, 0, 1, 0, 1, 1, 1])
    candidate = np.array([1.0, 0, 0, 0, 0, 1, 1, 0, 1, 0])
    found = compared(baseline, candidate, n_resamples=20_000)
    theirs = stats.permutation_test(
        (candidate, baseline), lambda x, y: np.mean(x - y), permutation_type="samples", alternative="less"
    ).pvalue
    # Of the 2^5 signs of five differing rows, those with at least four worse: 6/32.
    assert theirs == pytest.approx(6 / 32)
    assert found.p_worse == pytest.approx(6 / 32, abs=error(6 / 32, 20_000))


def test_a_margin_moves_the_null_as_a_baseline_lowered_by_it_does() -> None:
    generator = np.random.default_rng(5)
    baseline = generator.normal(size=150)
    candidate = baseline - 0.12 + generator.normal(0, 0.5, size=150)
    for margin in (0.05, 0.1, 0.2):
        theirs = stats.permutation_test(
            (candidate, baseline - margin),
            lambda x, y, axis: np.mean(x - y, axis=axis),
            permutation_type="samples",
            alternative="less",
            n_resamples=20_000,
            vectorized=True,
            rng=np.random.default_rng(1),
        ).pvalue
        found = compared(baseline, candidate, n_resamples=20_000, margin=margin)
        assert found.p_worse == pytest.approx(theirs, abs=error(theirs, 20_000, 20_000))


def test_lower_is_better_turns_the_one_sided_test_around() -> None:
    generator = np.random.default_rng(6)
    baseline = generator.normal(size=100)
    candidate = baseline + generator.normal(0.2, 0.5, size=100)
    up = paired(means(baseline), means(candidate), higher_is_better=False).p_worse
    down = paired(means(-baseline), means(-candidate), higher_is_better=True).p_worse
    assert up == pytest.approx(down, abs=0.01)
    assert up is not None
    assert up < 0.01


def system_texts() -> tuple[list[str], list[str], list[str]]:
    generator = np.random.default_rng(3)
    words = np.array([f"w{number}" for number in range(300)])
    out: tuple[list[str], list[str], list[str]] = ([], [], [])
    for _ in range(150):
        reference = generator.choice(words, size=generator.integers(6, 25))
        out[0].append(" ".join(reference))
        for side, right in ((1, 0.7), (2, 0.705)):
            wrong = generator.choice(words, size=len(reference))
            out[side].append(" ".join(np.where(generator.random(len(reference)) < right, reference, wrong)))
    return out


@pytest.mark.parametrize("test_type", ["bs", "ar"])
def test_sacrebleus_own_paired_tests_agree_within_the_error_of_the_draws(
    test_type: str, caplog: pytest.LogCaptureFixture
) -> None:
    from sacrebleu.metrics import BLEU
    from sacrebleu.significance import PairedTest

    caplog.set_level(logging.ERROR)
    references, first, second = system_texts()
    draws = 2000
    _, scores = PairedTest(
        [("first", first), ("second", second)], {"BLEU": BLEU()}, [references], test_type=test_type, n_samples=draws
    )()
    theirs_first, theirs = scores["BLEU"]
    metric = build(MetricSpec("sacrebleu"))
    assert isinstance(metric, SegmentMetric)
    columns = [
        Column(metric.statistics(Texts(texts, [[text] for text in references], [{}] * len(texts))), metric.corpus_value)
        for texts in (first, second)
    ]
    found = paired(*columns, higher_is_better=True, n_resamples=draws, seed=2)
    assert found.difference == pytest.approx(theirs.score - theirs_first.score, abs=1e-9)
    ours = found.p_bootstrap if test_type == "bs" else found.p_randomization
    assert 0.01 < theirs.p_value < 0.9
    assert ours == pytest.approx(theirs.p_value, abs=error(theirs.p_value, draws, draws))


def test_the_interval_is_scipys_paired_bootstrap() -> None:
    generator = np.random.default_rng(8)
    baseline = generator.gamma(2.0, size=150)
    candidate = baseline + generator.normal(0.1, 0.6, size=150)
    found = compared(baseline, candidate, n_resamples=20_000)
    theirs = stats.bootstrap(
        (candidate, baseline),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        paired=True,
        method="percentile",
        n_resamples=20_000,
        rng=np.random.default_rng(1),
    ).confidence_interval
    assert found.ci95 == pytest.approx((theirs.low, theirs.high), abs=0.005)


def test_the_effect_size_is_the_mean_difference_over_its_standard_deviation() -> None:
    # Differences 1, 2, 3: mean 2, standard deviation 1.
    found = compared(np.array([0.0, 0.0, 0.0]), np.array([1.0, 2.0, 3.0]))
    assert found.effect_size == pytest.approx(2.0)
    assert found.effect_ci95 is not None
    assert found.effect_ci95[0] <= 2.0 <= found.effect_ci95[1]


# Laws. Values of a small grid make ties; floats make rounding.
rows = st.lists(
    st.tuples(*[st.one_of(st.sampled_from([0.0, 0.1, 0.2, 1.0]), st.floats(-100, 100))] * 2), min_size=2, max_size=25
)


@settings(max_examples=150)
@given(rows, st.integers(0, 3))
def test_exchanging_the_runs_flips_the_signs_and_nothing_else(pairs: list[tuple[float, float]], seed: int) -> None:
    first, second = np.array(pairs).T
    one, other = (compared(*sides, n_resamples=60, seed=seed) for sides in ((first, second), (second, first)))
    assert one.difference is not None
    assert other.difference == -one.difference
    assert (one.p_bootstrap, one.p_randomization) == (other.p_bootstrap, other.p_randomization)
    for interval, mirrored in ((one.ci95, other.ci95), (one.effect_ci95, other.effect_ci95)):
        assert (interval is None) == (mirrored is None)
        if interval is not None and mirrored is not None:
            assert interval == (-mirrored[1], -mirrored[0])
    assert one.effect_size == (None if other.effect_size is None else -other.effect_size)
    assert (one.n, one.reason) == (other.n, other.reason)


@settings(max_examples=150)
@given(rows, st.randoms(use_true_random=False), st.floats(0, 1))
def test_the_order_of_the_rows_changes_nothing(
    pairs: list[tuple[float, float]], shuffler: object, margin: float
) -> None:
    shuffled = list(pairs)
    shuffler.shuffle(shuffled)  # type: ignore[attr-defined]
    first = compared(*np.array(pairs).T, n_resamples=60, margin=margin)
    assert compared(*np.array(shuffled).T, n_resamples=60, margin=margin) == first


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30), st.integers(0, 5))
def test_a_run_against_itself_has_no_difference(values: list[float], seed: int) -> None:
    found = compared(np.array(values), np.array(values), n_resamples=60, seed=seed)
    assert (found.difference, found.ci95) == (0.0, (0.0, 0.0))
    assert (found.p_bootstrap, found.p_randomization, found.p_worse) == (1.0, 1.0, 1.0)
    assert (found.effect_size, found.reason) == (None, "no effect size: no row differs")


@given(rows)
def test_the_interval_contains_the_difference(pairs: list[tuple[float, float]]) -> None:
    found = compared(*np.array(pairs).T, n_resamples=30)
    assert found.ci95 is not None
    assert found.difference is not None
    assert found.ci95[0] <= found.difference <= found.ci95[1]


def test_a_run_against_itself_in_bleu_has_no_difference() -> None:
    metric = build(MetricSpec("sacrebleu"))
    assert isinstance(metric, SegmentMetric)
    references, first, _ = system_texts()
    statistics = metric.statistics(Texts(first, [[text] for text in references], [{}] * len(first)))
    column = Column(statistics, metric.corpus_value)
    found = paired(column, column, higher_is_better=True)
    assert (found.difference, found.ci95, found.p_bootstrap, found.p_worse) == (0.0, (0.0, 0.0), 1.0, 1.0)
    assert found.reason == "no effect size: the metric has no value per row"


def test_rows_that_all_differ_by_the_same_have_no_effect_size_but_a_clear_difference() -> None:
    baseline = np.arange(30.0)
    found = compared(baseline, baseline - 0.5)
    assert found.effect_size is None
    assert found.reason == "no effect size: all rows differ by the same amount"
    assert found.p_worse == pytest.approx(1 / 1001)
    assert found.ci95 == pytest.approx((-0.5, -0.5))


def test_a_metric_without_direction_has_no_one_sided_test() -> None:
    found = paired(means(np.zeros(5)), means(np.ones(5)), higher_is_better=None)
    assert found.p_worse is None
    assert "no one-sided test: the metric has no direction" in (found.reason or "")
    assert found.p_randomization is not None


@pytest.mark.parametrize("n_rows", [0, 1])
def test_fewer_than_two_rows_have_no_tests_and_say_why(n_rows: int) -> None:
    found = paired(means(np.zeros(n_rows)), means(np.ones(n_rows)), higher_is_better=True)
    assert found.difference == (1.0 if n_rows else None)
    assert (found.ci95, found.p_bootstrap, found.p_randomization, found.p_worse) == (None, None, None, None)
    assert found.reason


def test_a_value_that_is_not_defined_is_no_difference() -> None:
    column = Column(np.ones((5, 2)), lambda total: np.full(total.shape[:-1], np.nan))
    found = paired(column, column, higher_is_better=True)
    assert (found.difference, found.ci95, found.p_worse) == (None, None, None)
    assert found.reason == "no difference: the metric is not defined on these rows for one of the runs"


def test_rows_without_a_value_count_in_the_tests_and_not_in_the_effect_size() -> None:
    baseline, candidate = np.array([0.0, 0.0, 0.0, np.nan]), np.array([1.0, 2.0, 3.0, 1.0])
    filled = means(np.nan_to_num(baseline))
    found = paired(filled, means(candidate), higher_is_better=True, rows_baseline=baseline, rows_candidate=candidate)
    assert found.effect_size == pytest.approx(2.0)
    assert found.n == 4


def test_other_rows_and_negative_margins_are_refused() -> None:
    with pytest.raises(ValueError, match="same rows"):
        paired(means(np.zeros(3)), means(np.zeros(4)), higher_is_better=True)
    with pytest.raises(ValueError, match="margin"):
        paired(means(np.zeros(3)), means(np.zeros(3)), higher_is_better=True, margin=-1)
