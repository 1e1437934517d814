"""`grue export --to lm-eval`: the keys of the harness's own files, and the way back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grue.runs.frames import load_run
from tests.exchange.conftest import HARNESS


def _read(folder: Path) -> dict[str, Any]:
    (path,) = folder.glob("results_*.json")
    return json.loads(path.read_text())


def _samples(folder: Path, task: str) -> list[dict[str, Any]]:
    (path,) = folder.glob(f"samples_{task}_*.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def exported(grue: Callable[..., Any], made: Path, tmp_path: Path) -> Path:
    assert grue("export", made / "run0", "--to", "lm-eval", "-o", tmp_path / "out").code == 0
    return tmp_path / "out"


def test_keys_are_those_of_the_harness(exported: Path) -> None:
    ours, theirs = _read(exported), _read(HARNESS)
    lacking = set(theirs) - set(ours) - {"groups"}
    assert lacking == {
        "tokenizer_pad_token",
        "tokenizer_eos_token",
        "tokenizer_bos_token",
        "eot_token_id",
        "max_length",
    }
    assert set(theirs["config"]) <= set(ours["config"])
    task, toy = ours["results"]["commongen"], theirs["results"]["toy_choice"]
    assert {"name", "alias", "sample_len"} <= set(task)
    assert {"name", "alias", "sample_len"} <= set(toy)
    assert set(ours["n-samples"]["commongen"]) == set(theirs["n-samples"]["toy_choice"]) == {"original", "effective"}
    line, toy_line = _samples(exported, "commongen")[0], _samples(HARNESS, "toy_mt")[0]
    assert set(toy_line) - set(toy_line["metrics"]) == set(line) - set(line["metrics"])


def test_values_are_the_run_s_with_standard_errors_from_its_intervals(exported: Path, made: Path) -> None:
    document, run = _read(exported), load_run(made / "run0")
    assert document["schema_version"] == 1
    assert document["versions"] == {"commongen": 1, "iwslt2017": 1}
    for task, result in run.results.tasks.items():
        for name, value in result.metrics.items():
            key = document["results"][task]
            if value.value is None:
                assert f"{name},none" not in key
                continue
            assert key[f"{name},none"] == value.value
            stderr = key[f"{name}_stderr,none"]
            assert (
                stderr == "N/A" if value.ci95 is None else stderr * 3.92 == pytest.approx(value.ci95[1] - value.ci95[0])
            )
            assert document["higher_is_better"][task][name] == value.higher_is_better


def test_samples_hold_prompts_predictions_and_the_harness_s_hashes(exported: Path, made: Path) -> None:
    lines, table = _samples(exported, "iwslt2017"), load_run(made / "run0").samples("iwslt2017")
    assert [line["doc_id"] for line in lines] == list(range(len(table)))
    assert [line["doc"]["id"] for line in lines] == list(table["id"])
    assert [line["resps"] for line in lines] == [[[text]] for text in table["prediction"]]
    assert lines[0]["target"] == table["references"][0][0]
    first = lines[0]
    assert first["arguments"]["gen_args_0"]["arg_0"] == json.loads(table["inputs"][0])["prompt"]
    assert first["prompt_hash"] == hashlib.sha256(first["arguments"]["gen_args_0"]["arg_0"].encode()).hexdigest()
    assert first["target_hash"] == hashlib.sha256(first["target"].encode()).hexdigest()
    assert (
        first["doc_hash"] == hashlib.sha256(json.dumps(first["doc"], indent=2, ensure_ascii=False).encode()).hexdigest()
    )
    joined = "".join(line["doc_hash"] + line["prompt_hash"] + line["target_hash"] for line in lines)
    assert _read(exported)["task_hashes"]["iwslt2017"] == hashlib.sha256(joined.encode()).hexdigest()


def test_a_round_trip_keeps_values_texts_and_references(
    grue: Callable[..., Any], exported: Path, made: Path, tmp_path: Path
) -> None:
    assert grue("import", "--from", "lm-eval", exported, "-o", tmp_path / "back").code == 0
    before, after = load_run(made / "run0"), load_run(tmp_path / "back")
    assert after.manifest.created_at == before.manifest.created_at
    for task, result in before.results.tasks.items():
        for name, value in result.metrics.items():
            if value.value is None:
                continue
            back = after.results.tasks[task].metrics[name]
            assert (back.value, back.higher_is_better, back.n) == (value.value, value.higher_is_better, result.scored)
            if value.ci95 is None:
                assert back.ci95 is None
            else:
                assert back.ci95 is not None
                assert back.ci95[1] - back.ci95[0] == pytest.approx(value.ci95[1] - value.ci95[0])
        ours, theirs = before.samples(task), after.samples(task)
        for column in ("id", "sample", "prediction"):
            assert list(ours[column]) == list(theirs[column])
        assert [list(one) for one in ours["references"]] == [list(one) for one in theirs["references"]]
    keys = [
        {(t.prompts_sha256, s) for t in run.manifest.tasks.values() for s in t.metrics.values()}
        for run in (before, after)
    ]
    assert not keys[0] & keys[1], "an imported result is never compared with a native one"
    assert after.manifest.tasks["commongen"].primary == before.manifest.tasks["commongen"].primary[:1]
    assert after.manifest.tasks["iwslt2017"].prompts_sha256 == before.manifest.tasks["iwslt2017"].prompts_sha256


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--to", "lm-eval"], "needs a folder"),
        (["--to", "lm-eval", "--format", "csv", "-o", "x"], "--format does not apply"),
        (["--to", "lm-eval", "--about", "a=b", "-o", "x"], "--about goes with"),
        (["--to", "helm", "-o", "x"], "helm"),
    ],
)
def test_wrong_calls_are_named(
    grue: Callable[..., Any],
    made: Path,
    words: list[str],
    problem: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = grue("export", made / "run0", *words)
    assert answer.code == 2
    assert problem in answer.err
    assert not list(tmp_path.iterdir())


def test_a_folder_that_holds_something_is_left_alone(grue: Callable[..., Any], made: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    answer = grue("export", made / "run0", "--to", "lm-eval", "-o", tmp_path)
    assert answer.code == 2
    assert "holds other files" in answer.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
