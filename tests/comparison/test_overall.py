"""The difference of two GRUE scores is that of the scores, with an interval of paired draws."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import grue
from grue.comparison.words import score_words
from tests.comparison.conftest import MadeTask, MakeRun

FLAGS = ("-t", "all", "-L", "5", "--samples", "3")


@pytest.mark.long
def test_the_difference_is_that_of_the_runs_own_scores(real_run: Callable[..., Path]) -> None:
    runs = [real_run("-m", model, *FLAGS) for model in ("null:random-reference", "null:copy-input")]
    left, right = (grue.load_run(run).results.scores.grue for run in runs)
    assert left.value is not None
    assert right.value is not None
    comparison = grue.compare(*runs)
    found = comparison.pairs[0].grue
    assert found.value == pytest.approx(right.value - left.value, abs=1e-9)
    assert found.ci95 is not None
    assert found.ci95[0] < found.value < found.ci95[1]
    assert score_words(comparison, comparison.pairs[0]).startswith("GRUE score ")
    back = grue.compare(*runs[::-1]).pairs[0].grue
    assert back.value == pytest.approx(-found.value, abs=1e-9)
    itself = grue.compare(runs[0], runs[0]).pairs[0].grue
    assert (itself.value, itself.ci95) == (0, (0, 0))


def test_runs_without_a_score_have_no_difference_of_scores(make_run: MakeRun) -> None:
    a, b = make_run("a", toy=MadeTask({"f1": [0.0, 1.0]})), make_run("b", toy=MadeTask({"f1": [0.5, 1.0]}))
    comparison = grue.compare(a, b)
    assert comparison.pairs[0].grue.value is None
    assert comparison.pairs[0].grue.reason
    assert score_words(comparison, comparison.pairs[0]) == ""
