"""SacreBLEU, chrF and TER against the values that sacrebleu itself gave."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import grue

TOLERANCE = 1e-9


def check(golden: Callable[[str], Any], name: str, metric_of: Callable[[str, dict[str, Any]], Any], least: int) -> None:
    settings, cases = golden(name)
    compared = 0
    for case in cases:
        for variant, options in settings["variants"].items():
            expected = case.expected["corpus"].get(variant)
            if expected is None or "error" in expected:
                continue
            score = metric_of(variant, options).compute(case.predictions, case.references)
            assert score.value == pytest.approx(expected["score"], abs=TOLERANCE), (case.id, variant)
            assert score.n == len(case.predictions)
            compared += 1
    assert compared >= least


def test_corpus_bleu_equals_the_library_in_every_setting(golden: Callable[[str], Any]) -> None:
    check(golden, "sacrebleu_corpus", lambda _, options: grue.metric("sacrebleu", **options), least=350)


def test_chrf_equals_the_library_in_every_setting(golden: Callable[[str], Any]) -> None:
    def metric_of(variant: str, options: dict[str, Any]) -> Any:
        return grue.metric("chrf++") if variant == "chrf++" else grue.metric("chrf", **options)

    check(golden, "chrf", metric_of, least=200)


def test_ter_equals_the_library_in_every_setting(golden: Callable[[str], Any]) -> None:
    check(golden, "ter", lambda _, options: grue.metric("ter", **options), least=200)


def test_sums_of_bleu_statistics_are_the_librarys_counts(golden: Callable[[str], Any]) -> None:
    from grue.core.metric import SegmentMetric, Texts
    from grue.core.task import MetricSpec
    from grue.metrics.build import build

    settings, cases = golden("sacrebleu_corpus")
    for variant, options in settings["variants"].items():
        built = build(MetricSpec("sacrebleu", options))
        assert isinstance(built, SegmentMetric)
        for case in cases:
            expected = case.expected["corpus"].get(variant)
            if expected is None or "error" in expected:
                continue
            total = built.statistics(Texts(case.predictions, case.references, [{}] * len(case.predictions))).sum(axis=0)
            assert total[:2].tolist() == [expected["sys_len"], expected["ref_len"]], (case.id, variant)
            order = options.get("max_ngram_order", 4)
            if options.get("smooth_method") != "add-k":  # the library reports the smoothed counts there
                assert total[2:].tolist() == [*expected["counts"], *expected["totals"]], (case.id, variant)
            assert len(total) == 2 + 2 * order


def test_sentence_bleu_equals_the_library_with_effective_order(golden: Callable[[str], Any]) -> None:
    settings, cases = golden("sacrebleu_sentence")
    compared = 0
    for case in cases:
        for variant, options in settings["variants"].items():
            if options.get("effective_order") is False:
                continue
            expected = case.expected["per_sample"].get(variant)
            if not isinstance(expected, list):
                continue
            got = grue.metric("sacrebleu", **options).compute(case.predictions, case.references).per_sample
            assert got[: len(expected)] == pytest.approx(expected, abs=TOLERANCE), (case.id, variant)
            compared += len(expected)
    assert compared > 1000


@pytest.mark.parametrize("name", ["chrf", "ter"])
def test_sentence_scores_equal_the_library(golden: Callable[[str], Any], name: str) -> None:
    settings, cases = golden(name)
    compared = 0
    for case in cases:
        for variant, options in settings["variants"].items():
            expected = case.expected["per_sample"].get(variant)
            expected = expected["score"] if isinstance(expected, dict) and "score" in expected else expected
            if not isinstance(expected, list):
                continue
            metric = grue.metric("chrf++") if variant == "chrf++" else grue.metric(name, **options)
            got = metric.compute(case.predictions, case.references).per_sample
            assert np.allclose(got[: len(expected)], expected, rtol=0, atol=TOLERANCE), (case.id, variant)
            compared += len(expected)
    assert compared > 500
