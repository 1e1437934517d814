"""``grue verify`` on honest runs, and on each way to forge one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import grue
from grue.core.run import checksum
from tests.verification.conftest import SAMPLED, Copy, Lines, Verify, edit_json, edit_samples, rehash, reidentify


def better(lines: Lines) -> None:
    """The third row's text becomes its reference."""
    lines[2]["prediction"] = lines[2]["references"][0]


@pytest.mark.parametrize("model", ["demo:causal", "demo:seq2seq", "null:random-reference", "oracle:reference"])
def test_honest_run_is_what_it_claims(runs: dict[str, Path], verify: Verify, model: str) -> None:
    answer = verify(runs[model])
    assert answer.code == 0
    assert answer.document["verdict"] == "yes"
    assert {finding["check"] for finding in answer.findings("passed")} >= {"documents", "files", "data", "scores"}
    assert not answer.findings("not_checked")
    if not model.startswith("demo:"):  # a rule is asked about every text
        assert [finding["check"] for finding in answer.findings("passed")][-1] == "texts"


def test_honest_texts_come_out_again_token_by_token(runs: dict[str, Path], verify: Verify) -> None:
    answer = verify(runs["demo:causal"], "-m", "demo:causal", "--rows", 5, "--seed", 11)
    assert answer.code == 0
    assert answer.document["spot_seed"] == 11
    texts = [finding for finding in answer.findings("passed") if finding["check"] == "texts"]
    assert [finding["task"] for finding in texts] == ["commongen", "daily_dialog"]
    assert all("5 of 8 rows" in finding["message"] for finding in texts)


def test_rows_are_drawn_anew_unless_a_seed_is_given(runs: dict[str, Path], verify: Verify) -> None:
    seeds = {verify(runs["demo:seq2seq"], "-m", "demo:seq2seq", "--rows", 1).document["spot_seed"] for _ in range(2)}
    assert len(seeds) == 2


def test_terminal_says_what_was_and_what_was_not_looked_at(runs: dict[str, Path], command: Verify) -> None:
    answer = command("verify", runs["demo:seq2seq"], "--quiet")
    assert answer.code == 0
    assert "no text was generated again; -m CHECKPOINT does that" in answer.out
    assert "Yes: what was checked is what the run claims." in answer.out
    assert not answer.err


def test_edited_prediction_is_found_by_its_hash_and_named_by_its_scores(copy: Copy, verify: Verify) -> None:
    path = copy("demo:causal")
    edit_samples(path, SAMPLED, better)
    answer = verify(path)
    assert answer.code == 1
    (of_file,) = answer.failures("files")
    assert of_file["place"] == str(path / "samples" / f"{SAMPLED}.parquet")
    assert "was changed after the run" in of_file["message"]
    assert answer.failures("scores")


def test_edited_prediction_with_all_hashes_made_anew_is_found_by_its_scores(copy: Copy, verify: Verify) -> None:
    path = copy("demo:causal")
    row_id: list[str] = []
    edit_samples(path, SAMPLED, lambda lines: (better(lines), row_id.append(lines[2]["id"]))[0])
    rehash(path)
    answer = verify(path)
    assert answer.code == 1
    assert not answer.failures("files")
    assert not answer.failures("documents")
    places = [finding["place"] for finding in answer.failures("scores")]
    of_rows = [place for place in places if place and place.startswith(str(path / "samples"))]
    assert of_rows == [f"{path / 'samples' / SAMPLED}.parquet: id {row_id[0]}"]
    assert f"{path / 'results.json'}: tasks.{SAMPLED}.metrics.meteor.value" in places


@pytest.mark.parametrize("task", ["commongen", "daily_dialog"])
def test_texts_that_were_edited_and_scored_again_need_the_checkpoint(
    copy: Copy, verify: Verify, tmp_path: Path, task: str
) -> None:
    path = copy("demo:causal")
    names: list[str] = []

    def edit(lines: Lines) -> None:
        line = lines[2]
        names.append(line["id"])
        raw = line["prediction"] if line["raw"] is None else line["raw"]
        text = " ".join(raw.split(" ")[:3]) + " elephants ."
        # One task strips its texts, the other leaves them as they are.
        line["prediction"], line["raw"] = (text.strip(), text) if task == SAMPLED else (text, None)

    edit_samples(path, task, edit)
    rehash(path)
    forged = tmp_path / "forged"
    grue.score(path, output=forged)
    assert verify(forged).code == 0
    answer = verify(forged, "-m", "demo:causal", "--rows", 8)
    assert answer.code == 1
    (failure,) = answer.failures("texts")
    assert failure["task"] == task
    assert f"id {names[0]}" in failure["place"]
    assert re.search(r"differs from token [1-9] on", failure["message"])
    assert "elephants" in failure["message"]


