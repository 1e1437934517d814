"""Ranks over resamples, against SciPy's ranks and probabilities worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from grue.core.metric import SegmentMetric
from grue.core.task import MetricSpec
from grue.metrics.build import build
from grue.stats.bootstrap import Column, mean_of, resampled
from grue.stats.rank_intervals import (
    entry_draws,
    means_over_drawn_tasks,
    rank_intervals,
    rank_intervals_over_tasks,
    ranks,
)


def means(values: np.ndarray) -> Column:
    return Column(np.column_stack((values, np.ones(len(values)))), mean_of)


def test_entries_see_the_rows_that_each_alone_would_see() -> None:
    generator = np.random.default_rng(0)
    columns = [means(generator.normal(size=300)) for _ in range(4)]
    together = entry_draws(columns, n_resamples=200, seed=5)
    for column, found in zip(columns, together, strict=True):
        alone = resampled(column.statistics, column.corpus_value, n_resamples=200, seed=5)
        np.testing.assert_allclose(found, alone, rtol=1e-12)


def test_a_corpus_metric_beside_many_entries_is_resampled_as_alone() -> None:
    metric = build(MetricSpec("sacrebleu"))
    assert isinstance(metric, SegmentMetric)
    generator = np.random.default_rng(0)
    columns = []
    for share in (0.5, 0.6, 0.7):
        lengths = generator.integers(8, 30, size=400)
        totals = [lengths - n for n in range(4)]
        hits = [generator.binomial(total, share) for total in totals]
        columns.append(Column(np.column_stack((lengths, lengths, *hits, *totals)).astype(float), metric.corpus_value))
    together = entry_draws(columns, n_resamples=100, seed=1)
    for column, found in zip(columns, together, strict=True):
        assert (found == resampled(column.statistics, column.corpus_value, n_resamples=100, seed=1)).all()


def test_a_clear_order_has_sure_ranks_and_two_that_are_equal_share_theirs() -> None:
    generator = np.random.default_rng(1)
    base = generator.normal(size=200)
    columns = [means(base), means(base + 1), means(base + generator.normal(0, 0.01, size=200)), means(base - 1)]
    values = np.array([column.value() for column in columns])
    found = rank_intervals(values, entry_draws(columns), higher_is_better=True)
    assert found[1] == (1, 1)
    assert found[0] == found[2] == (2, 3)
    assert found[3] == (4, 4)
    assert rank_intervals(values, entry_draws(columns), higher_is_better=False)[1] == (4, 4)


def test_the_same_run_twice_shares_its_rank_in_every_resample() -> None:
    values = np.random.default_rng(2).random(97)
    columns = [means(values), means(values - 5), means(values)]
    draws = entry_draws(columns)
    found = rank_intervals(np.array([column.value() for column in columns]), draws, higher_is_better=True)
    assert found == [(1, 1), (3, 3), (1, 1)]


def test_an_interval_leaves_out_two_and_a_half_percent_on_either_side() -> None:
    # The second is ahead in 20 of 1,000 resamples: too few for its interval; 30 are enough.
    draws = np.tile(np.array([[1.0], [0.0]]), (1, 1000))
    draws[1, :20] = 2.0
    assert rank_intervals(np.array([1.0, 0.0]), draws, higher_is_better=True) == [(1, 1), (2, 2)]
    draws[1, :30] = 2.0
    assert rank_intervals(np.array([1.0, 0.0]), draws, higher_is_better=True) == [(1, 2), (1, 2)]


def test_an_interval_contains_the_rank_even_where_no_resample_has_it() -> None:
    found = rank_intervals(np.array([2.0, 1.0]), np.array([[0.0] * 50, [1.0] * 50]), higher_is_better=True)
    assert found == [(1, 2), (1, 2)]


def test_a_resample_without_a_value_counts_as_last() -> None:
    draws = np.array([[np.nan] * 10, [np.nan] * 10, [1.0] * 10])
    assert ranks(draws, higher_is_better=True)[:, 0].tolist() == [2, 2, 1]
    assert ranks(draws, higher_is_better=False)[:, 0].tolist() == [2, 2, 1]


@given(st.lists(st.sampled_from([0.0, 0.25, 1.0, 3.0, -2.0]), min_size=1, max_size=12), st.booleans())
def test_ranks_are_scipys(values: list[float], higher_is_better: bool) -> None:
    column = np.array(values)
    theirs = stats.rankdata(-column if higher_is_better else column, method="min")
    assert ranks(column[:, None], higher_is_better=higher_is_better)[:, 0].tolist() == theirs.tolist()


def test_ranks_do_not_part_what_differs_by_rounding_alone() -> None:
    column = np.array([[0.1 + 0.2], [0.3], [0.2]])
    assert ranks(column, higher_is_better=True)[:, 0].tolist() == [1, 1, 3]


def test_over_tasks_drawn_tasks_make_a_rank_unsure_that_rows_alone_make_sure() -> None:
    # The first leads by far on one of two tasks, the second by less on the other: with both tasks drawn as the other
    # one (chance 1/4), the order turns.
    values = np.array([[1.0, 0.0], [0.0, 0.5]])
    draws = np.repeat(values[:, :, None], 4000, axis=2)
    assert rank_intervals(values.mean(axis=0), draws.mean(axis=0), higher_is_better=True) == [(1, 1), (2, 2)]
    assert rank_intervals_over_tasks(values, draws) == [(1, 2), (1, 2)]
    behind = (means_over_drawn_tasks(draws)[0] < means_over_drawn_tasks(draws)[1]).mean()
    assert behind == pytest.approx(0.25, abs=5 * np.sqrt(0.25 * 0.75 / 4000))


def test_tasks_drawn_have_the_spread_of_means_of_tasks_and_rows_add_theirs() -> None:
    generator = np.random.default_rng(3)
    draws = generator.normal(0, 0.1, size=(7, 1, 20_000)) + np.arange(7.0)[:, None, None]
    # Var of a mean of 7 drawn of 0 to 6 is 4 / 7. Of the rows' 0.01, a task drawn c times adds c² of 7², and the mean
    # of c² is 13/7: 0.01 × 7 × (13/7) / 49.
    assert means_over_drawn_tasks(draws).var() == pytest.approx(4 / 7 + 0.01 * 13 / 49, rel=0.05)


def test_tasks_whose_rows_were_drawn_with_one_seed_are_independent() -> None:
    rows = np.random.default_rng(4).normal(size=(1, 5000))
    draws = np.stack([rows, rows])
    both = means_over_drawn_tasks(draws)
    # Half of the resamples draw one task twice (variance 1), half both (1/2 where independent, 1 where paired).
    assert both.var() == pytest.approx(0.75, rel=0.08)


def test_a_resample_in_which_a_drawn_task_has_no_value_has_none() -> None:
    draws = np.array([[[np.nan] * 200], [[1.0] * 200]])
    found = means_over_drawn_tasks(draws)[0]
    assert set(found[np.isfinite(found)]) == {1.0}
    assert np.isnan(found).mean() == pytest.approx(0.75, abs=0.15)


def test_other_rows_or_missing_values_are_refused() -> None:
    with pytest.raises(ValueError, match="same two or more rows"):
        entry_draws([means(np.zeros(3)), means(np.zeros(4))])
    with pytest.raises(ValueError, match="same two or more rows"):
        entry_draws([means(np.zeros(1))])
    with pytest.raises(ValueError, match="finite value"):
        rank_intervals(np.array([np.nan]), np.zeros((1, 10)), higher_is_better=True)
    assert entry_draws([]).shape == (0, 1000)
