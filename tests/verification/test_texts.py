"""Texts against a checkpoint: what rounding may do, what it may not, and how the rows are chosen."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom

from grue.core.rows import Generation, Row
from grue.engine.options import EngineOptions
from grue.evaluation.call import GenerationCall, OutputCall, RowsCall
from grue.evaluation.prepare import evaluate_call
from grue.evaluation.progress import Silent
from grue.runs.fields import Fields
from grue.runs.identity import run_identity
from grue.runs.read import read_run
from grue.runs.values import manifest_value
from grue.verification.regeneration import StoredTask, chosen, spotted
from tests.verification.conftest import Verified, edit_json, edit_samples, rehash

Verify = Callable[..., Verified]
Copy = Callable[[str], Path]
SAMPLED = "daily_dialog"


def claim(path: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    """Change the manifest and make identity and hashes anew."""

    def change(document: dict[str, Any]) -> None:
        edit(document)
        known = manifest_value(Fields(document, "manifest.json"))
        document["identity"] = run_identity(known.model, known.tasks, known.seed)

    edit_json(path, "manifest.json", change)
    rehash(path)


def made(path: Path, model: str, tasks: str, limit: int, **how: Any) -> Path:
    """A run of one metric, scored in this process' time."""
    rows = RowsCall(tasks=tasks, data="mini", limit=limit, metrics=("mean_length",))
    evaluate_call(model, EngineOptions(), rows, GenerationCall(**how), OutputCall(path=path), progress=Silent())
    return path


def texts(answer: Verified, status: str) -> list[str]:
    return [finding["message"] for finding in answer.findings(status) if finding["check"] == "texts"]


def test_honest_texts_of_another_rounding_are_explained(tmp_path: Path, verify: Verify) -> None:
    """float32 texts that claim bfloat16 are what another honest machine could write, and mostly the same."""
    path = made(tmp_path / "run", "demo:seq2seq", "imdb", 12)
    claim(path, lambda document: document["model"].update(dtype="bfloat16"))
    answer = verify(path, "-m", "demo:seq2seq", "--rows", 12)
    assert answer.code == 0
    (message,) = texts(answer, "passed")
    assert "part where two tokens are equal within rounding" in message


@pytest.mark.long
def test_reduced_precision_excuses_no_other_text(copy: Copy, verify: Verify) -> None:
    path = copy("demo:seq2seq")
    claim(path, lambda document: document["model"].update(dtype="bfloat16", weights_sha256="0" * 64))
    edit_samples(path, SAMPLED, lambda lines: [line.update(prediction="I do n't know .", raw=None) for line in lines])
    rehash(path)
    answer = verify(path, "-m", "demo:seq2seq", "--rows", 8)
    assert answer.code == 1
    assert len([message for message in texts(answer, "failed") if "differs from token" in message]) >= 7


def test_seed_of_sampling_is_part_of_the_claim(copy: Copy, verify: Verify) -> None:
    path = copy("demo:seq2seq")
    claim(path, lambda document: document.update(seed=5))
    answer = verify(path, "-m", "demo:seq2seq", "--rows", 8)
    assert answer.code == 1
    assert any("differs from token" in message for message in texts(answer, "failed"))


def test_decoding_is_part_of_the_claim(copy: Copy, verify: Verify) -> None:
    path = copy("demo:causal")
    claim(path, lambda document: document["tasks"][SAMPLED]["generation"].update(temperature=0.05))
    assert verify(path, "-m", "demo:causal", "--rows", 8).code == 1
    claim(path, lambda document: document["tasks"][SAMPLED]["generation"].pop("top_k"))
    answer = verify(path, "-m", "demo:causal", "--rows", 8)
    assert answer.code == 1
    assert any("lacks or spoils a setting" in message for message in texts(answer, "failed"))


@pytest.mark.parametrize("change", [{"prompt": "Say yes."}, {"prompt_tokens": 3}, {"prompt_cut": True}])
def test_what_the_model_saw_is_compared_for_all_rows(copy: Copy, verify: Verify, change: dict[str, Any]) -> None:
    path = copy("demo:seq2seq")
    edit_samples(path, SAMPLED, lambda lines: lines[7].update(change))
    rehash(path)
    answer = verify(path, "-m", "demo:seq2seq", "--rows", 1, "--seed", 0)
    assert answer.code == 1
    (name,) = change
    assert any(message.startswith(f"{name} is ") for message in texts(answer, "failed"))


