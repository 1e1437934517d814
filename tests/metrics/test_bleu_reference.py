"""BLEU of the NMT script, and the bootstrap aggregate of ROUGE, against their reference implementations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import grue

SETTINGS: dict[str, dict[str, Any]] = {
    "ws": {},
    "13a": {"tokenize": "13a"},
    "ws_smooth": {"smooth": True},
    "ws_order2": {"max_order": 2},
}


@pytest.mark.parametrize("variant", SETTINGS)
def test_bleu_equals_the_nmt_script(golden: Callable[[str], Any], variant: str) -> None:
    _, cases = golden("bleu_nmt")
    compared = 0
    for case in cases:
        expected = case.expected["corpus"][variant]
        score = grue.metric("bleu", **SETTINGS[variant]).compute(case.predictions, case.references)
        if "error" in expected:
            assert score.value == 0, case.id  # the script divides by zero
            continue
        assert score.value == pytest.approx(expected["bleu"], abs=1e-9), case.id
        compared += 1
    assert compared > 25


def test_bleu_on_the_specifications_example() -> None:
    # Specification, golden example 8.
    score = grue.metric("bleu").compute(
        ["a dog runs in the park .", "she has two cats ."],
        [["the dog runs in the park .", "a dog is running in the park ."], ["she has two black cats ."]],
    )
    assert score.value == pytest.approx(0.670011, abs=1e-6)


def test_the_papers_rouge_lies_in_the_spread_of_the_unseeded_aggregate(golden: Callable[[str], Any]) -> None:
    _, cases = golden("rouge_bootstrap")
    compared = 0
    for case in cases:
        for name, expected in case.expected["corpus"]["first_ref"].items():
            metric = grue.metric(name, references="first", paper=True)
            score = metric.compute(case.predictions, case.references)
            spread = expected["bootstrap_mid_by_seed"]
            assert min(spread) - 0.002 <= score.value <= max(spread) + 0.002, (case.id, name)
            plain = grue.metric(name, references="first").compute(case.predictions, case.references)
            assert plain.value == pytest.approx(expected["mean"], abs=1e-9)
            assert score.value != plain.value
            compared += 1
    assert compared >= 4
