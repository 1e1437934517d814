"""Intervals cover the truth as often as they say: 2,000 data sets of 400 rows, 1,000 resamples each.

The standard error of a share of 95 % in 2,000 trials is 0.5 %; 93.5 to 96.5 % is three of them on either side.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from grue.core.metric import Floats, SegmentMetric
from grue.core.task import MetricSpec
from grue.metrics.build import build
from grue.stats.bootstrap import Column, interval, mean_of
from grue.stats.effect import effect
from grue.stats.paired_bootstrap import paired_bootstrap
from grue.stats.pairs import pair_of

pytestmark = pytest.mark.long

TRIALS = 2000
ROWS = 400
LOW, HIGH = 0.935, 0.965


def means(values: Floats) -> Column:
    return Column(np.column_stack((values, np.ones(len(values)))), mean_of)


def bleu() -> SegmentMetric:
    metric = build(MetricSpec("sacrebleu"))
    assert isinstance(metric, SegmentMetric)
    return metric


def bleu_rows(generator: np.random.Generator, n_rows: int, quality: float, hard: Floats) -> Floats:
    """Statistics of texts of 8 to 35 words whose share of n-grams found varies from row to row."""
    lengths = generator.integers(8, 36, size=n_rows)
    found = 1 / (1 + np.exp(-(quality + hard)))
    totals = [lengths - n for n in range(4)]
    hits = [generator.binomial(total, found ** (n + 1)) for n, total in enumerate(totals)]
    references = lengths + generator.integers(-2, 4, size=n_rows)
    return np.column_stack((lengths, references, *hits, *totals)).astype(float)


def covered(trial: Callable[[np.random.Generator, int], tuple[float, float] | None], truth: float) -> float:
    hits = 0
    for number in range(TRIALS):
        found = trial(np.random.default_rng((ROWS, number)), number)
        assert found is not None
        hits += found[0] <= truth <= found[1]
    return hits / TRIALS


@pytest.mark.parametrize("shape", ["uniform", "gamma", "rare"])
def test_the_interval_of_a_mean_covers(shape: str) -> None:
    draw, truth = {
        "uniform": (lambda generator: generator.random(ROWS), 0.5),
        "gamma": (lambda generator: generator.gamma(2.0, size=ROWS), 2.0),
        "rare": (lambda generator: (generator.random(ROWS) < 0.1).astype(float), 0.1),
    }[shape]

    def trial(generator: np.random.Generator, seed: int) -> tuple[float, float] | None:
        column = means(draw(generator))
        return interval(column.statistics, column.corpus_value, seed=seed)

    assert LOW <= covered(trial, truth) <= HIGH


def test_the_interval_of_bleu_covers() -> None:
    metric = bleu()
    generator = np.random.default_rng(1)
    many = bleu_rows(generator, 2_000_000, 0.5, generator.normal(size=2_000_000))
    truth = float(metric.corpus_value(many.sum(axis=0)))

    def trial(generator: np.random.Generator, seed: int) -> tuple[float, float] | None:
        rows = bleu_rows(generator, ROWS, 0.5, generator.normal(size=ROWS))
        return interval(rows, metric.corpus_value, seed=seed)

    assert LOW <= covered(trial, truth) <= HIGH


def test_the_interval_covers_where_rows_have_several_samples() -> None:
    samples = 4

    def trial(generator: np.random.Generator, seed: int) -> tuple[float, float] | None:
        values = generator.normal(size=(ROWS, 1)) + 0.5 * generator.normal(size=(ROWS, samples))
        sums = np.column_stack((values.sum(axis=1), np.full(ROWS, float(samples))))
        return interval(sums, mean_of, seed=seed)

    assert LOW <= covered(trial, 0.0) <= HIGH


def test_the_interval_of_bleu_covers_where_rows_have_several_samples() -> None:
    metric = bleu()
    samples = 3
    generator = np.random.default_rng(2)
    hard = generator.normal(size=1_000_000)
    truth = float(metric.corpus_value(bleu_rows(generator, 1_000_000, 0.5, hard).sum(axis=0)))

    def trial(generator: np.random.Generator, seed: int) -> tuple[float, float] | None:
        hard = generator.normal(size=ROWS)
        rows = sum(bleu_rows(generator, ROWS, 0.5, hard) for _ in range(samples))
        return interval(np.asarray(rows), metric.corpus_value, seed=seed)

    assert LOW <= covered(trial, truth) <= HIGH


def test_the_paired_interval_of_a_mean_covers() -> None:
    def trial(generator: np.random.Generator, seed: int) -> tuple[float, float] | None:
        baseline = generator.gamma(2.0, size=ROWS)
        candidate = baseline + 0.1 + generator.exponential(0.5, size=ROWS) - 0.5
        return paired_bootstrap(pair_of(means(baseline), means(candidate)), seed=seed).ci95

    assert LOW <= covered(trial, 0.1) <= HIGH


def test_the_paired_interval_of_bleu_covers() -> None:
    metric = bleu()
    generator = np.random.default_rng(3)
    hard = generator.normal(size=2_000_000)
    values = [
        float(metric.corpus_value(bleu_rows(generator, 2_000_000, quality, hard).sum(axis=0))) for quality in (0.5, 0.6)
    ]

    def trial(generator: np.random.Generator, seed: int) -> tuple[float, float] | None:
        hard = generator.normal(size=ROWS)
        columns = [Column(bleu_rows(generator, ROWS, quality, hard), metric.corpus_value) for quality in (0.5, 0.6)]
        return paired_bootstrap(pair_of(*columns), seed=seed).ci95

    assert LOW <= covered(trial, values[1] - values[0]) <= HIGH


def test_the_interval_of_the_effect_size_covers() -> None:
    def trial(generator: np.random.Generator, seed: int) -> tuple[float, float] | None:
        baseline = generator.normal(size=ROWS)
        candidate = baseline + generator.normal(0.15, 0.5, size=ROWS)
        pair = pair_of(means(baseline), means(candidate), baseline, candidate)
        return effect(pair, seed=seed).ci95

    assert LOW <= covered(trial, 0.15 / 0.5) <= HIGH