def test_count_and_end_of_a_text_are_compared(copy: Copy, verify: Verify) -> None:
    path = copy("demo:seq2seq")

    def edit(lines: list[dict[str, Any]]) -> None:
        lines[0]["generated_tokens"] += 1
        lines[1]["finish_reason"] = "length" if lines[1]["finish_reason"] == "stop" else "stop"

    edit_samples(path, SAMPLED, edit)
    rehash(path)
    failed = texts(verify(path, "-m", "demo:seq2seq", "--rows", 8), "failed")
    assert any(message.startswith("generated_tokens is ") for message in failed)
    assert any(message.startswith("finish_reason is ") for message in failed)


def test_several_samples_and_stop_strings_come_out_again(tmp_path: Path, verify: Verify) -> None:
    overrides = {"do_sample": True, "stop": ["."], "max_new_tokens": 12}
    path = made(tmp_path / "run", "demo:causal", SAMPLED, 4, samples=3, overrides=overrides, seed=9)
    answer = verify(path, "-m", "demo:causal", "--rows", 4)
    assert answer.code == 0
    assert "4 of 4 rows" in texts(answer, "passed")[0]
    edit_samples(path, SAMPLED, lambda lines: [line.update(prediction="No", raw=None) for line in lines])
    rehash(path)
    failed = [f for f in verify(path, "-m", "demo:causal", "--rows", 4).findings("failed") if f["check"] == "texts"]
    assert len(failed) == 4
    assert all(", sample " in finding["place"] for finding in failed)


def test_draws_of_another_engine_are_left_open(copy: Copy, verify: Verify) -> None:
    path = copy("demo:seq2seq")
    claim(path, lambda document: document["model"].update(engine="vllm"))
    answer = verify(path, "-m", "demo:seq2seq")
    assert answer.code == 3
    assert any("random numbers of its own" in message for message in texts(answer, "not_checked"))


@pytest.mark.parametrize("model", ["null:empty", "openai:gpt", "/nowhere/at/all"])
def test_what_is_no_checkpoint_is_a_wrong_call(runs: dict[str, Path], verify: Verify, model: str) -> None:
    answer = verify(runs["demo:seq2seq"], "-m", model)
    assert answer.code == 2
    assert not answer.out


@given(n_rows=st.integers(1, 300), share=st.floats(0.01, 1))
def test_number_of_changed_rows_that_is_seen_is_scipys(n_rows: int, share: float) -> None:
    n_looked = max(1, int(share * n_rows))
    found = spotted(n_rows, n_looked)
    unseen = [hypergeom(n_rows, changed, n_looked).pmf(0) for changed in (found - 1, found)]
    assert unseen[0] > 0.05 - 1e-9
    assert unseen[1] <= 0.05 + 1e-9
    assert spotted(n_rows, n_rows) == 1


def test_rows_are_chosen_by_the_seed_alone(runs: dict[str, Path]) -> None:
    manifest = read_run(runs["demo:seq2seq"]).manifest_value().tasks[SAMPLED]
    rows = {f"{n:02d}": Row(f"{n:02d}", "p") for n in range(30)}
    generations = {(row, sample): Generation(row, sample, "") for row in rows for sample in range(2)}
    task = StoredTask(name=SAMPLED, manifest=manifest, rows=rows, generations=generations, place="")
    first = chosen(task, 8, 3)
    assert first == chosen(task, 8, 3)
    assert first != chosen(task, 8, 4)
    assert len({row for row, _ in first}) == 8
    assert {sample for seed in range(5) for _, sample in chosen(task, 8, seed)} == {0, 1}
    assert len(chosen(task, 99, 3)) == 30


def test_document_names_everything(runs: dict[str, Path], verify: Verify) -> None:
    document = json.loads(verify(runs["null:random-reference"]).out)
    assert document["schema_version"] == 1
    assert document["run_id"] == read_run(runs["null:random-reference"]).manifest["run_id"]
    assert document["spot_seed"] is None
    assert all(set(one) == {"check", "status", "task", "place", "message"} for one in document["findings"])
