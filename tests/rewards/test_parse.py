"""Formulas: what they mean, what is refused, and where the fault stands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import grue
from grue.core.errors import GrueError, UsageError
from grue.core.metric import Texts
from grue.rewards import REWARDS
from grue.rewards.combine import formula
from grue.rewards.formula_functions import FUNCTIONS
from grue.rewards.named import LOAD
from grue.rewards.parse import parse
from grue.rewards.plugins import RESERVED


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("rouge", "rouge"),
        ("0.5*rouge + 0.5*clip(rouge_combined, 0, 1)", "0.5*rouge + 0.5*clip(rouge_combined, 0, 1)"),
        ("0.25*(rouge + chrf)", "0.25*rouge + 0.25*chrf"),
        ("(rouge + chrf) + ter", "rouge + chrf + ter"),
        ("rouge + (chrf + ter)", "rouge + chrf + ter"),
        ("rouge - chrf/4", "rouge - 0.25*chrf"),
        ("rouge*2*3", "6*rouge"),
        ("-rouge", "-rouge"),
        ("-(rouge - chrf)", "-rouge + chrf"),
        ("1 - ter", "1 - ter"),
        ("2 + rouge - 5", "rouge - 3"),
        ("+rouge", "rouge"),
        ("(1/3)*rouge", "0.3333333333333333*rouge"),
        ("1*rouge", "1*rouge"),
        ("rouge(type='rouge1')", "rouge"),
        ("rouge(references='first', type='rougeL')", "rouge(type='rougeL', references='first')"),
        ("rouge(paper=True)", "rouge(references='first')"),
        ("clip(rouge, high=0.5)", "clip(rouge, None, 0.5)"),
        ("clip(low=0, reward=ter)", "clip(ter, 0, None)"),
        ("running(rouge)", "running(rouge)"),
        ("running(rouge, 2, 0.5, 0.25)", "running(rouge, 2, 0.5, 0.25)"),
        ("calibrate(rouge, [0.3, 0.1])", "calibrate(rouge, [0.1, 0.3])"),
        ("log_sigmoid(rouge)", "log_sigmoid(rouge, 0)"),
        ("log_sigmoid(rouge, [0.1, 0.2, 0.4], quantile=0.5)", "log_sigmoid(rouge, 0.2)"),
        ("log_sigmoid(rouge - row('q'))", "log_sigmoid(rouge - row('q'), 0)"),
        ("standardise(rouge, 0.3, 0.1)", "standardise(rouge, 0.3, 0.1)"),
        ("growing_mean(rouge)", "growing_mean(rouge)"),
        ("increasing_numbers(min_tokens=5)", "increasing_numbers(min_tokens=5)"),
        ("  rouge\n", "rouge"),
        ("(\n rouge\n + chrf\n)", "rouge + chrf"),
    ],
)
def test_formulas_have_one_printed_form(text: str, printed: str) -> None:
    reward = parse(text)
    assert formula(reward) == printed
    assert parse(printed) == reward


def test_a_formula_means_its_arithmetic() -> None:
    rows = {"predictions": ["a b c"], "references": [["a b d"]], "meta": [{"q": 0.5}]}
    rouge, chrf = (grue.reward(name).compute(**rows).values[0] for name in ("rouge", "chrf"))
    assert rouge is not None
    assert chrf is not None
    value = grue.reward("2*rouge - (chrf - 1)/4 + row('q')").compute(**rows).values[0]
    assert value == pytest.approx(2 * rouge - (chrf - 1) / 4 + 0.5)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0.5*rogue", r"character 5: unknown reward 'rogue'. Did you mean 'rouge'\?"),
        ("rouge + clp(chrf, 0, 1)", r"character 9: unknown reward 'clp'. Did you mean 'clip'\?"),
        ("rouge +\n rogue", "cannot be read"),
        ("(rouge +\n rogue)", "line 2, character 2: unknown reward"),
        ("é + rogue", r"character 1: unknown reward 'é'"),
        ("1*rouge + ß*2", "character 11: unknown reward 'ß'"),
        ("rouge *", "cannot be read"),
        ("rouge chrf", "cannot be read at character 7: "),
        ("", "cannot be read"),
        ("rouge\0", "cannot be read"),
        ("0.5", "is a number and holds no reward"),
        ("rouge*chrf", "character 1: a reward can be multiplied by a number only"),
        ("1/rouge", "nothing can be divided by a reward"),
        ("rouge/chrf", "nothing can be divided by a reward"),
        ("rouge/0", "division by zero"),
        ("(1/0)*rouge", "division"),
        ("rouge/(1-1)", "division by zero"),
        ("1e400*rouge", "finite"),
        ("rouge/1e-320", "finite"),
        ("10**400*rouge", "is no part of a formula"),
        ("rouge**2", "is no part of a formula"),
        ("rouge if True else chrf", "is no part of a formula"),
        ("__import__('os').system('true')", "is no part of a formula"),
        ("().__class__", "is no part of a formula"),
        ("[rouge]", "is no part of a formula"),
        ("lambda: 1", "is no part of a formula"),
        ("rouge(lambda: 1)", "takes settings by name only"),
        ("True*rouge", "True is neither a number nor a reward"),
        ("'rouge'", "neither a number nor a reward"),
        ("2j*rouge", "neither a number nor a reward"),
        ("rouge('rougeL')", r"character 7: 'rouge' takes settings by name only"),
        ("rouge(tpe='rougeL')", "has no setting 'tpe'. Did you mean 'type'"),
        ("rouge(type='rougeX')", "is not allowed"),
        ("rouge(type=chrf)", "a setting is a number"),
        ("rouge(**{})", "is no part of a formula"),
        ("clip()", "clip needs reward"),
        ("clip(0.5, 0, 1)", "a reward is expected here"),
        ("clip(rouge, 1, 0)", "above the upper one"),
        ("clip(rouge, 0, 1, 2)", "clip takes reward, low, high"),
        ("clip(rouge, lo=0)", "does not take 'lo' here. Did you mean 'low'"),
        ("clip(rouge, reward=rouge)", "does not take 'reward' here"),
        ("clip(rouge, 'a', 1)", "low must be a finite number"),
        ("clip(rouge, chrf, 1)", "a number, a text or a list"),
        ("standardise(rouge, 0, 0)", "standard deviation is 0"),
        ("standardise(rouge, 0)", "standardise needs std"),
        ("running(rouge, 1.5)", "whole number"),
        ("calibrate(rouge, [])", "Calibration needs reference rewards"),
        ("calibrate(rouge, ['a'])", "must be a list of numbers"),
        ("calibrate(rouge, 3)", "must be a list of numbers"),
        ("calibrate(rouge, 'none.json')", "cannot be read"),
        ("log_sigmoid(rouge, [1], quantile=2)", "quantile between 0 and 1"),
        ("log_sigmoid(rouge, 1, quantile=0.5)", "quantile goes with a list"),
        ("row()", "row needs key"),
        ("row(3)", "must be a text in quotes"),
        ("load()", "load takes the text"),
        ("load('none.py:X')", "There is no file"),
        ("classifier('folder')", "classifier needs label"),
        ("clip", "unknown reward 'clip'"),
    ],
    ids=lambda value: value[:30].encode("unicode_escape").decode() if isinstance(value, str) else None,
)
def test_faulty_formulas_name_the_place_and_the_fault(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse(text)


def test_functions_of_formulas_are_reserved_names() -> None:
    assert {*FUNCTIONS, LOAD} == RESERVED
    assert not RESERVED & set(REWARDS)


def test_an_unknown_plain_name_is_no_formula() -> None:
    with pytest.raises(UsageError, match=r"Unknown reward 'meteorr'\. Did you mean 'meteor'"):
        grue.reward("meteorr")


def test_depth_is_bounded_and_length_is_not_depth() -> None:
    assert len(parse(" + ".join(["rouge"] * 500)).signature()) > 500
    with pytest.raises(UsageError, match=r"nested more than|cannot be read"):
        parse("-" * 300 + "rouge")
    with pytest.raises(UsageError):
        parse("(" * 5000 + "rouge" + ")" * 5000)
    with pytest.raises(UsageError, match="letters"):
        parse("rouge" + " " * 1_000_001)


@given(st.text(alphabet="rouge chf()+-*/.,0123456789=[]'\"\n\\clip_{}:", max_size=40))
def test_any_text_is_a_reward_or_a_named_fault(text: str) -> None:
    try:
        reward = parse(text)
    except GrueError:
        return
    assert parse(formula(reward)) == reward


def test_settings_from_outside_reach_the_parts_and_yield_to_the_formula() -> None:
    table = {"rouge": {"type": "rougeL", "references": "first"}}
    assert formula(parse("rouge + chrf", table)) == "rouge(type='rougeL', references='first') + chrf"
    assert formula(parse("rouge(type='rouge2')", table)) == "rouge(type='rouge2', references='first')"


def test_python_words_as_settings_get_an_underscore() -> None:
    scorer = grue.reward("parent", lambda_="0.5")
    if scorer.built is None:
        pytest.skip(f"parent: {scorer.reason}")
    assert formula(scorer.built) == "parent(lambda_='0.5')"
    assert parse("parent(lambda_='0.5')") == scorer.built


def test_reference_values_come_from_numbers_results_or_rows(tmp_path: Path) -> None:
    numbers, result, rows = tmp_path / "n.json", tmp_path / "r.json", tmp_path / "rows.jsonl"
    numbers.write_text("[1, 0.5, 0.25]")
    result.write_text(json.dumps({"rewards": {}, "per_sample": {"rouge": [0.25, None, 1.0, 0.5]}}))
    # ROUGE-1: 1, 1/2 (2 of 4 words on both sides) and 1/4; a row without references has no value.
    lines = [("a b c d", ["a b c d"]), ("a b x y", ["a b c d"]), ("a x y z", ["a b c d"]), ("a", [])]
    rows.write_text("".join(json.dumps({"prediction": p, "references": r}) + "\n" for p, r in lines))
    texts = Texts(["a b", "a c d e", "a"], [["a b"], ["a c d x"], ["b"]], [{}] * 3)
    signatures = set()
    for path in (numbers, result, rows):
        reward = parse(f"calibrate(rouge, {str(path)!r})")
        assert reward.rewards(texts).tolist() == [1.0, 2 / 3, 0.0]
        assert formula(reward) == f"calibrate(rouge, {str(path)!r})"
        assert parse(formula(reward)) == reward
        signatures.add(reward.signature())
    assert len(signatures) == 1
    assert formula(parse(f"log_sigmoid(rouge, {str(rows)!r})")) == "log_sigmoid(rouge, 0.5)"


@pytest.mark.parametrize(
    "content", ["{}", '{"per_sample": 3}', '["a"]', "[true]", "3", "[", '{"per_sample": {"a": []}}']
)
def test_files_without_numbers_are_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "n.json"
    path.write_text(content)
    with pytest.raises(UsageError, match=r"n\.json|Calibration"):
        parse(f"calibrate(rouge, {str(path)!r})")
