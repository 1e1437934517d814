"""The sequential test keeps its two promises: false alarms at the nominal rate, and few fails passed over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from grue.core.metric import Floats, SegmentMetric
from grue.core.task import MetricSpec
from grue.metrics.build import build
from grue.stats.bootstrap import Column, mean_of
from grue.stats.sequential import Plan, look, plan

pytestmark = pytest.mark.long

ROWS = 400
LEVEL = 0.05
MISS = 0.1
Draw = Callable[[np.random.Generator], tuple[Floats, Floats]]


@dataclass
class Count:
    """Of the trials of a simulation."""

    trials: int = 0
    fails: int = 0
    whole_fails: int = 0
    missed: int = 0
    rows: int = 0

    def alarms(self) -> float:
        return self.fails / self.trials

    def fraction(self) -> float:
        return self.rows / self.trials / ROWS

    def missed_share(self) -> float:
        return self.missed / self.whole_fails


def decided(
    planned: Plan, index: int, pair: tuple[Floats, Floats], value: Callable[[Floats], Floats], margin: float
) -> str:
    columns = [Column(part[: planned.rows[index]], value) for part in pair]
    return look(planned, index, *columns, higher_is_better=True, margin=margin, n_trials=400).decision


def simulated(draw: Draw, trials: int, value: Callable[[Floats], Floats] = mean_of, margin: float = 0.0) -> Count:
    planned = plan(ROWS, level=LEVEL, miss=MISS, margin=margin)
    count = Count()
    last = len(planned.rows) - 1
    for number in range(trials):
        pair = draw(np.random.default_rng((ROWS, number)))
        decisions = (decided(planned, index, pair, value, margin) for index in range(last + 1))
        index, decision = next((index, one) for index, one in enumerate(decisions) if one != "continue")
        whole = decided(planned, last, pair, value, margin)
        count.trials += 1
        count.rows += planned.rows[index]
        count.fails += decision == "fail"
        count.whole_fails += whole == "fail"
        count.missed += whole == "fail" and decision == "pass"
    return count


def columns(baseline: Floats, candidate: Floats) -> tuple[Floats, Floats]:
    ones = np.ones(len(baseline))
    return np.column_stack((baseline, ones)), np.column_stack((candidate, ones))


def sampled_twice(generator: np.random.Generator) -> tuple[Floats, Floats]:
    hard = generator.normal(size=ROWS)
    return columns(*(hard + generator.normal(size=(2, ROWS))))


def right_or_wrong(generator: np.random.Generator) -> tuple[Floats, Floats]:
    chance = generator.beta(2, 1, size=ROWS)
    return columns(*(generator.random((2, ROWS)) < chance).astype(float))


def bleu_rows(generator: np.random.Generator) -> tuple[Floats, Floats]:
    hard = 1 / (1 + np.exp(-generator.normal(0.5, 1.0, size=ROWS)))
    out = []
    for _ in range(2):
        lengths = generator.integers(8, 36, size=ROWS)
        totals = [lengths - n for n in range(4)]
        hits = [generator.binomial(total, hard ** (n + 1)) for n, total in enumerate(totals)]
        out.append(np.column_stack((lengths, lengths + 1, *hits, *totals)).astype(float))
    return out[0], out[1]


def limit(rate: float, trials: int) -> float:
    """The rate and three standard errors."""
    return rate + 3 * float(np.sqrt(rate * (1 - rate) / trials))


@pytest.mark.parametrize("draw", [sampled_twice, right_or_wrong])
def test_equal_models_raise_alarms_at_the_nominal_rate_and_stop_early(draw: Draw) -> None:
    trials = 2000
    count = simulated(draw, trials)
    # Early passes take away next to no alarm: the rate is the level, not far below it.
    assert 0.03 < count.alarms() <= limit(LEVEL, trials)
    assert count.fraction() < 0.7


def test_equal_models_raise_alarms_at_the_nominal_rate_in_bleu() -> None:
    metric = build(MetricSpec("sacrebleu"))
    assert isinstance(metric, SegmentMetric)
    count = simulated(bleu_rows, 1000, metric.corpus_value)
    assert count.alarms() <= limit(LEVEL, 1000)
    assert count.fraction() < 0.7


def test_a_model_just_at_the_margin_raises_alarms_at_the_nominal_rate() -> None:
    def draw(generator: np.random.Generator) -> tuple[Floats, Floats]:
        baseline, candidate = sampled_twice(generator)
        candidate[:, 0] -= 0.2
        return baseline, candidate

    count = simulated(draw, 1000, margin=0.2)
    assert count.alarms() <= limit(LEVEL, 1000)


def test_of_what_fails_on_all_rows_few_pass_early() -> None:
    def draw(generator: np.random.Generator) -> tuple[Floats, Floats]:
        baseline, candidate = sampled_twice(generator)
        candidate[:, 0] -= 2 * np.sqrt(2 / ROWS)  # two standard errors
        return baseline, candidate

    count = simulated(draw, 1000)
    assert 0.5 < count.whole_fails / count.trials < 0.8
    assert count.missed_share() <= limit(MISS, count.whole_fails)


@pytest.mark.parametrize("n_worse", [6, 12, 30])
def test_of_a_few_ruined_rows_that_fail_on_all_rows_few_pass_early(n_worse: int) -> None:
    def draw(generator: np.random.Generator) -> tuple[Floats, Floats]:
        candidate = np.ones(ROWS)
        candidate[generator.permutation(ROWS)[:n_worse]] = 0.0
        return columns(np.ones(ROWS), candidate)

    count = simulated(draw, 500)
    assert count.whole_fails / count.trials > 0.9
    assert count.missed_share() <= limit(MISS, count.whole_fails)
