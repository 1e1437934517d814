"""ROUGE-L-max against the values that py-rouge gave, and its law on texts of several lines."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from importlib.metadata import distribution
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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


@pytest.fixture(scope="session")
def py_rouge() -> Callable[[str, str], float]:
    """The reference's F with the paper's settings; setuptools' resource lookup, which it imports, is stood in for."""
    with pytest.MonkeyPatch.context() as patch:
        stand_in = types.ModuleType("pkg_resources")
        folder = distribution("py-rouge").locate_file("rouge")
        stand_in.resource_filename = lambda _, name: f"{folder}/{name}"  # type: ignore[attr-defined]
        patch.setitem(sys.modules, "pkg_resources", stand_in)
        import rouge

        scorer = rouge.Rouge(
            metrics=["rouge-l"],
            max_n=4,
            limit_length=True,
            length_limit=100,
            length_limit_type="words",
            apply_avg=True,
            apply_best=True,
            alpha=0.5,
            weight_factor=1.2,
            stemming=True,
        )
    return lambda prediction, reference: float(scorer.get_scores(prediction, [reference])["rouge-l"]["f"])


# fmt: off
WORDS = st.sampled_from((
    "the", "cat", "ran", "running", "runs", "went", "go", "taken", "take", "cannot", "scannots", "gonna", "wanna",
    "studies", "study", "governmental", "arose", "Ä", "e\u0301", "3.5", "it's", "mouse", "'tis", "x,y",
    "mice", "\n", "\n\n", "\t",
))
# fmt: on
TEXT = st.one_of(
    st.lists(WORDS, max_size=40).map(" ".join),
    st.lists(WORDS, min_size=90, max_size=130).map(" ".join),
    st.text(alphabet=st.one_of(st.characters(codec="utf-8"), st.sampled_from("aaabe  \nsing.")), max_size=60),
)


def equal(prediction: str, reference: str, py_rouge: Callable[[str, str], float]) -> None:
    score = grue.metric("rougeL_max").compute([prediction], [[reference]])
    assert score.value == pytest.approx(py_rouge(prediction, reference), abs=1e-12)


@pytest.mark.usefixtures("punkt")
@given(prediction=TEXT, reference=TEXT)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_texts_score_as_by_py_rouge(prediction: str, reference: str, py_rouge: Callable[[str, str], float]) -> None:
    equal(prediction, reference, py_rouge)


@pytest.mark.long
@pytest.mark.usefixtures("punkt")
@given(prediction=TEXT, reference=TEXT)
@settings(max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_many_texts_score_as_by_py_rouge(
    prediction: str, reference: str, py_rouge: Callable[[str, str], float]
) -> None:
    equal(prediction, reference, py_rouge)
