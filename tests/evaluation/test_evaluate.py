from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest

from grue.core.errors import UsageError
from grue.evaluation.api import evaluate
from grue.evaluation.run import _Execution
from grue.runs.read import read_run

TASKS = "commongen,daily_dialog"
SMALL = ("-t", TASKS, "--data", "mini", "-L", 6)


def test_null_system_gives_a_finished_run_of_the_contracts_shape(grue, tmp_path):
    answer = grue("eval", "-m", "null:copy-input", *SMALL, "-o", tmp_path / "run", "--json", "--quiet")
    assert answer.code == 0
    assert answer.document["status"] == "finished"
    assert answer.document["path"] == str(tmp_path / "run")
    stored = read_run(tmp_path / "run")
    assert dict(stored.results) == answer.document["results"]
    task = stored.results["tasks"]["commongen"]
    assert task["n"] == {"expected": 6, "scored": 6, "failed": 0}
    assert task["metrics"]["rouge1"]["n"] == 6
    low, high = task["metrics"]["rouge1"]["ci95"]
    assert low <= task["metrics"]["rouge1"]["value"] <= high
    absent = task["metrics"]["spice"]
    assert (absent["value"], absent["ci95"], absent["signature"], absent["n"]) == (None, None, None, 0)
    assert absent["reason"]
    assert task["cost"]["load_seconds"] is None
    manifest = stored.manifest["tasks"]["commongen"]
    assert manifest["metrics"]["rouge1"] == task["metrics"]["rouge1"]["signature"]
    assert stored.manifest["arguments"]["limit"] == 6
    assert not list((tmp_path / "run" / "samples").glob("*.partial.jsonl"))


def test_model_run_says_what_it_cost_and_stores_prompts(grue, tmp_path):
    assert grue("eval", "-m", "demo:causal", *SMALL, "-o", tmp_path / "run").code == 0
    stored = read_run(tmp_path / "run")
    cost = stored.results["tasks"]["commongen"]["cost"]
    table = stored.samples("commongen").to_pylist()
    assert cost["prompt_tokens"] == sum(row["prompt_tokens"] for row in table) > 0
    assert cost["generated_tokens"] == sum(row["generated_tokens"] for row in table) > 0
    assert cost["tokens_per_second"] == pytest.approx(cost["generated_tokens"] / cost["wall_seconds"])
    assert 0 < cost["latency_ms"]["p50"] <= cost["latency_ms"]["p95"]
    assert cost["peak_memory_bytes"] > 10_000_000
    assert table[0]["prompt"].startswith("generate a sentence with: ")
    rates = stored.results["tasks"]["commongen"]["rates"]
    assert rates["cut_output"] == sum(row["finish_reason"] == "length" for row in table) / len(table)


def test_same_command_again_says_that_it_is_finished_and_generates_nothing(grue, tmp_path, monkeypatch):
    command = ("eval", "-m", "null:constant", *SMALL, "-o", tmp_path / "run")
    assert grue(*command).code == 0
    before = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    monkeypatch.setattr(_Execution, "execute", lambda self: pytest.fail("a finished run was run again"))
    answer = grue(*command)
    assert answer.code == 0
    assert "finished already" in answer.out
    assert "cider_d" in answer.out
    assert {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()} == before


def test_without_a_folder_the_run_goes_into_the_results_folder_under_its_identity(grue, tmp_path, monkeypatch):
    monkeypatch.setenv("GRUE_RESULTS_DIR", str(tmp_path / "results"))
    assert grue("eval", "-m", "null:empty", "-t", "commongen", "--data", "mini", "-L", 3).code == 0
    [folder] = (tmp_path / "results").iterdir()
    assert folder.name == f"null-empty-{read_run(folder).manifest['identity'][:10]}"


@pytest.mark.long
def test_interrupted_run_keeps_what_is_stored_and_goes_on_to_the_same_results(grue, tmp_path, monkeypatch, results):
    """The engine is interrupted after two batches; the next start generates exactly the rest."""
    from grue.engine.null import NullEngine

    command = ("eval", "-m", "null:random-reference", "-t", TASKS, "--data", "mini", "-L", 20)
    assert grue(*command, "-o", tmp_path / "whole").code == 0
    plain, asked = NullEngine.generate, []

    def stumbling(self, requests, job):
        if job.decoding.max_new_tokens == 1:  # a yardstick of the score, no generation of the run
            yield from plain(self, requests, job)
            return
        asked.append(len(requests))
        for index, request in enumerate(requests):
            if sum(asked[:-1]) + index == 27 and len(asked) == 2:
                raise KeyboardInterrupt
            yield from plain(self, [request], job)

    monkeypatch.setattr(NullEngine, "generate", stumbling)
    answer = grue(*command, "-o", tmp_path / "run")
    assert answer.code == 130
    assert "To go on where it stopped: grue" in answer.err
    assert not (tmp_path / "run" / "results.json").exists()
    answer = grue(*command, "-o", tmp_path / "run")
    assert answer.code == 0
    assert asked == [20, 20, 13]
    assert "27 generations are stored" in answer.err
    assert results(tmp_path / "run") == results(tmp_path / "whole")
    for task in TASKS.split(","):
        assert pq.read_table(tmp_path / "run" / "samples" / f"{task}.parquet") == pq.read_table(
            tmp_path / "whole" / "samples" / f"{task}.parquet"
        )


