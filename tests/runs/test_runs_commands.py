"""`grue validate`, `grue runs` and `grue samples` from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grue.cli.main import run
from grue.core.run import Manifest

Finish = Callable[..., Path]
CONCEPTS = [
    {"concept_set_idx": 4, "concepts": ["dog", "run"], "target": "A dog runs."},
    {"concept_set_idx": 4, "concepts": ["dog", "run"], "target": "The dog is running."},
    {"concept_set_idx": 7, "concepts": ["cat", "sit"], "target": "A cat sits."},
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "commongen"
    folder.mkdir(parents=True)
    (folder / "test.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in CONCEPTS))
    return tmp_path / "data"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "p.jsonl", {"4": "A dog.", "7": ""})


def write(path: Path, texts: dict[str, Any]) -> Path:
    rows = ({"task": "commongen", "id": row, "prediction": text} for row, text in texts.items())
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


@pytest.fixture
def path(tmp_path: Path, manifest: Manifest, write_run: Finish) -> Path:
    return write_run(tmp_path / "runs" / "first", manifest)


def answer(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("tasks", [[], ["-t", "commongen"], ["-t", "grue"]])
def test_valid_file_is_answered_with_0(
    file: Path, data: Path, tasks: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["validate", str(file), "--data", str(data), *tasks, "--json"]) == 0
    assert answer(capsys) == {
        "schema_version": 1,
        "valid": True,
        "errors": [],
        "error_count": 0,
        "tasks": {"commongen": {"rows": 2, "samples": 1, "empty": 1}},
    }


def test_invalid_file_is_answered_with_1_and_every_fault(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "p.jsonl", {"4": 3, "8": "x"})
    assert run(["validate", str(file), "--data", str(data), "--json"]) == 1
    document = answer(capsys)
    assert document["valid"] is False
    assert document["error_count"] == 3
    assert [(error["line"], error["id"]) for error in document["errors"]] == [(1, "4"), (2, "8"), (None, "7")]
    assert run(["validate", str(file), "--data", str(data)]) == 1
    assert "Not valid: 3 faults." in capsys.readouterr().out


def test_unknown_task_in_the_file_is_a_fault_and_in_the_call_a_wrong_call(
    tmp_path: Path, data: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = tmp_path / "odd.jsonl"
    odd.write_text('{"task": "comongen", "id": "4", "prediction": ""}\n')
    assert run(["validate", str(odd), "--data", str(data), "--json"]) == 1
    assert "Did you mean 'commongen'?" in answer(capsys)["errors"][0]["problem"]
    assert run(["validate", str(file), "--data", str(data), "-t", "comongen"]) == 2
    assert "Did you mean 'commongen'?" in capsys.readouterr().err


def test_missing_file_or_split_is_a_wrong_call(
    tmp_path: Path, data: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["validate", str(tmp_path / "none"), "--data", str(data)]) == 2
    assert run(["validate", str(file), "--data", str(data), "--split", "tset"]) == 2
    assert run(["validate", str(file), "--data", str(tmp_path / "nowhere")]) == 2
    assert capsys.readouterr().out == ""


def test_limit_asks_for_the_subset_alone(file: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate", str(file), "--data", str(data), "-L", "1", "--json"]) == 1
    (error,) = answer(capsys)["errors"]
    assert "Unknown id" in error["problem"]
    assert "limit" in error["fix"]


def test_runs_are_listed_with_broken_ones(path: Path, manifest: Manifest, capsys: pytest.CaptureFixture[str]) -> None:
    (path.parent / "broken").mkdir()
    (path.parent / "broken" / "manifest.json").write_text("{")
    assert run(["runs", "list", "--results", str(path.parent), "--json"]) == 0
    document = answer(capsys)
    (listed,) = document["runs"]
    assert (listed["run_id"], listed["status"], listed["tasks"]) == (manifest.run_id, "finished", ["toy"])
    (broken,) = document["broken"]
    assert "no valid JSON" in broken["reason"]
    assert run(["runs", "list", "--results", str(path.parent)]) == 0
    printed = capsys.readouterr()
    assert manifest.run_id in printed.out
    assert "no valid JSON" in printed.err


def test_results_folder_comes_from_the_settings(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GRUE_RESULTS_DIR", str(path.parent))
    assert run(["runs", "list", "--json"]) == 0
    assert len(answer(capsys)["runs"]) == 1
    monkeypatch.setenv("GRUE_RESULTS_DIR", str(tmp_path / "none yet"))
    assert run(["runs", "list", "--json"]) == 0
    assert answer(capsys)["runs"] == []
    assert run(["runs", "list", "--results", str(tmp_path / "none")]) == 2


def test_run_is_shown_by_path_id_beginning_and_name(
    path: Path, manifest: Manifest, capsys: pytest.CaptureFixture[str]
) -> None:
    for text in (str(path), manifest.run_id, manifest.run_id[:20].lower(), "a", "first", "fir"):
        assert run(["runs", "show", text, "--results", str(path.parent), "--json"]) == 0
        document = answer(capsys)
        assert document["results"]["run_id"] == manifest.run_id
        assert document["manifest"]["identity"] == manifest.identity
    assert run(["runs", "show", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "rouge1 *" in printed
    assert "no value (no stemmer here): toy meteor" in printed
    assert run(["runs", "show", "firsd", "--results", str(path.parent)]) == 2
    assert "Did you mean 'first'?" in capsys.readouterr().err


def test_worst_samples_come_first_and_rows_without_a_value_are_left_out(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["samples", str(path), "--worst", "5", "--json"]) == 0
    document = answer(capsys)
    assert document["metric"] == "rouge1"
    assert [(row["id"], row["rouge1"]) for row in document["samples"]] == [("10", 0.25), ("2", 1.0)]
    assert document["samples"][0]["inputs"]["concepts"] == ["ä"]
    assert run(["samples", str(path), "-t", "toy", "--worst", "1", "--metric", "reward_length", "--json"]) == 0
    assert [row["id"] for row in answer(capsys)["samples"]] == ["1"]


def test_samples_are_shown_with_input_references_and_scores(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["samples", str(path), "-L", "2"]) == 0
    printed = capsys.readouterr()
    for text in ("say ä", "reference   ä", "(empty)", "rouge1 0.2500"):
        assert text in printed.out
    assert "2 of 3 generations" in printed.err


@pytest.mark.parametrize("flags", [["-t", "toi"], ["--metric", "rouge7"], ["--worst", "0"]])
def test_unknown_task_or_metric_is_a_wrong_call(
    path: Path, flags: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["samples", str(path), *flags]) == 2
    assert "error:" in capsys.readouterr().err
