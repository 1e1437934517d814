"""Each fault of a call, data or checkpoint: cause, place and fix on standard error, exit code 2, no folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

TINY = ("-t", "commongen", "--data", "mini", "-L", "3")
GOOD = {"concept_set_idx": 1, "concepts": ["dog", "run"], "target": "A dog runs."}


def refused(answer, *parts: str) -> None:
    assert answer.code == 2, answer.err
    assert answer.out == ""
    assert answer.err.startswith("error: ") or "\nerror: " in answer.err
    assert "fix: " in answer.err
    assert "Traceback" not in answer.err
    for part in parts:
        assert part in answer.err


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("-m", "null:emty", *TINY), ("null:emty", "Did you mean 'null:empty'?")),
        (("-m", "demo:casual", *TINY), ("demo:casual", "Did you mean 'demo:causal'?")),
        (("-m", "no/such/folder", *TINY), ("no/such/folder",)),
        (("-m", "null:empty", "-t", "comongen", "--data", "mini"), ("Unknown task 'comongen'", "'commongen'")),
        (("-m", "null:empty", "-t", "commongen", "--data", "mini", "--split", "tets"), ("tets", "test")),
        (("-m", "null:empty", *TINY, "--metrics", "rouge3"), ("Unknown metric 'rouge3'", "Did you mean")),
        (("-m", "null:empty", *TINY, "--metrics", ","), ("--metrics names no metric",)),
        (("-m", "null:empty", *TINY, "-g", "num_beam=3"), ("num_beam", "Did you mean 'num_beams'?")),
        (("-m", "null:empty", *TINY, "-g", "num_beams=three"), ("num_beams='three'", "a whole number")),
        (("-m", "null:empty", *TINY, "-g", "top_p=1.5"), ("top_p=1.5", "at most 1")),
        (("-m", "null:empty", *TINY, "--set", "rogue.use_stemmer=true"), ("family 'rogue'", "Did you mean 'rouge'?")),
        (("-m", "null:empty", *TINY, "--set", "rouge.stemmer=true"), ("no setting 'stemmer'", "use_stemmer")),
        (("-m", "null:empty", *TINY, "--set", "rouge=1"), ("FAMILY.key=value",)),
        (("-m", "null:empty", *TINY, "--set", "commongen.refrences=true"), ("commongen", "has no switch 'refrences'")),
        (("-m", "null:empty", *TINY, "--set", "commongen.paper=1"), ("commongen.paper=1", "true")),
        (("-m", "null:empty", *TINY, "--profile", "standart"), ("standart", "Did you mean 'standard'?")),
        (("-m", "null:empty", *TINY, "--decoding", "greddy"), ("greddy", "Did you mean 'greedy'?")),
        (("-m", "demo:causal", *TINY, "--engine", "vllm", "-g", "no_repeat_ngram_size=2"), ("vllm",)),
        (("-m", "null:empty", *TINY, "--engine", "hff"), ("hff", "Did you mean 'hf'?")),
        (("-m", "demo:causal", *TINY, "--devices", "97,98"), ("--devices 97,98", "CUDA device")),
        (("-m", "demo:causal", *TINY, "--devices", "0,gpu"), ("'gpu' is no device",)),
        (("-m", "null:empty", *TINY, "--device", "cpu", "--devices", "0"), ("contradict",)),
        (("-m", "null:empty", *TINY, "-b", "many"), ("-b", "auto")),
        (("-m", "null:empty", *TINY, "-b", "0"), ("-b", "auto")),
        (("-m", "null:empty", *TINY, "--batch-tokens", "0"), ("--batch-tokens", "at least 1")),
        (("-m", "null:empty", *TINY, "-L", "0"), ("-L",)),
        (("-m", "null:empty", *TINY, "--meta", "licence"), ("--meta", "key=value")),
        (("-m", "null:empty", *TINY, "--sede", "1"), ("--sede", "Did you mean '--seed'")),
        (("-m", "demo:causal", *TINY, "--dtype", "float23"), ("float23", "Did you mean 'float32'?")),
        (("-m", "demo:causal", *TINY, "--device", "gpu"), ("gpu",)),
        (("-m", "demo:causal", *TINY, "--samples", "2"), ("--samples 2", "commongen", "-g do_sample=true")),
        (("-m", "demo:causal", *TINY, "--chat-template", "on"), ("chat template",)),
        (("-m", "demo:causal", *TINY, "-g", "max_new_tokens=100000"), ("No prompt fits", "max_new_tokens")),
        (("-m", "oracle:reference", "-t", "wmt16", "--data", "mini"), ("wmt16", "several references")),
        (("-m", "null:empty", "-t", "commongen", "--data", "no-such-folder"), ("no-such-folder",)),
    ],
    ids=lambda value: " ".join(value)[-40:] if isinstance(value, tuple) else None,
)  # fmt: skip
def test_wrong_call_is_refused_before_anything_runs(grue, tmp_path, arguments, parts):
    refused(grue("eval", *arguments, "-o", tmp_path / "run"), *parts)
    assert not (tmp_path / "run").exists()


def spoil_config(folder: Path) -> None:
    (folder / "config.json").unlink()


def spoil_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def spoil_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink()


def only_pickle(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04N.")


def truncate(folder: Path) -> None:
    path = folder / "model.safetensors"
    os.truncate(path, path.stat().st_size // 2)


def corrupt_header(folder: Path) -> None:
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[8:40] = b"\x00" * 32
    path.write_bytes(bytes(content))


def shrink_vocabulary(folder: Path) -> None:
    """More tokens in the tokenizer than rows in the model."""
    path = folder / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    tokenizer["added_tokens"].append(
        {
            "id": 999_999, "content": "<far>", "special": True, "single_word": False, "lstrip": False,
            "rstrip": False, "normalized": False,
        }
    )  # fmt: skip
    tokenizer["model"]["vocab"]["<far>"] = 999_999
    path.write_text(json.dumps(tokenizer))


def no_head(folder: Path) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["architectures"] = ["GPT2ForSequenceClassification"]
    path.write_text(json.dumps(config))


@pytest.mark.parametrize(
    ("spoil", "parts"),
    [
        (spoil_config, ("config.json",)),
        (spoil_weights, ("safetensors",)),
        (spoil_tokenizer, ("tokenizer",)),
        (only_pickle, ("--allow-pickle",)),
        (truncate, ("model.safetensors",)),
        (corrupt_header, ("model.safetensors",)),
        (shrink_vocabulary, ("vocabulary", "tokenizer")),
        (no_head, ("generation head",)),
    ],
    ids=lambda value: value.__name__ if callable(value) else None,
)
def test_faulty_checkpoint_is_refused_with_its_file(grue, tmp_path, checkpoint, spoil, parts):
    spoil(checkpoint)
    refused(grue("eval", "-m", checkpoint, *TINY, "-o", tmp_path / "run"), str(checkpoint), *parts)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (json.dumps({"concepts": ["dog"], "reference": "x"}), ("'target'", "missing", "concepts, reference")),
        (json.dumps(GOOD | {"concepts": "dog run"}), ("'concepts'", "a list")),
        (json.dumps(GOOD | {"target": 7}), ("'target'", "a string")),
        (json.dumps(GOOD) + "\n{broken", (":2",)),
        ("", ("no records",)),
        (json.dumps(GOOD).encode() + b'\n{"target": "\xff"}', (":2", "UTF-8")),
    ],
    ids=["missing column", "wrong type", "wrong target", "broken JSON", "zero rows", "invalid UTF-8"],
)
def test_faulty_data_folder_is_refused_with_file_and_line(grue, tmp_path, content, parts):
    folder = tmp_path / "data" / "commongen"
    folder.mkdir(parents=True)
    (folder / "test.jsonl").write_bytes(content if isinstance(content, bytes) else content.encode())
    answer = grue("eval", "-m", "null:empty", "-t", "commongen", "--data", tmp_path / "data", "-o", tmp_path / "run")
    refused(answer, "test.jsonl", *parts)
    assert not (tmp_path / "run").exists()


def test_duplicated_ids_are_refused(grue, tmp_path, plugin):
    folder = plugin("echo")
    line = json.dumps({"id": "same", "prompt": "Say it.", "references": ["it"]})
    (folder / "data" / "test.jsonl").write_text(f"{line}\n{line}\n")
    answer = grue("eval", "--include", folder, "-m", "null:empty", "-t", "echo", "--data", "mini", "-o", tmp_path / "r")
    refused(answer, "same")
    assert not (tmp_path / "r").exists()


def test_task_named_alone_that_the_folder_lacks_is_refused_and_a_group_passes_over_it(grue, tmp_path):
    folder = tmp_path / "data" / "common_gen"
    folder.mkdir(parents=True)
    (folder / "test.jsonl").write_text(json.dumps(GOOD) + "\n")
    data = ("--data", tmp_path / "data", "-o", tmp_path / "run")
    refused(grue("eval", "-m", "null:empty", "-t", "commongen,imdb", *data), "imdb")
    assert not (tmp_path / "run").exists()
    answer = grue("eval", "-m", "null:empty", "-t", "grue", *data, "--json")
    assert answer.code == 0
    assert "Passed over, no rows here: imdb" in answer.err
    assert list(answer.document["results"]["tasks"]) == ["commongen"]


def test_data_folder_without_any_of_the_tasks_is_refused(grue, tmp_path):
    (tmp_path / "data" / "something").mkdir(parents=True)
    answer = grue("eval", "-m", "null:empty", "-t", "grue", "--data", tmp_path / "data", "-o", tmp_path / "run")
    refused(answer, "None of the tasks", str(tmp_path / "data"))
    assert not (tmp_path / "run").exists()


def test_folder_of_another_run_is_refused_and_kept(grue, tmp_path):
    command = ("eval", *TINY, "-o", tmp_path / "run")
    assert grue(*command, "-m", "null:empty").code == 0
    before = (tmp_path / "run" / "results.json").read_bytes()
    refused(grue(*command, "-m", "null:constant"), str(tmp_path / "run"), "another run", "--fresh")
    assert (tmp_path / "run" / "results.json").read_bytes() == before
    assert grue(*command, "-m", "null:constant", "--fresh").code == 0


def test_folder_that_holds_something_else_is_refused_and_kept(grue, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.tex").write_text("years of work")
    refused(grue("eval", "-m", "null:empty", *TINY, "-o", tmp_path / "run", "--fresh"), "thesis.tex", "-o")
    assert (tmp_path / "run" / "thesis.tex").read_text() == "years of work"


def test_unwritable_folder_is_refused(grue, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    refused(grue("eval", "-m", "null:empty", *TINY, "-o", blocked / "run"), str(blocked))


def test_second_process_on_one_folder_is_refused(grue, tmp_path):
    from grue.runs.lock import FolderLock

    command = ("eval", "-m", "null:empty", *TINY, "-o", tmp_path / "run")
    assert grue(*command).code == 0
    lock = FolderLock.acquire(tmp_path / "run")
    try:
        refused(grue(*command), "another process", str(os.getpid()))
    finally:
        lock.release()
    assert grue(*command).code == 0


def test_weights_that_do_not_belong_to_the_config_leave_no_folder(grue, tmp_path, checkpoint):
    """Only loading can tell; nothing was generated by then."""
    path = checkpoint / "config.json"
    config = json.loads(path.read_text())
    config["n_layer"] = int(config["n_layer"]) + 1
    path.write_text(json.dumps(config))
    refused(grue("eval", "-m", checkpoint, *TINY, "-o", tmp_path / "run"), str(checkpoint), "weights")
    assert not (tmp_path / "run").exists()


def test_full_disk_ends_the_run_and_loses_nothing(grue, tmp_path, monkeypatch):
    """The system says that the disk is full at the third batch; then there is room again."""
    from grue.runs.files import Appender

    plain, writes = Appender.write, []

    def full(self, content):
        writes.append(b'"prediction"' in content)
        if sum(writes) == 3 and writes[-1]:
            raise OSError(28, "No space left on device", "samples")
        plain(self, content)

    monkeypatch.setattr(Appender, "write", full)
    monkeypatch.setattr("grue.engine.null.GROUP_ROWS", 2)
    command = ("eval", "-m", "null:copy-input", "-t", "commongen", "--data", "mini", "-L", 9, "-o", tmp_path / "run")
    answer = grue(*command)
    assert answer.code == 3
    assert "No space left on device" in answer.err
    assert "fix: " in answer.err
    assert len((tmp_path / "run" / "samples" / "commongen.partial.jsonl").read_text().splitlines()) == 4
    answer = grue(*command)
    assert answer.code == 0
    assert "4 generations are stored" in answer.err


@pytest.mark.parametrize("file", ["samples/commongen.parquet", "statistics/commongen.parquet", "results.json"])
def test_disk_that_fills_while_results_are_written_leaves_a_run_to_go_on_with(grue, tmp_path, monkeypatch, file):
    import grue.runs.files as files

    plain, full = os.replace, []

    def replace(source, target):
        if str(target).endswith(file) and not full:
            full.append(target)
            raise OSError(28, "No space left on device", str(target))
        plain(source, target)

    monkeypatch.setattr(files.os, "replace", replace)
    command = ("eval", "-m", "null:copy-input", "-t", "commongen", "--data", "mini", "-L", 9, "-o", tmp_path / "run")
    answer = grue(*command)
    assert full
    assert answer.code == 3
    assert "No space left on device" in answer.err
    assert not (tmp_path / "run" / "results.json").exists()
    answer = grue(*command)
    assert answer.code == 0
    assert "9 generations are stored" in answer.err


def test_truly_full_file_system_is_said(grue, tmp_path):
    if shutil.which("mount") is None:
        pytest.skip("needs the right to mount a small file system")
    mount = tmp_path / "small"
    mount.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(mount)], capture_output=True)
    if made.returncode != 0:
        pytest.skip("needs the right to mount a small file system")
    try:
        answer = grue("eval", "-m", "null:copy-input", "-t", "cnn_dailymail", "--data", "mini", "-o", mount / "run")
        assert answer.code == 3
        assert "No space left on device" in answer.err
        assert not (mount / "run" / "results.json").exists()
    finally:
        subprocess.run(["umount", str(mount)], check=True)
