"""Scoring without a model gives what evaluating gave."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grue.evaluation.api import score
from grue.runs.read import read_run

ROWS = ("-t", "commongen,daily_dialog,iwslt2017", "--data", "mini", "-L", "8")


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a checkpoint, whose texts the other programs of these tests repeat."""
    from grue.cli.main import run

    folder = tmp_path_factory.mktemp("evaluated") / "run"
    assert run(["eval", "-m", "demo:causal", *ROWS, "-o", str(folder), "--quiet"]) == 0
    return folder


def fill_in(prompts: Path, run: Path, out: Path, column: str = "prediction") -> None:
    """Another program: reads prompts, writes predictions, in an order of its own."""
    stored = read_run(run)
    texts = {
        (task, row["id"]): row[column] if row[column] is not None else row["prediction"]
        for task in stored.results["tasks"]
        for row in stored.samples(task).to_pylist()
    }
    asked = [json.loads(line) for line in prompts.read_text().splitlines()]
    lines = [
        json.dumps({"task": row["task"], "id": row["id"], "prediction": texts[row["task"], row["id"]]})
        for row in reversed(asked)
    ]
    out.write_text("\n".join(lines) + "\n")


def metrics(run: Path) -> dict:
    return {name: task["metrics"] for name, task in read_run(run).results["tasks"].items()}


@pytest.mark.parametrize("column", ["prediction", "raw"])
def test_another_programs_texts_get_the_numbers_of_eval(grue, evaluated, tmp_path, column):
    """``raw`` are the same texts before the task's post-processing, which scoring applies."""
    assert grue("prompts", *ROWS, "-o", tmp_path / "prompts.jsonl").code == 0
    fill_in(tmp_path / "prompts.jsonl", evaluated, tmp_path / "predictions.jsonl", column)
    assert grue("validate", tmp_path / "predictions.jsonl", *ROWS).code == 0
    assert grue("score", tmp_path / "predictions.jsonl", *ROWS, "-o", tmp_path / "scored").code == 0
    assert metrics(tmp_path / "scored") == metrics(evaluated)
    ours, theirs = read_run(tmp_path / "scored"), read_run(evaluated)
    for task in theirs.results["tasks"]:
        assert ours.samples(task)["prediction"] == theirs.samples(task)["prediction"]
        assert ours.statistics(task) == theirs.statistics(task)
        assert ours.samples(task)["prompt"].null_count == len(ours.samples(task))
        for key in ("version", "split", "data", "prompts_sha256", "metrics"):
            assert ours.manifest["tasks"][task][key] == theirs.manifest["tasks"][task][key]


def test_prompts_go_to_standard_output_without_a_file(grue):
    answer = grue("prompts", "-t", "commongen", "--data", "mini", "-L", 2)
    assert answer.code == 0
    rows = [json.loads(line) for line in answer.out.splitlines()]
    assert len(rows) == 2
    assert all(list(row) == ["task", "id", "prompt"] for row in rows)


def test_compressed_reordered_file_is_the_same_run(grue, evaluated, tmp_path):
    assert grue("prompts", *ROWS, "-o", tmp_path / "prompts.jsonl").code == 0
    fill_in(tmp_path / "prompts.jsonl", evaluated, tmp_path / "a.jsonl")
    lines = sorted((tmp_path / "a.jsonl").read_text().splitlines())
    with gzip.open(tmp_path / "b.jsonl.gz", "wt") as stream:
        stream.write("\n".join(lines))
    assert grue("score", tmp_path / "a.jsonl", *ROWS, "-o", tmp_path / "scored").code == 0
    answer = grue("score", tmp_path / "b.jsonl.gz", *ROWS, "-o", tmp_path / "scored")
    assert answer.code == 0
    assert "finished already" in answer.out


def test_tasks_of_the_file_are_scored_where_none_are_named(grue, evaluated, tmp_path):
    assert grue("prompts", "-t", "commongen", "--data", "mini", "-L", 8, "-o", tmp_path / "p.jsonl").code == 0
    fill_in(tmp_path / "p.jsonl", evaluated, tmp_path / "one.jsonl")
    where = ("--data", "mini", "-L", 8)
    assert grue("score", tmp_path / "one.jsonl", *where, "-o", tmp_path / "scored").code == 0
    assert metrics(tmp_path / "scored") == {"commongen": metrics(evaluated)["commongen"]}
    assert grue("score", tmp_path / "one.jsonl", "-t", "grue", *where, "-o", tmp_path / "group").code == 0
    answer = grue("score", tmp_path / "one.jsonl", "-t", "commongen,imdb", *where, "-o", tmp_path / "both")
    assert answer.code == 2
    assert "imdb" in answer.err
    assert not (tmp_path / "both").exists()


GOOD_LINE = {"task": "commongen", "id": "1", "prediction": "A goat sleeps on a sofa."}


