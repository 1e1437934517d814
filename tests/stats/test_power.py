"""Power against G*Power's table and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from grue.core.metric import SegmentMetric
from grue.core.task import MetricSpec
from grue.metrics.build import build
from grue.stats.bootstrap import Column, mean_of
from grue.stats.power import paired_power, power


def means(values: np.ndarray) -> Column:
    return Column(np.column_stack((values, np.ones(len(values)))), mean_of)


# Two-tailed paired t test at 0.05 with power 0.8, from G*Power 3.1.
@pytest.mark.parametrize(("d_z", "rows"), [(0.2, 199), (0.3, 90), (0.5, 34), (0.8, 15)])
def test_rows_needed_are_those_of_g_power(d_z: float, rows: int) -> None:
    assert power(d_z, 1.0, 100).rows_needed == rows


def test_the_smallest_difference_of_the_rows_needed_is_the_difference() -> None:
    found = power(0.04, 0.25, 500)
    assert found.rows_needed is not None
    again = power(0.04, 0.25, found.rows_needed)
    assert again.smallest_difference == pytest.approx(0.04, rel=0.01)
    assert again.smallest_difference <= 0.04


def test_a_t_test_on_the_rows_needed_finds_the_difference_four_times_in_five() -> None:
    found = power(0.3, 1.0, 50)
    assert found.rows_needed is not None
    generator = np.random.default_rng(0)
    rows = generator.normal(0.3, 1.0, size=(4000, found.rows_needed))
    p = stats.ttest_1samp(rows, 0.0, axis=1).pvalue
    assert np.mean(p <= 0.05) == pytest.approx(0.8, abs=0.02)  # three standard errors of 4,000 trials


def test_bleu_needs_the_rows_that_the_spread_of_its_resampled_difference_says() -> None:
    metric = build(MetricSpec("sacrebleu"))
    assert isinstance(metric, SegmentMetric)
    generator = np.random.default_rng(1)
    columns = []
    for right in (0.62, 0.6):
        lengths = generator.integers(10, 30, size=600)
        totals = [lengths - n for n in range(4)]
        hits = [generator.binomial(total, right ** (n + 1)) for n, total in enumerate(totals)]
        columns.append(Column(np.column_stack((lengths, lengths, *hits, *totals)).astype(float), metric.corpus_value))
    found = paired_power(*columns)
    drawn = generator.integers(0, 600, size=(2000, 600))
    differences = [
        columns[1].corpus_value(columns[1].statistics[rows].sum(axis=0))
        - columns[0].corpus_value(columns[0].statistics[rows].sum(axis=0))
        for rows in drawn
    ]
    # (1.96 + 0.84) standard errors; 2,000 resamples know a standard error to about 1.6 %.
    assert found.smallest_difference == pytest.approx(2.8016 * np.std(differences), rel=0.06)
    asked = 600 * (found.smallest_difference / (columns[1].value() - columns[0].value())) ** 2
    assert found.rows_needed == pytest.approx(asked, abs=3)  # Guenther's term for small samples adds two rows


def test_equal_runs_have_no_number_of_rows_and_say_why() -> None:
    same = means(np.random.default_rng(0).normal(size=50))
    found = paired_power(same, same)
    assert (found.smallest_difference, found.rows_needed) == (None, None)
    assert found.reason == "no power: no row of the two runs differs"
    mirrored = paired_power(means(np.array([0.0, 1.0])), means(np.array([1.0, 0.0])))
    assert mirrored.rows_needed is None
    assert mirrored.reason == "no number of rows: the two runs have equal values"
    assert mirrored.smallest_difference is not None


def test_a_difference_that_every_row_has_needs_two_rows() -> None:
    values = np.random.default_rng(0).random(300)
    found = paired_power(means(values), means(values - 0.1))
    assert (found.rows_needed, found.smallest_difference) == (2, None)
    assert found.reason == "no smallest difference: all rows differ by the same amount"


@pytest.mark.parametrize("n_rows", [0, 1])
def test_too_few_rows_say_so(n_rows: int) -> None:
    found = paired_power(means(np.ones(n_rows)), means(np.zeros(n_rows)))
    assert (found.smallest_difference, found.rows_needed, found.n_rows) == (None, None, n_rows)
    assert found.reason == "no power: it needs at least two rows"


def test_more_power_and_a_stricter_level_need_more_rows() -> None:
    usual = power(0.1, 1.0, 100).rows_needed
    assert usual is not None
    assert (power(0.1, 1.0, 100, power=0.9).rows_needed or 0) > usual
    assert (power(0.1, 1.0, 100, level=0.01).rows_needed or 0) > usual
