"""A formula made from a signature is that of the metric with these settings."""

from __future__ import annotations

import numpy as np
import pytest

from grue.comparison.aggregates import aggregate_of
from grue.comparison.formulas import formula
from grue.core.metric import Texts
from grue.core.task import MetricSpec
from grue.metrics.build import build
from grue.metrics.compute import mean_value
from grue.stats.bootstrap import mean_of

SETTINGS = [
    ("sacrebleu", {}),
    ("sacrebleu", {"tokenize": "intl", "lowercase": True}),
    ("sacrebleu", {"smooth_method": "floor"}),
    ("sacrebleu", {"smooth_method": "floor", "smooth_value": 0.123}),
    ("sacrebleu", {"smooth_method": "add-k"}),
    ("sacrebleu", {"smooth_method": "none"}),
    ("sacrebleu", {"max_ngram_order": 2, "effective_order": True}),
    ("bleu", {}),
    ("bleu", {"smooth": True, "max_order": 3}),
    ("bleu_1", {}),
    ("bleu_4", {"tokenize": "whitespace"}),
    ("chrf", {}),
    ("chrf", {"eps_smoothing": True}),
    ("chrf", {"beta": 1, "char_order": 4}),
    ("chrf++", {}),
    ("ter", {}),
    ("ter", {"normalized": True, "case_sensitive": True}),
    ("bleu_totto", {}),
]
TEXTS = Texts(
    ["a cat sat on the mat", "on the mat .", "", "no word in common at all"],
    [["the cat sat on the mat", "a cat is on a mat"], ["on a mat ."], ["something"], ["xyz"]],
    [{"table": [], "highlighted_cells": []}] * 4,
)


@pytest.mark.parametrize(("name", "settings"), SETTINGS, ids=[f"{name} {settings}" for name, settings in SETTINGS])
def test_a_formula_from_the_signature_equals_the_metrics_own(name: str, settings: dict[str, object]) -> None:
    metric = build(MetricSpec(name, settings))
    statistics = metric.statistics(TEXTS)
    sums = np.vstack((statistics.sum(axis=0), statistics[:2].sum(axis=0), statistics))
    made = formula(name, metric.signature())
    assert made is not None
    assert made(sums) == pytest.approx(metric.corpus_value(sums), abs=1e-12, nan_ok=True)


def test_perplexity_is_the_exponential_of_the_mean_likelihood() -> None:
    made = formula("perplexity", "perplexity|model:toy|given:nothing|start:yes|ctx:64|v:1")
    assert made is not None
    assert made(np.array([[6.0, 3.0], [0.0, 0.0]])) == pytest.approx([np.exp(2.0), np.nan], nan_ok=True)


@pytest.mark.parametrize(
    ("name", "signature"), [("other", "other|v:1"), ("sacrebleu", "tok:13a"), ("chrf", "nrefs:1|nc:six|nw:0|eff:yes")]
)
def test_an_unknown_metric_or_signature_has_no_formula(name: str, signature: str) -> None:
    assert formula(name, signature) is None


def test_the_papers_rouge_is_moved_to_its_median() -> None:
    metric = build(MetricSpec("rouge1", {"paper": True}))
    values = np.random.default_rng(5).random(40)
    statistics = np.column_stack((values, np.ones(40)))
    wanted = mean_value(metric, values)
    assert wanted != pytest.approx(values.mean(), abs=1e-6)
    assert aggregate_of(metric.signature(), statistics, mean_of).value() == pytest.approx(wanted, abs=1e-12)
    assert aggregate_of("rouge1|v:1", statistics, mean_of).value() == pytest.approx(values.mean())