def test_run_of_another_checkpoint_is_told_by_its_weights(runs: dict[str, Path], verify: Verify) -> None:
    answer = verify(runs["demo:seq2seq"], "-m", "demo:causal", "--rows", 2)
    assert answer.code == 1
    assert "manifest.json: model.weights_sha256" in {finding["place"] for finding in answer.failures("checkpoint")}


def test_run_that_claims_another_checkpoints_texts_is_told_by_the_texts(
    runs: dict[str, Path], copy: Copy, verify: Verify
) -> None:
    """Every word of the manifest is the other checkpoint's, and all hashes fit."""
    path = copy("demo:seq2seq")
    claimed = json.loads((runs["demo:causal"] / "manifest.json").read_text())

    def edit(document: dict[str, Any]) -> None:
        document["model"] = claimed["model"]
        document["tasks"][SAMPLED]["generation"] = claimed["tasks"][SAMPLED]["generation"]

    edit_json(path, "manifest.json", edit)
    reidentify(path)
    rehash(path)
    assert verify(path).code == 0  # the scores are those of the texts; nobody looked at whose they are
    answer = verify(path, "-m", "demo:causal")
    assert answer.code == 1
    assert not answer.failures("checkpoint")
    assert len([f for f in answer.failures("texts") if "differs from token" in f["message"]]) >= 5


def test_text_of_a_rule_is_told_without_a_checkpoint(copy: Copy, verify: Verify, tmp_path: Path) -> None:
    path = copy("null:random-reference")
    edit_samples(path, SAMPLED, better)
    rehash(path)
    forged = tmp_path / "forged"
    grue.score(path, output=forged)
    answer = verify(forged)
    assert answer.code == 1
    (failure,) = answer.findings("failed")
    assert failure["check"] == "texts"
    assert "null:random-reference writes" in failure["message"]
    assert verify(forged, "-m", "null:empty").code == 1


def test_prediction_that_the_task_would_not_leave_so_is_named(copy: Copy, verify: Verify) -> None:
    path = copy("demo:seq2seq")
    edit_samples(path, SAMPLED, lambda lines: lines[1].update(raw=lines[1]["prediction"] + " more <EOU> rest"))
    rehash(path)
    messages = [finding["message"] for finding in verify(path).failures("texts")]
    assert len(messages) == 1
    assert "the task's post-processing gives" in messages[0]


def test_edited_prediction_file_run_is_told_by_the_hash_of_its_texts(
    runs: dict[str, Path], verify: Verify, tmp_path: Path
) -> None:
    lines = [
        {"task": SAMPLED, "id": row.id, "prediction": row.prediction}
        for row in grue.load_run(runs["demo:seq2seq"]).samples(SAMPLED).itertuples()
    ]
    file = tmp_path / "predictions.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    honest = tmp_path / "scored"
    grue.score(file, data="mini", limit=8, output=honest)
    assert verify(honest).code == 0
    assert verify(honest, "-m", "demo:seq2seq").code == 2
    edit_samples(honest, SAMPLED, better)
    rehash(honest)
    assert "model.weights_sha256" in verify(honest).failures("texts")[0]["place"]


def test_what_cannot_be_verified_is_no_answer(copy: Copy, verify: Verify, tmp_path: Path) -> None:
    assert verify(tmp_path / "nowhere").code == 2
    path = copy("null:random-reference")
    edit_json(path, "manifest.json", lambda document: document.update(schema_version=2))
    answer = verify(path)
    assert answer.code == 2
    assert f"{path / 'manifest.json'}: schema_version is 2" in answer.err
    edit_json(path, "manifest.json", lambda document: document.update(schema_version=1))
    (path / "results.json").unlink()
    answer = verify(path)
    assert answer.code == 2
    assert "is an unfinished run" in answer.err


