"""``grue rewards`` and ``grue.reward``: shapes, exit codes and messages."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import grue
from grue.cli.main import run
from grue.core.errors import MetricUnavailableError, UsageError
from grue.rewards import REWARDS

Write = Callable[..., Path]
KEYS = {"value", "low", "high", "n", "signature", "formula"}
ROW = {"prediction": "A coral fish island.", "references": ["a coral fish"], "concepts": ["coral", "fish", "island"]}


def answer(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_the_list_names_every_reward_with_state_and_range(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rewards", "list", "--json"]) == 0
    rows = {row["name"]: row for row in answer(capsys)["rewards"]}
    assert list(rows)[: len(REWARDS)] == list(REWARDS)
    assert rows["ter"]["low"] is None
    assert rows["ter"]["high"] == 1
    assert rows["common_gen_preference_model"]["reason"]
    assert run(["rewards", "list"]) == 0
    text = capsys.readouterr().out
    assert "increasing_numbers" in text
    assert "clip(reward, low, high)" in text


@pytest.mark.parametrize("name", REWARDS)
def test_show_says_what_a_reward_is(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rewards", "show", name]) == 0
    text = capsys.readouterr().out
    for word in ("range", "higher is better", "cost", f"--set {name}.paper"):
        assert word in text
    assert run(["rewards", "show", name, "--json"]) == 0
    row = answer(capsys)
    assert row["higher_is_better"] is True
    assert (row["reason"] is None) == (row["signature"] is not None)
    assert "seconds_per_1000_rows" in row


def test_show_takes_formulas(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rewards", "show", "0.5*(rouge + chrf)", "--json"]) == 0
    row = answer(capsys)
    assert row["formula"] == "0.5*rouge + 0.5*chrf"
    assert (row["low"], row["high"]) == (0, 1)


def test_compute_prints_the_documented_object(rows_file: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = rows_file(ROW, {**ROW, "references": []})
    assert run(["rewards", "compute", "rouge", str(path), "--json"]) == 0
    out = answer(capsys)
    assert set(out) == {"schema_version", "rewards", "per_sample"}
    assert set(out["rewards"]["rouge"]) == KEYS
    assert out["per_sample"]["rouge"] == [pytest.approx(6 / 7), None]
    assert out["rewards"]["rouge"]["n"] == 1
    assert run(["rewards", "compute", "rouge", str(path), "--per-sample"]) == 0
    assert "0.8571" in capsys.readouterr().out


def test_portions_of_a_large_file_give_what_one_batch_gives(
    rows_file: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"prediction": "a " * (index % 7), "references": [["a a a"], []][index % 3 == 0]} for index in range(4500)]
    for text in ("0.5*rouge", "growing_mean(rouge)", "running(rouge)"):
        assert run(["rewards", "compute", text, str(rows_file(*rows)), "--json"]) == 0
        values = answer(capsys)["per_sample"][text]
        whole = grue.reward(text).compute(
            predictions=[row["prediction"] for row in rows], references=[row["references"] for row in rows]
        )
        assert values == pytest.approx(whole.values)
        assert values[0] is None
        assert whole.n == 3000


def test_compute_takes_formulas_and_settings(rows_file: Write, capsys: pytest.CaptureFixture[str]) -> None:
    text = "rouge + common_gen_repeat_penalty"
    assert run(["rewards", "compute", text, str(rows_file(ROW)), "--set", "rouge.type=rouge2", "--json"]) == 0
    out = answer(capsys)
    assert out["per_sample"][text] == [pytest.approx(0.8 - 1)]
    assert out["rewards"][text]["formula"] == "rouge(type='rouge2') + common_gen_repeat_penalty"


def test_an_absent_reward_has_a_reason_and_is_no_failure(rows_file: Write, capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("common_gen_preference_model", "rouge + learned_reward(model='no/such/folder')"):
        assert run(["rewards", "compute", text, str(rows_file(ROW)), "--json"]) == 0
        found = answer(capsys)["rewards"][text]
        assert found["value"] is None
        assert found["n"] == 0
        assert found["signature"] is None
        assert found["reason"]


def test_rows_without_references_are_said(rows_file: Write, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rewards", "compute", "rouge", str(rows_file({"prediction": "a"})), "--json"]) == 0
    found = answer(capsys)["rewards"]["rouge"]
    assert (found["value"], found["n"], found["reason"]) == (None, 0, "no references are given")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rouhe"], "Did you mean 'rouge'"),
        (["0.5*rouhe"], "character 5"),
        (["rouge", "--set", "rouge.tpe=1"], "Did you mean 'type'"),
        (["rouge", "--set", "rogue.type=rougeL"], "Did you mean 'rouge'"),
        (["rouge", "--set", "rouge"], "FAMILY.key=value"),
        (["rouge", "--label", "1"], "has no setting 'label'"),
        (["rouge + chrf", "--label", "1"], "takes no label"),
        (["none.py:X"], "There is no file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_wrong_call_is_refused_before_anything_is_computed(
    rows_file: Write, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert run(["rewards", "compute", arguments[0], str(rows_file(ROW)), *arguments[1:], "--json"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert words in captured.err


def test_a_faulty_file_is_refused(rows_file: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rewards", "compute", "rouge", str(tmp_path / "none.jsonl")]) == 2
    assert run(["rewards", "compute", "rouge", str(rows_file({"prediction": None}))]) == 2
    assert "must be text" in capsys.readouterr().err


def test_a_classifiers_folder_is_a_reward_with_a_label(rows_file: Write, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(grue.__file__).parent / "metrics" / "neural" / "demo" / "sentiment"
    if not folder.is_dir():
        pytest.skip("the toy classifier is not built")
    path = rows_file({"prediction": "a wonderful film"}, {"prediction": "a boring film"})
    assert run(["rewards", "compute", str(folder), str(path), "--label", "POSITIVE", "--json"]) == 0
    by_folder = answer(capsys)
    assert run(["rewards", "compute", "learned_reward", str(path), "--json", "--set", f"learned_reward.model={folder}",
                "--set", "learned_reward.label=1"]) == 0  # fmt: skip
    by_name = answer(capsys)
    assert by_folder["per_sample"][str(folder)] == by_name["per_sample"]["learned_reward"]
    good, bad = by_folder["per_sample"][str(folder)]
    assert good > bad
    assert grue.reward(str(folder), label="NEGATIVE").compute(predictions=["a wonderful film"]).values == [
        pytest.approx(1 - good)
    ]
    assert run(["rewards", "compute", str(folder), str(path)]) == 2
    assert "--label" in capsys.readouterr().err
    formula = f"classifier({str(folder)!r}, label='POSITIVE')"
    assert grue.reward(formula).compute(predictions=["a wonderful film"]).values == [pytest.approx(good)]


def test_a_classifier_without_the_label_is_absent_with_its_classes() -> None:
    scorer = grue.reward("learned_reward", model="demo:sentiment", label="sarcastic")
    assert scorer.built is None
    assert scorer.reason is not None
    assert "sarcastic" in scorer.reason
    assert "POSITIVE" in scorer.reason


def test_python_takes_prompts_predictions_references_and_meta() -> None:
    score = grue.reward("common_gen_repeat_penalty").compute(
        ["generate a sentence with: a b."] * 2, ["x a b", "b a"], [[], []], [{"k": 1}, {}]
    )
    assert score.values == [-1.0, 0.0]
    assert score.mean == score.value == -0.5
    assert (score.low, score.high, score.n) == (-1, 0, 2)


def test_a_reward_is_a_batch_function() -> None:
    values = grue.reward("rouge")(None, ["a b", "a"], [["a b"], []])
    assert values[0] == 1
    assert str(values[1]) == "nan"
    with pytest.raises(MetricUnavailableError, match="no judge is named"):
        grue.reward("learned_reward")(["p"], ["a"])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"predictions": "text"}, "predictions must be a list"),
        ({"predictions": [None]}, "predictions must be a list"),
        ({"predictions": ["a"], "references": ["a"]}, "must be a list of texts"),
        ({"predictions": ["a"], "references": [[None]]}, "must be a list of texts"),
        ({"predictions": ["a"], "references": []}, "references: 0 given for 1"),
        ({"predictions": ["a"], "prompts": []}, "prompts: 0 given for 1"),
        ({"predictions": ["a"], "prompts": [3]}, "prompts must be a list of texts"),
        ({"predictions": ["a"], "meta": [{}, {}]}, "meta: 2 given for 1"),
        ({"predictions": ["a"], "meta": ["x"]}, "meta must be a list of mappings"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else None,
)
def test_python_refuses_what_is_no_batch(given: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        grue.reward("rouge").compute(**given)


def test_no_predictions_give_no_value() -> None:
    score = grue.reward("rouge").compute()
    assert (score.value, score.values, score.reason) == (None, [], "there are no predictions")


def test_a_long_formula_is_no_path() -> None:
    text = " + ".join(["row('a')"] * 500)
    assert grue.reward(text).compute(predictions=["x"], meta=[{"a": 1}]).values == [500]


def test_settings_beside_a_formula_are_refused() -> None:
    with pytest.raises(UsageError, match="takes no settings from outside"):
        grue.reward("rouge + chrf", type="rougeL")


def test_listing_imports_no_library() -> None:
    code = (
        "import sys, grue, grue.cli.rewards, grue.rewards.build, grue.rewards.settings; "
        "print([m for m in ('numpy', 'torch', 'nltk', 'sacrebleu', 'pandas', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
