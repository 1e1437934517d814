"""`grue import --from lm-eval`: real output of the harness as a run, and what is wrong with spoilt output."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grue.runs.frames import load_run
from grue.runs.read import read_run

RESULTS = "results_2026-11-21T13-48-37.899489.json"
SAMPLES = "samples_toy_mt_2026-11-21T13-48-37.899489.jsonl"


@pytest.fixture
def imported(grue: Callable[..., Any], harness: Path, tmp_path: Path) -> Path:
    answer = grue("import", "--from", "lm-eval", harness, "-o", tmp_path / "run")
    assert answer.code == 0, answer.err
    return tmp_path / "run"


def edit(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def test_values_names_and_directions_are_the_harness_s(imported: Path, harness: Path) -> None:
    theirs = json.loads((harness / RESULTS).read_text())["results"]
    tasks = read_run(imported).results["tasks"]
    assert list(tasks) == ["toy_choice", "toy_mt", "toy_repeats", "toy_ppl", "toy_group"]
    metrics = tasks["toy_mt"]["metrics"]
    assert metrics["bleu"]["value"] == theirs["toy_mt"]["bleu,none"] == 2.1890915786867984
    assert metrics["bleu:first-word"]["value"] == theirs["toy_mt"]["bleu,first-word"]
    assert metrics["ter"]["higher_is_better"] is False
    assert metrics["bleu"]["higher_is_better"] is True
    assert tasks["toy_choice"]["metrics"]["acc"]["n"] == 3
    assert tasks["toy_group"]["metrics"]["acc"]["n"] == 3, "a group's value rests on the tasks that have the metric"


def test_intervals_are_the_standard_error_both_ways_and_say_so(imported: Path, harness: Path) -> None:
    theirs = json.loads((harness / RESULTS).read_text())["results"]["toy_mt"]
    found = read_run(imported).results["tasks"]
    bleu = found["toy_mt"]["metrics"]["bleu"]
    assert bleu["ci95"] == pytest.approx(
        [
            theirs["bleu,none"] - 1.96 * theirs["bleu_stderr,none"],
            theirs["bleu,none"] + 1.96 * theirs["bleu_stderr,none"],
        ]
    )
    assert bleu["ci95"][0] <= bleu["value"] <= bleu["ci95"][1]
    assert "1.96" in bleu["reason"]
    without = found["toy_ppl"]["metrics"]["word_perplexity"]
    assert without["ci95"] is None
    assert "no standard error" in without["reason"]


def test_samples_are_there_with_prompts_texts_and_numbers(imported: Path) -> None:
    run = load_run(imported)
    texts = run.samples("toy_mt")
    assert list(texts["id"]) == ["a1", "a2", "a3", "a4"], "the documents' own ids"
    assert texts["prompt"][0] == "Translate to German: The river is grey."
    assert texts["prediction"][0] == " Als ich ein Bild vom Garten."
    assert list(texts["references"][0]) == ["Der Fluss ist grau."]
    assert list(texts["exact_match"]) == [0.0] * 4
    assert "bleu" not in texts
    choices = run.samples("toy_choice")
    assert list(choices["prediction"]) == ["loud", "green", "late"], "the likeliest ending"
    assert [list(one) for one in choices["references"]] == [["blue"], ["green"], ["white"]]
    assert choices["acc"].mean() == pytest.approx(run.results.tasks["toy_choice"].metrics["acc"].value)
    assert list(run.samples("toy_repeats")["sample"]) == [0, 1, 2] * 4
    assert not run.stored.has_samples("toy_ppl")


def test_no_imported_result_has_a_native_key(imported: Path) -> None:
    run = load_run(imported)
    assert run.manifest.model.kind == "imported"
    for task in run.manifest.tasks.values():
        assert task.profile == "lm-eval"
        assert all(str(signature).startswith("lm-eval|") for signature in task.metrics.values())


def test_importing_twice_gives_one_run(grue: Callable[..., Any], imported: Path, harness: Path, tmp_path: Path) -> None:
    again = grue("import", "--from", "lm-eval", harness / RESULTS, "-o", tmp_path / "other", "--json")
    assert again.code == 0
    assert again.document["run_id"] == load_run(imported).manifest.run_id
    assert read_run(tmp_path / "other").results == read_run(imported).results
    assert grue("import", "--from", "lm-eval", harness, "-o", imported, "--json").document["was_finished"]


def test_without_a_folder_it_lies_among_the_runs(
    grue: Callable[..., Any], harness: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRUE_RESULTS_DIR", str(tmp_path / "runs"))
    assert grue("import", "--from", "lm-eval", harness).code == 0
    (path,) = (tmp_path / "runs").iterdir()
    assert path.name == f"demo-causal-{load_run(path).manifest.identity[:10]}"


def test_the_board_marks_it_imported(grue: Callable[..., Any], imported: Path, made: Path, tmp_path: Path) -> None:
    built = grue("leaderboard", "build", "--results", imported, "--results", made, "--out", tmp_path / "board")
    assert built.code == 0, built.err
    documents = [json.loads(path.read_text()) for path in (tmp_path / "board/api/v1").glob("leaderboard*.json")]
    documents += [json.loads(p.read_text()) for p in (tmp_path / "board/api/v1/leaderboard").glob("*.json")]
    rows = {row["name"]: (row["mark"], doc["setting"]["profile"]) for doc in documents for row in doc["rows"]}
    assert rows["demo/causal"] == ("imported", "lm-eval")
    assert rows["good"] == ("rescored", "standard")
    run_id = load_run(imported).manifest.run_id
    page = (tmp_path / "board" / "runs" / run_id / "index.html").read_text()
    assert "imported" in page
    assert "grue import --from lm-eval" in page
    samples = (tmp_path / "board" / "runs" / run_id / "samples" / "toy_ppl" / "index.html").read_text()
    assert "not published" in samples


def test_two_models_on_the_same_documents_are_ranked_with_each_other(
    grue: Callable[..., Any], harness: Path, tmp_path: Path
) -> None:
    assert grue("import", "--from", "lm-eval", harness, "-o", tmp_path / "runs" / "a").code == 0

    def better(document: dict[str, Any]) -> None:
        document["model_name"] = "better"
        document["results"]["toy_choice"]["acc,none"] = 2 / 3

    edit(harness / RESULTS, better)
    assert grue("import", "--from", "lm-eval", harness, "-o", tmp_path / "runs" / "b").code == 0
    board = grue("export", "--results", tmp_path / "runs", "-t", "toy_choice", "--json").document
    assert [(row["name"], row["rank"]) for row in board["rows"]] == [("better", 1), ("demo/causal", 2)]


def test_without_samples_the_values_stand_alone(grue: Callable[..., Any], harness: Path, tmp_path: Path) -> None:
    for path in harness.glob("samples_*"):
        path.unlink()
    assert grue("import", "--from", "lm-eval", harness, "-o", tmp_path / "run").code == 0
    run = read_run(tmp_path / "run")
    assert run.results["tasks"]["toy_choice"]["metrics"]["acc"]["value"] == pytest.approx(1 / 3)
    assert not any(run.has_samples(task) for task in run.results["tasks"])


def test_files_of_before_filters_are_read(grue: Callable[..., Any], tmp_path: Path) -> None:
    document = {
        "results": {"hellaswag": {"acc": 0.5, "acc_stderr": 0.05, "acc_norm": 0.6, "acc_norm_stderr": "N/A"}},
        "versions": {"hellaswag": 0},
        "config": {"model": "gpt2", "model_args": "pretrained=org/name,dtype=float32"},
        "date": 1700000000.0,
    }
    (tmp_path / "results.json").write_text(json.dumps(document))
    assert grue("import", "--from", "lm-eval", tmp_path / "results.json", "-o", tmp_path / "run").code == 0
    run = load_run(tmp_path / "run")
    assert run.manifest.model.name == "org/name"
    assert run.manifest.created_at.startswith("2023-11-14T22:13:20")
    assert run.results.tasks["hellaswag"].metrics["acc"].ci95 == pytest.approx((0.402, 0.598))
    assert run.results.tasks["hellaswag"].metrics["acc_norm"].ci95 is None


def test_numbers_that_are_none_are_absent_with_a_reason(
    grue: Callable[..., Any], harness: Path, tmp_path: Path
) -> None:
    text = (harness / RESULTS).read_text().replace('"acc,none": 0.3333333333333333', '"acc,none": NaN', 1)
    (harness / RESULTS).write_text(text)
    assert grue("import", "--from", "lm-eval", harness, "-o", tmp_path / "run").code == 0
    found = read_run(tmp_path / "run").results["tasks"]["toy_choice"]["metrics"]["acc"]
    assert found["value"] is None
    assert found["ci95"] is None
    assert "no number" in found["reason"]


def test_a_results_file_of_another_name_is_found(grue: Callable[..., Any], harness: Path, tmp_path: Path) -> None:
    """``--output_path mine.json`` makes ``mine_<time>.json``, with the samples beside it."""
    (harness / RESULTS).rename(harness / RESULTS.replace("results_", "mine_"))
    (harness / "package.json").write_text("{}")
    answer = grue("import", "--from", "lm-eval", harness, "-o", tmp_path / "run", "--json")
    assert answer.code == 0, answer.err
    assert answer.document["with_samples"] == ["toy_choice", "toy_mt", "toy_repeats"]


def test_fewer_documents_than_the_split_has_are_a_subset(
    grue: Callable[..., Any], harness: Path, tmp_path: Path
) -> None:
    edit(harness / RESULTS, lambda document: document["n-samples"]["toy_mt"].update(original=400))
    assert grue("import", "--from", "lm-eval", harness, "-o", tmp_path / "run").code == 0
    task = load_run(tmp_path / "run").manifest.tasks["toy_mt"]
    assert (task.limit, task.data.rows) == (4, 400)


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.update(chat_template="{{ messages }}"),
        lambda document: document["versions"].update(toy_mt=2.0),
        lambda document: document.update(lm_eval_version="0.4.9"),
        lambda document: document["n-shot"].update(toy_mt=5),
        lambda document: document["configs"]["toy_mt"]["metric_list"][0].update(ignore_case=True),
    ],
)
def test_what_changes_numbers_changes_the_key(
    grue: Callable[..., Any], harness: Path, tmp_path: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    def key(path: Path) -> tuple[Any, ...]:
        task = load_run(path).manifest.tasks["toy_mt"]
        return (task.version, task.prompts_sha256, task.data.sha256, task.metrics["bleu"])

    assert grue("import", "--from", "lm-eval", harness, "-o", tmp_path / "a").code == 0
    edit(harness / RESULTS, change)
    assert grue("import", "--from", "lm-eval", harness, "-o", tmp_path / "b").code == 0
    assert key(tmp_path / "a") != key(tmp_path / "b")


def test_names_that_no_address_can_have_are_made_fit(grue: Callable[..., Any], harness: Path, tmp_path: Path) -> None:
    text = (harness / RESULTS).read_text().replace('"toy_ppl"', '"a/b c"').replace('"toy_repeats"', '"a|b c"')
    (harness / RESULTS).write_text(text)
    answer = grue("import", "--from", "lm-eval", harness, "-o", tmp_path / "run", "--json")
    assert [name for name in answer.document["tasks"] if name.startswith("a_b")] == ["a_b_c", "a_b_c-2"]
    assert load_run(tmp_path / "run").manifest.arguments["tasks"]["a_b_c"] == "a|b c"  # type: ignore[call-overload,index]


def _result(key: str, value: Any) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        edit(folder / RESULTS, lambda document: document["results"]["toy_mt"].update({key: value}))

    return spoil


def _top(key: str, value: Any) -> Callable[[Path], None]:
    return lambda folder: edit(folder / RESULTS, lambda document: document.update({key: value}))


def _line(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        lines = (folder / SAMPLES).read_text().splitlines()
        document = json.loads(lines[1])
        change(document)
        (folder / SAMPLES).write_text("\n".join([lines[0], json.dumps(document), *lines[2:]]) + "\n")

    return spoil


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda folder: (folder / RESULTS).unlink(), ["holds no results_*.json"]),
        (lambda folder: (folder / RESULTS).write_text("{"), [RESULTS, "JSON"]),
        (lambda folder: (folder / RESULTS).write_text("[]"), [RESULTS, "JSON object"]),
        (lambda folder: (folder / RESULTS).write_text('{"a": "\\ud800"}'), [RESULTS, "JSON"]),
        (lambda folder: (folder / RESULTS).write_bytes(b"\xff\xfe"), [RESULTS, "read"]),
        (lambda folder: (folder / "results_b.json").write_text("{}"), ["2 results files", "one by one"]),
        (_top("results", None), [RESULTS, "results should be an object"]),
        (_top("results", []), [RESULTS, "results should be an object"]),
        (_top("results", {}), [RESULTS, "no value of any task"]),
        (_top("results", {"x": 3}), [RESULTS, "results: x should be an object"]),
        (_top("date", "yesterday"), [RESULTS, "date should be a number"]),
        (_top("date", 1e30), [RESULTS, "date should be seconds"]),
        (_top("n-samples", {"toy_mt": {"effective": "four"}}), [RESULTS, "effective"]),
        (_result("bleu_stderr,none", "high"), [RESULTS, "bleu_stderr,none"]),
        (_result("bleu_stderr,none", -1.0), [RESULTS, "bleu_stderr,none"]),
        (_line(lambda line: line.pop("doc_id")), [SAMPLES + ":", "doc_id"]),
        (_line(lambda line: line.update(resps=[])), [SAMPLES + ":", "resps"]),
        (_line(lambda line: line.update(resps=[[1]])), [SAMPLES + ":", "resps"]),
        (_line(lambda line: line.update(doc="x")), [SAMPLES + ":", "doc"]),
        (_line(lambda line: line.update(arguments={"gen_args_0": 4})), [SAMPLES + ":", "gen_args_0"]),
        (lambda folder: (folder / SAMPLES).write_text("{}\n{"), [f"{SAMPLES}:2", "JSON"]),
        (lambda folder: (folder / SAMPLES).write_text((folder / SAMPLES).read_text().splitlines()[0]), [SAMPLES, "4"]),
    ],
)
def test_a_spoilt_file_is_named_with_its_key_and_nothing_is_written(
    grue: Callable[..., Any], harness: Path, tmp_path: Path, spoil: Callable[[Path], None], named: list[str]
) -> None:
    spoil(harness)
    answer = grue("import", "--from", "lm-eval", harness, "-o", tmp_path / "run")
    assert answer.code == 2
    for part in named:
        assert part in answer.err
    assert "fix:" in answer.err
    assert "Traceback" not in answer.err
    assert not (tmp_path / "run").exists()


def test_another_run_is_never_written_over(grue: Callable[..., Any], harness: Path, made: Path) -> None:
    before = (made / "run0" / "results.json").read_bytes()
    answer = grue("import", "--from", "lm-eval", harness, "-o", made / "run0")
    assert answer.code == 2
    assert "holds another run" in answer.err
    assert (made / "run0" / "results.json").read_bytes() == before


def test_a_model_named_like_a_yardstick_is_none(grue: Callable[..., Any], harness: Path, tmp_path: Path) -> None:
    edit(harness / RESULTS, lambda document: document.update(model_name="null:random-reference"))
    assert grue("import", "--from", "lm-eval", harness, "-o", tmp_path / "runs" / "a").code == 0
    (row,) = grue("export", "--results", tmp_path / "runs", "--json").document["rows"]
    assert row["rank"] == 1
    assert not row["yardstick"]
