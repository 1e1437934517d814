"""A whole run on real rows: files as the contracts say, numbers as the libraries give them on the stored texts."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import sacrebleu
from rouge_score import rouge_scorer

from grue.runs.read import StoredRun, read_run

LIMIT = 12
SEVEN = ["imdb", "commongen", "cnn_dailymail", "totto", "narrativeqa", "iwslt2017", "daily_dialog"]
COLUMNS = [
    "id", "sample", "prompt", "references", "prediction", "raw", "finish_reason", "prompt_tokens", "generated_tokens",
    "prompt_cut", "inputs",
]  # fmt: skip


@pytest.fixture(scope="module")
def real(material: Path, tmp_path_factory: pytest.TempPathFactory) -> StoredRun:
    """The small causal checkpoint on real rows of the paper's seven tasks."""
    from grue.cli.main import run

    folder = tmp_path_factory.mktemp("real") / "run"
    data = str(material / "data")
    # A few short texts of each task are enough: what is compared is arithmetic.
    command = ["eval", "-m", "demo:causal", "-t", "grue", "--data", data, "--split", "test", "-L", str(LIMIT)]
    assert run([*command, "-g", "num_beams=1", "-o", str(folder), "--quiet"]) == 0
    return read_run(folder)


def values(stored: StoredRun, task: str) -> dict[str, float | None]:
    return {name: metric["value"] for name, metric in stored.results["tasks"][task]["metrics"].items()}


def texts(stored: StoredRun, task: str) -> tuple[list[str], list[list[str]]]:
    table = stored.samples(task).to_pylist()
    return [row["prediction"] for row in table], [row["references"] for row in table]


def test_every_task_with_rows_there_is_finished(real):
    assert list(real.results["tasks"]) == SEVEN
    assert {task["status"] for task in real.results["tasks"].values()} == {"finished"}
    for task in real.results["tasks"].values():
        assert task["n"] == {"expected": LIMIT, "scored": LIMIT, "failed": 0}


