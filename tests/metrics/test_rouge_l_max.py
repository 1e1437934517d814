"""ROUGE-L-max against the values that py-rouge gave, and its law on texts of several lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import grue


def test_rouge_l_max_equals_py_rouge(golden: Callable[[str], Any]) -> None:
    _, cases = golden("rouge_l_max")
    for case in cases:
        score = grue.metric("rougeL_max").compute(case.predictions, case.references)
        assert score.value == pytest.approx(case.expected["corpus"]["narrativeqa"], abs=1e-9), case.id
        rows = case.expected["per_sample"]["narrativeqa"]
        assert score.per_sample is not None
        assert score.per_sample[: len(rows)] == pytest.approx(rows, abs=1e-9), case.id
    assert len(cases) > 30


@pytest.mark.parametrize(
    ("prediction", "reference", "weight", "expected"),
    [
        # Specification, golden example 12.
        ("he was running to the old castle", "he runs to a castle", 1.2, 0.714662),
        ("he was running to the old castle", "the castle", 1.2, 0.520770),
        ("a doctor", "the doctor.", 1.2, 0.561231),
        ("a doctor", "Doctor", 1.2, 0.718960),
        ("a doctor", "the doctor.", 1.0, 0.5),
        ("a doctor", "Doctor", 1.0, 0.666667),
    ],
)
def test_rouge_l_max_on_the_specifications_texts(
    prediction: str, reference: str, weight: float, expected: float
) -> None:
    score = grue.metric("rougeL_max", weight_factor=weight).compute([prediction], [[reference]])
    assert score.value == pytest.approx(expected, abs=1e-6)
