"""Length bias, agreement and rows that rest on one metric, on values whose relations are made."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from grue.core.errors import RunDirectoryError
from grue.core.metric import MetricValue
from grue.core.rows import Generation, Row
from grue.core.run import TaskScore
from grue.evaluation.agreement import Measured, correlation, length_bias, single_metric
from grue.evaluation.validity import TaskSamples, task_validity
from grue.runs.validity import Validity, read_validity

RNG = np.random.default_rng(7)
LENGTHS = RNG.integers(3, 30, 200).astype(np.float64)
NOISE = RNG.normal(size=200)


def _measured(name: str, values: np.ndarray, family: str = "") -> Measured:
    return Measured(name=name, values=values, families=frozenset({family or name}))


def test_spearman_of_a_hand_worked_case_with_ties() -> None:
    # Ranks 1 2.5 2.5 4 … 10 against 1 … 10: rho = 0.9970 (Pearson of the ranks, worked by hand: 82 / sqrt(82 × 82.5)).
    left = np.array([1.0, 2, 2, 4, 5, 6, 7, 8, 9, 10])
    found = correlation(left, np.arange(10.0))
    assert found.rho == pytest.approx(82 / math.sqrt(82 * 82.5))
    assert found.ci95 is not None
    assert found.ci95[0] < found.rho < found.ci95[1]


def test_rank_correlation_equals_scipys() -> None:
    stats = pytest.importorskip("scipy.stats")
    left = np.round(NOISE * 3)
    assert correlation(left, LENGTHS).rho == pytest.approx(stats.spearmanr(left, LENGTHS).statistic, abs=1e-12)


def test_few_rows_and_constant_values_have_no_correlation() -> None:
    assert correlation(np.arange(9.0), np.arange(9.0)).rho is None
    assert correlation(np.ones(50), np.arange(50.0)).rho is None
    assert correlation(np.full(50, np.nan), np.arange(50.0)).n == 0


def test_the_interval_covers_the_true_value_about_as_often_as_it_says() -> None:
    # Bivariate normal with r = 0.5 has a Spearman rho of 6/pi asin(r/2) = 0.4826.
    rng, covered = np.random.default_rng(3), 0
    for _ in range(400):
        left = rng.normal(size=60)
        found = correlation(left, 0.5 * left + math.sqrt(0.75) * rng.normal(size=60))
        assert found.ci95 is not None
        covered += found.ci95[0] <= 6 / math.pi * math.asin(0.25) <= found.ci95[1]
    assert 0.92 <= covered / 400 <= 0.98


def test_a_metric_that_follows_length_is_warned_of_and_noise_is_not() -> None:
    references = np.full(200, 10.0) + RNG.integers(0, 5, 200)
    assert length_bias(_measured("m", LENGTHS + NOISE), LENGTHS, references).severity == "warning"
    assert length_bias(_measured("m", -LENGTHS + NOISE), LENGTHS, None).severity == "warning"
    assert length_bias(_measured("m", NOISE), LENGTHS, references).severity == "fine"


def test_length_that_the_references_explain_is_no_bias() -> None:
    references = LENGTHS + RNG.normal(size=200)
    found = length_bias(_measured("m", references + NOISE), LENGTHS, references)
    assert found.with_length.rho is not None
    assert found.with_length.rho > 0.9
    assert found.severity == "fine"


def test_rows_that_rest_on_one_metric_are_named() -> None:
    good = np.arange(100.0)
    subject = good.copy()
    subject[:15] = 200.0 + np.arange(15)  # the worst by all others are the best by this one
    others = [_measured("rouge1", good, "rouge"), _measured("meteor", good + 0.5), _measured("chrf", good)]
    found = single_metric(_measured("x", subject), others, [str(index) for index in range(100)])
    assert found is not None
    assert (found.count, found.severity) == (15, "warning")
    assert found.examples == tuple(map(str, range(10)))
    fair = single_metric(_measured("x", good), others, [str(index) for index in range(100)])
    assert fair is not None
    assert (fair.count, fair.severity) == (0, "fine")
    assert single_metric(_measured("x", good), others[:1], ["1"] * 100) is None  # one family is no witness


def _value(value: float, scale: float | None = 1.0) -> MetricValue:
    return MetricValue(value, None, 40, scale, True, "s", None)


def _samples(
    coverage: float, cider: float, reward: np.ndarray, metric: np.ndarray, null_coverage: float = 1.0
) -> TaskSamples:
    rows = {str(index): Row(str(index), "p", (f"reference {index} of them",), {}) for index in range(40)}
    generations = [Generation(row, 0, f"words that are number {row} here") for row in rows]
    return TaskSamples.of(
        rows,
        generations,
        language="en",
        values={"cider_d": _value(cider, 10.0), "coverage": _value(coverage), "rougeL": _value(0.3)},
        rewards={"rouge": _value(float(reward.mean()))},
        columns={"cider_d": metric, "rougeL": metric},
        reward_columns={"rouge": reward},
        primary=("coverage", "cider_d"),
        score=TaskScore(
            floor={"coverage": 0.2, "cider_d": 0.3},
            ceiling={"coverage": 0.95, "cider_d": 4.0},
            null_systems={"null:copy-input": {"coverage": null_coverage, "cider_d": 0.6}},
        ),
    )


GOOD = np.linspace(0.0, 1.0, 40)


def test_a_reward_that_goes_against_independent_metrics_is_warned_of() -> None:
    report = task_validity(_samples(0.5, 2.0, 1 - GOOD, GOOD))
    assert report.agreement["reward rouge"].severity == "warning"
    assert set(report.agreement["reward rouge"].against) == {"cider_d"}  # rougeL is of its own family
    assert any("reward rouge goes against cider_d" in text for text in report.warnings)


def test_a_reward_that_goes_with_them_is_fine() -> None:
    assert task_validity(_samples(0.5, 2.0, GOOD, GOOD)).agreement["reward rouge"].severity == "fine"


def test_a_reward_near_its_top_with_metrics_at_the_null_level_is_warned_of() -> None:
    high = 0.95 + 0.04 * GOOD
    report = task_validity(_samples(0.5, 0.5, high, GOOD, null_coverage=0.55)).agreement["reward rouge"]
    assert report.severity == "warning"
    assert report.finding.endswith("while coverage, cider_d is at the level of the null systems")
    for other in (
        _samples(0.5, 0.7, high, GOOD, null_coverage=0.55),  # cider_d is above every null system
        _samples(0.5, 0.5, GOOD, GOOD, null_coverage=0.55),  # the reward is not near its top
        _samples(0.5, 0.5, high, GOOD, null_coverage=1.0),  # coverage puts a null system high: it cannot tell
    ):
        assert task_validity(other).agreement["reward rouge"].severity == "fine"


def test_reports_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    report = Validity({"t": task_validity(_samples(0.5, 2.0, 1 - GOOD, GOOD))})
    text = json.dumps(report.to_json(), allow_nan=False)
    (tmp_path / "validity.json").write_text(text)
    assert read_validity(tmp_path) == report
    assert read_validity(tmp_path / "nowhere") is None
    (tmp_path / "validity.json").write_text(text.replace('"warning"', '"dreadful"'))
    with pytest.raises(RunDirectoryError, match="severity should be fine, notice or warning"):
        read_validity(tmp_path)