def test_results_hold_the_keys_of_the_contracts(real):
    document = json.loads((real.path / "results.json").read_text())
    assert set(document) >= {"schema_version", "run_id", "status", "tasks", "scores", "files", "checksum"}
    without = {key: value for key, value in document.items() if key != "checksum"}
    canonical = json.dumps(without, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert document["checksum"] == hashlib.sha256(canonical.encode()).hexdigest()
    for path, sha256 in document["files"].items():
        assert hashlib.sha256((real.path / path).read_bytes()).hexdigest() == sha256
    for name, task in document["tasks"].items():
        assert set(task) >= {"status", "n", "metrics", "rewards", "rates", "cost", "scores"}
        assert set(task["rates"]) == {"empty", "cut_prompt", "cut_output"}
        assert set(task["cost"]) >= {
            "wall_seconds", "load_seconds", "prompt_tokens", "generated_tokens", "tokens_per_second", "latency_ms",
            "peak_memory_bytes",
        }  # fmt: skip
        assert set(task["scores"]) >= {"quality", "naturalness", "floor", "ceiling"}
        for metric, value in {**task["metrics"], **task["rewards"]}.items():
            assert set(value) >= {"value", "ci95", "n", "scale", "higher_is_better", "signature"}, (name, metric)
            if value["value"] is None:
                assert value["reason"]
            elif value["ci95"] is None:
                assert value["reason"], (name, metric)
            else:
                assert value["ci95"][0] <= value["value"] <= value["ci95"][1], (name, metric)
                assert value["signature"]


def test_manifest_fingerprints_are_those_of_the_stored_rows(real):
    manifest = json.loads((real.path / "manifest.json").read_text())
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{26}", manifest["run_id"])
    assert set(manifest) >= {
        "schema_version", "run_id", "identity", "created_at", "grue", "model", "environment", "arguments", "seed",
        "tasks",
    }  # fmt: skip
    for task, asked in manifest["tasks"].items():
        rows = [(row["id"], json.loads(row["inputs"])["prompt"]) for row in real.samples(task).to_pylist()]
        assert rows == sorted(rows)
        lines = "".join(f"{row_id}\t{prompt}\n" for row_id, prompt in rows)
        assert asked["prompts_sha256"] == hashlib.sha256(lines.encode()).hexdigest()
        assert asked["data"]["source"] == "folder"
        assert asked["data"]["rows"] >= LIMIT


def test_subset_is_the_one_with_the_smallest_salted_hashes(real, material):
    def rank(row_id: str) -> str:
        return hashlib.sha256(f"grue-subset-1:{row_id}".encode()).hexdigest()

    lines = (material / "data" / "common_gen" / "test.jsonl").read_text().splitlines()
    ids = {str(json.loads(line)["concept_set_idx"]) for line in lines}
    assert real.samples("commongen")["id"].to_pylist() == sorted(sorted(ids, key=rank)[:LIMIT])


def test_samples_have_the_columns_of_the_contracts(real):
    for task in SEVEN:
        table = real.samples(task)
        assert table.column_names[: len(COLUMNS)] == COLUMNS
        for row in table.to_pylist():
            prompt = json.loads(row["inputs"])["prompt"]
            assert row["finish_reason"] in ("stop", "length")
            assert row["prompt_tokens"] > 0
            assert row["prompt"] == prompt or row["prompt_cut"]
            assert row["raw"] != row["prediction"]
        metrics = real.results["tasks"][task]["metrics"]
        rewards = real.results["tasks"][task]["rewards"]
        columns = table.column_names[len(COLUMNS) :]
        for name in columns:
            found = rewards[name.removeprefix("reward_")] if name.startswith("reward_") else metrics[name]
            assert found["value"] is not None
        assert any(name.startswith("reward_") for name in columns) or task == "imdb"


def test_means_are_those_of_the_per_sample_columns(real):
    for task in SEVEN:
        table, metrics = real.samples(task), values(real, task)
        for name in {"rouge1", "rouge2", "rougeL", "rougeLsum", "exact_match", "f1"} & set(table.column_names):
            assert metrics[name] == pytest.approx(float(np.mean(table[name].to_numpy())), abs=1e-12)


def test_translation_metrics_are_those_of_sacrebleu(real):
    predictions, references = texts(real, "iwslt2017")
    streams = [[own[0] for own in references]]
    assert all(len(own) == 1 for own in references)
    found = values(real, "iwslt2017")
    assert found["sacrebleu"] == pytest.approx(sacrebleu.corpus_bleu(predictions, streams).score, abs=1e-9)
    assert found["chrf"] == pytest.approx(sacrebleu.corpus_chrf(predictions, streams).score, abs=1e-9)
    assert found["ter"] == pytest.approx(sacrebleu.corpus_ter(predictions, streams).score, abs=1e-9)


@pytest.mark.parametrize("task", ["cnn_dailymail", "narrativeqa", "commongen", "daily_dialog"])
def test_rouge_is_that_of_rouge_score_over_the_best_reference(real, task):
    predictions, references = texts(real, task)
    found = values(real, task)
    kinds = [kind for kind in ("rouge1", "rouge2", "rougeL", "rougeLsum") if found.get(kind) is not None]
    assert kinds
    signatures = {kind: real.results["tasks"][task]["metrics"][kind]["signature"] for kind in kinds}
    assert all("stem:yes" in signature for signature in signatures.values())
    scorer = rouge_scorer.RougeScorer([kind for kind in kinds if kind != "rougeLsum"], use_stemmer=True)
    for kind in kinds:
        if kind == "rougeLsum":
            continue  # how a summary is split into lines is the task's; its unit tests compare it
        best = [
            max(scorer.score(reference, text)[kind].fmeasure for reference in own)
            for text, own in zip(predictions, references, strict=True)
        ]
        assert found[kind] == pytest.approx(sum(best) / len(best), abs=1e-9)


@pytest.mark.parametrize("task", SEVEN)
def test_diversity_is_that_of_plain_counting(real, task):
    """The specification's formulas over words: runs of letters and digits, or single other signs."""
    from grue.metrics.text.words import split_all  # the pinned tokeniser; what is checked here is the counting

    predictions, _ = texts(real, task)
    tokens = [list(own) for own in split_all(predictions, "unicode", punctuation=True)]
    found = values(real, task)
    for n in (1, 2, 3):
        grams = Counter(tuple(own[i : i + n]) for own in tokens for i in range(len(own) - n + 1))
        total = sum(grams.values())
        assert found[f"distinct_{n}"] == pytest.approx(len(grams) / total, abs=1e-9)
        assert found[f"unique_{n}"] == pytest.approx(sum(count == 1 for count in grams.values()), abs=1e-9)
        entropy = -sum(count / total * math.log2(count / total) for count in grams.values())
        assert found[f"entropy_{n}"] == pytest.approx(entropy, abs=1e-9)
    assert found["vocab_size"] == len({word for own in tokens for word in own})
    assert found["mean_length"] == pytest.approx(sum(map(len, tokens)) / len(tokens), abs=1e-9)
    flat = [word for own in tokens for word in own]
    blocks = [flat[start : start + 100] for start in range(0, len(flat) - 99, 100)]
    if blocks:
        assert found["msttr"] == pytest.approx(sum(len(set(b)) / 100 for b in blocks) / len(blocks), abs=1e-9)
    else:
        assert found["msttr"] is None


def test_run_directory_holds_what_its_results_name_and_nothing_else(real):
    inside = {path.relative_to(real.path).as_posix() for path in real.path.rglob("*") if path.is_file()}
    assert inside == {*real.results["files"], "results.json", "events.jsonl"}