def test_several_samples_are_drawn_stored_and_averaged(grue, tmp_path):
    answer = grue(
        "eval", "-m", "null:random-reference", "-t", "commongen", "--data", "mini", "-L", 5, "--samples", 3,
        "--metrics", "rouge1", "-o", tmp_path / "run", "--json", "--quiet",
    )  # fmt: skip
    assert answer.code == 0
    table = read_run(tmp_path / "run").samples("commongen").to_pylist()
    assert [row["sample"] for row in table] == [0, 1, 2] * 5
    value = answer.document["results"]["tasks"]["commongen"]["metrics"]["rouge1"]
    assert value["n"] == 5
    assert value["value"] == pytest.approx(sum(row["rouge1"] for row in table) / 15)


def test_oracle_is_scored_on_rows_with_several_references_alone(grue, tmp_path):
    answer = grue("eval", "-m", "oracle:reference", "-t", "commongen,wmt16", "--data", "mini", "-o", tmp_path / "run")
    assert answer.code == 0
    assert "Left out: wmt16" in answer.err
    plain = grue("eval", "-m", "null:empty", "-t", "commongen", "--data", "mini", "-o", tmp_path / "null")
    assert plain.code == 0
    oracle, null = read_run(tmp_path / "run"), read_run(tmp_path / "null")
    assert list(oracle.results["tasks"]) == ["commongen"]
    assert oracle.manifest["tasks"]["commongen"]["data"] == null.manifest["tasks"]["commongen"]["data"]
    several = [row for row in null.samples("commongen").to_pylist() if len(row["references"]) > 1]
    table = oracle.samples("commongen").to_pylist()
    assert oracle.results["tasks"]["commongen"]["n"]["scored"] == len(several) == len(table)
    assert [row["prediction"] for row in table] == [row["references"][-1] for row in several]
    assert [row["references"] for row in table] == [row["references"][:-1] for row in several]


def test_strict_run_with_an_absent_metric_is_partly_done(grue, tmp_path):
    command = ("eval", "-m", "null:empty", "-t", "commongen", "--data", "mini", "-L", 3, "-o", tmp_path / "run")
    assert grue(*command).code == 0
    assert grue(*command, "--strict").code == 3
    present = ("--metrics", "rouge1", "-o", tmp_path / "other", "--strict")
    assert grue("eval", "-m", "null:empty", "-t", "commongen", "--data", "mini", "-L", 3, *present).code == 0


def test_plan_counts_rows_and_tokens_and_makes_no_folder(grue, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer = grue("eval", "-m", "demo:causal", *SMALL, "--plan", "--json", "--quiet")
    assert answer.code == 0
    plan = answer.document["plan"]
    assert plan["tasks"]["commongen"]["rows"] == 6
    assert plan["tasks"]["commongen"]["new_tokens_at_most"] == 6 * 20
    assert plan["tasks"]["commongen"]["prompt_tokens"] > 0
    assert plan["seconds"] > 0
    assert plan["memory_bytes"] > 0
    assert list(tmp_path.iterdir()) == []


def test_python_api_returns_the_run(tmp_path):
    run = evaluate("null:constant", "commongen", data="mini", limit=4, output=tmp_path / "run", metrics=["rouge1"])
    assert run.results.status == "finished"
    assert json.loads((tmp_path / "run" / "manifest.json").read_text())["arguments"]["metrics"] == ["rouge1"]


def test_python_api_refuses_what_the_command_refuses(tmp_path):
    with pytest.raises(UsageError, match="Did you mean 'greedy'"):
        evaluate("null:empty", "commongen", data="mini", decoding="gredy", output=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_quirk_switches_reach_task_and_manifest(grue, tmp_path):
    answer = grue(
        "eval", "-m", "null:empty", "-t", "daily_dialog", "--data", "mini", "-L", 3,
        "--set", "daily_dialog.separator=true", "--set", "rouge.use_stemmer=false", "-o", tmp_path / "run",
    )  # fmt: skip
    assert answer.code == 0
    manifest = read_run(tmp_path / "run").manifest["tasks"]["daily_dialog"]
    assert manifest["quirks"] == ["separator"]
    assert "stem:no" in manifest["metrics"]["rouge1"]
    assert all(
        reference.endswith("<EOU>")
        for row in read_run(tmp_path / "run").samples("daily_dialog").to_pylist()
        for reference in row["references"]
    )