@pytest.mark.parametrize(
    "name", ["results.json", "manifest.json", f"samples/{SAMPLED}.parquet", f"statistics/{SAMPLED}.parquet"]
)
def test_truncated_file_is_named(copy: Copy, verify: Verify, name: str) -> None:
    path = copy("null:random-reference")
    content = (path / name).read_bytes()
    (path / name).write_bytes(content[: len(content) // 2])
    answer = verify(path)
    assert answer.code == 1
    assert any(str(path / name) in finding["place"] for finding in answer.findings("failed"))
    if name.endswith("parquet"):
        rehash(path)
        answer = verify(path)
        assert answer.code == 1
        assert any(str(path / name) in finding["place"] for finding in answer.findings("failed"))


def test_file_that_nobody_vouches_for_is_named(copy: Copy, verify: Verify) -> None:
    path = copy("null:random-reference")

    def edit(document: dict[str, Any]) -> None:
        del document["files"]["manifest.json"]
        document["checksum"] = checksum(document)

    edit_json(path, "results.json", edit)
    (failure,) = verify(path).findings("failed")
    assert "does not vouch for manifest.json" in failure["message"]


def test_claim_that_cannot_be_checked_here_is_neither_yes_nor_no(copy: Copy, verify: Verify) -> None:
    path = copy("null:random-reference")

    def edit(document: dict[str, Any]) -> None:
        document["tasks"][SAMPLED]["metrics"]["meteor"] = "meteor|v:99"

    def claim(document: dict[str, Any]) -> None:
        document["tasks"][SAMPLED]["metrics"]["meteor"].update(signature="meteor|v:99", value=0.9)

    edit_json(path, "manifest.json", edit)
    edit_json(path, "results.json", claim)
    reidentify(path)
    rehash(path)
    answer = verify(path)
    assert answer.code == 3
    assert answer.document["verdict"] == "partly"
    assert any("meteor: has another signature here" in finding["message"] for finding in answer.findings("not_checked"))
    edit_json(path, "results.json", lambda document: document["tasks"][SAMPLED]["metrics"]["rouge1"].update(value=0.9))
    rehash(path)
    assert verify(path).code == 1


def test_run_of_another_version_is_held_to_its_values_alone(
    copy: Copy, verify: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Intervals have no signature: another version may draw them otherwise. Values have one."""
    path = copy("null:random-reference")
    edit_json(path, "results.json", lambda d: d["tasks"][SAMPLED]["metrics"]["meteor"].update(ci95=[0.0, 1.0]))
    rehash(path)
    monkeypatch.setattr("grue.verification.rescoring.grue_version", lambda: {"version": "0.2.0", "commit": None})
    answer = verify(path)
    assert answer.code == 3
    assert any(
        "meteor's interval: differs, and another version" in f["message"] for f in answer.findings("not_checked")
    )
    edit_json(path, "results.json", lambda d: d["tasks"][SAMPLED]["metrics"]["rouge1"].update(value=0.9))
    rehash(path)
    assert verify(path).code == 1


def test_run_that_was_scored_again_otherwise_says_how(runs: dict[str, Path], verify: Verify, tmp_path: Path) -> None:
    again = grue.score(
        runs["null:random-reference"],
        metrics="meteor,rouge1,distinct_1",
        settings={"rouge": {"use_stemmer": False}},
        output=tmp_path / "again",
    )
    assert again.manifest.arguments["metrics"] == ["meteor", "rouge1", "distinct_1"]
    assert again.manifest.arguments["settings"] == {"rouge": {"use_stemmer": False}}
    assert verify(again.path).code == 0
    once_more = grue.score(again.path, settings={"meteor": {"alpha": 0.8}}, output=tmp_path / "once more")
    values = once_more.results.tasks[SAMPLED].metrics
    assert list(values) == ["meteor", "rouge1", "distinct_1"]
    assert values["rouge1"] == again.results.tasks[SAMPLED].metrics["rouge1"]
    assert verify(once_more.path).code == 0


def test_imported_results_are_left_open_where_nothing_can_be_scored(verify: Verify, tmp_path: Path) -> None:
    """Results of lm-evaluation-harness: tasks of its own, some without samples."""
    from grue.cli.main import run

    theirs = Path(__file__).parents[1] / "exchange" / "lm_eval_0_4_13"
    assert run(["import", "--from", "lm-eval", str(theirs), "-o", str(tmp_path / "imported")]) == 0
    answer = verify(tmp_path / "imported")
    assert answer.code == 3
    assert any("imported without samples" in finding["message"] for finding in answer.findings("not_checked"))
    assert verify(tmp_path / "imported", "-m", "demo:causal").code == 2