@pytest.mark.parametrize(
    ("lines", "parts"),
    [
        (["{broken"], ("line 1",)),
        ([json.dumps({"task": "commongen", "id": "1"})], ("line 1", "prediction")),
        ([json.dumps(GOOD_LINE | {"prompt": "x"})], ("line 1", "prompt")),
        ([json.dumps(GOOD_LINE | {"prediction": 7})], ("line 1", "prediction")),
        ([json.dumps(GOOD_LINE | {"task": "comongen"})], ("line 1", "comongen", "Did you mean 'commongen'?")),
        ([json.dumps(GOOD_LINE | {"id": "no-such-id"})], ("line 1", "no-such-id")),
        ([json.dumps(GOOD_LINE)] * 2, ("line 2", "1")),
        ([json.dumps(GOOD_LINE)], ("13",)),
        ([json.dumps(GOOD_LINE).replace("goat", "\\ud800")], ("line 1",)),
        ([], ("prediction",)),
    ],
    ids=["broken", "missing key", "extra key", "type", "task", "id", "repeated", "missing id", "unicode", "empty"],
)
def test_faulty_prediction_file_is_refused_and_makes_no_folder(grue, tmp_path, lines, parts):
    (tmp_path / "p.jsonl").write_text("".join(f"{line}\n" for line in lines))
    answer = grue("score", tmp_path / "p.jsonl", "--data", "mini", "-L", 2, "-o", tmp_path / "run")
    assert answer.code == 2
    assert answer.out == ""
    assert "fix: " in answer.err
    for part in parts:
        assert part in answer.err
    assert not (tmp_path / "run").exists()


def test_source_that_is_not_there_is_refused(grue, tmp_path):
    answer = grue("score", tmp_path / "nothing", "--data", "mini", "-o", tmp_path / "run")
    assert answer.code == 2
    assert str(tmp_path / "nothing") in answer.err


def test_run_directory_alone_gives_the_same_numbers_again(grue, evaluated, tmp_path, monkeypatch):
    """Neither data nor model are asked for: both are out of reach."""
    moved = tmp_path / "elsewhere" / "run"
    shutil.copytree(evaluated, moved)
    monkeypatch.setenv("GRUE_DATA", str(tmp_path / "no-data"))
    answer = grue("score", moved, "-o", tmp_path / "again")
    assert answer.code == 0
    assert metrics(tmp_path / "again") == metrics(evaluated)
    again, first = read_run(tmp_path / "again"), read_run(evaluated)
    assert again.manifest["identity"] == first.manifest["identity"]
    assert again.manifest["model"] == first.manifest["model"]
    for task in first.results["tasks"]:
        assert again.samples(task) == first.samples(task)
        assert again.results["tasks"][task]["rates"] == first.results["tasks"][task]["rates"]
        assert again.results["tasks"][task]["cost"] == first.results["tasks"][task]["cost"]


def test_run_is_scored_with_other_metrics_and_settings_into_another_directory(grue, evaluated, tmp_path):
    wanted = ("--metrics", "rouge1,exact_match", "--set", "rouge.use_stemmer=false", "-t", "commongen")
    answer = grue("score", evaluated, *wanted, "-o", tmp_path / "other")
    assert answer.code == 0
    stored = read_run(tmp_path / "other")
    assert list(stored.results["tasks"]) == ["commongen"]
    assert list(stored.results["tasks"]["commongen"]["metrics"]) == ["rouge1", "exact_match"]
    assert "stem:no" in stored.results["tasks"]["commongen"]["metrics"]["rouge1"]["signature"]
    assert stored.manifest["identity"] != read_run(evaluated).manifest["identity"]
    refused = grue("score", evaluated, *wanted, "-o", evaluated)
    assert refused.code == 2
    assert str(evaluated) in refused.err
    assert "fix: " in refused.err


def test_settings_of_the_run_hold_when_it_is_scored_again(grue, tmp_path):
    command = ("eval", "-m", "null:copy-input", "-t", "daily_dialog", "--data", "mini", "-L", 5, "-o", tmp_path / "run")
    switched = ("--set", "daily_dialog.separator=true", "--set", "rouge.use_stemmer=false")
    assert grue(*command, *switched).code == 0
    assert grue("score", tmp_path / "run", "-o", tmp_path / "again").code == 0
    assert metrics(tmp_path / "again") == metrics(tmp_path / "run")
    again = read_run(tmp_path / "again").manifest["tasks"]["daily_dialog"]
    assert again == read_run(tmp_path / "run").manifest["tasks"]["daily_dialog"]


@pytest.mark.parametrize("flag", [("--data", "mini"), ("--split", "test"), ("-L", "3")], ids=lambda flag: flag[0])
def test_flags_that_choose_rows_are_refused_for_a_run(grue, evaluated, tmp_path, flag):
    answer = grue("score", evaluated, *flag, "-o", tmp_path / "again")
    assert answer.code == 2
    assert flag[0] in answer.err
    assert not (tmp_path / "again").exists()


def test_unknown_task_of_a_run_is_refused_with_the_nearest(grue, evaluated, tmp_path):
    answer = grue("score", evaluated, "-t", "wmt16", "-o", tmp_path / "again")
    assert answer.code == 2
    assert "wmt16" in answer.err
    assert "iwslt2017" in answer.err


def test_scoring_loads_no_torch(evaluated, tmp_path):
    code = (
        "import sys; from grue.cli.main import run; "
        f"code = run(['score', {str(evaluated)!r}, '-o', {str(tmp_path / 'again')!r}, '--quiet', "
        "'--no-model-metrics']); "
        "heavy = [m for m in ('torch', 'transformers', 'datasets') if m in sys.modules]; "
        "sys.exit(code or (99 if heavy else 0))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=dict(os.environ))
    assert done.returncode == 0, done.stderr


def test_python_api_scores_a_file(tmp_path, grue):
    rows = grue("prompts", "-t", "commongen", "--data", "mini", "-L", 3).out.splitlines()
    texts = [{key: json.loads(row)[key] for key in ("task", "id")} | {"prediction": "A dog."} for row in rows]
    (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, texts)))
    run = score(tmp_path / "p.jsonl", "commongen", data="mini", limit=3, output=tmp_path / "run", name="dogs")
    assert run.results.status == "finished"
    assert run.manifest.model.name == "dogs"
