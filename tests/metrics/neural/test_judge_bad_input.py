"""Faulty checkpoints make one metric absent with a reason; odd texts give documented values."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from grue.core.judging import Judging
from grue.metrics.api import metric
from grue.metrics.neural.batching import run_batches
from grue.metrics.neural.classifier import ClassifierJudge

Tiny = Callable[[str], Path]
CPU = Judging(device="cpu", offline=True)
ODD = ["", " ", "\ud800", "\x00\x07", "a" * 1_000_000, "good " * 500_000, "\u200b", "🐱" * 50, "\n\n"]


def reason(name: str, folder: Path, **settings: object) -> str:
    made = metric(name, model=str(folder), **settings)
    score = made.compute(["a good film"], [["a film"]], [{"act": 1, "last_utterance": "x", "source": "A good film."}])
    assert score.value is None
    return str(score.reason)


@pytest.fixture
def copied(tiny: Tiny, tmp_path: Path) -> Callable[[str], Path]:
    def copy(kind: str) -> Path:
        return Path(shutil.copytree(tiny(kind), tmp_path / kind))

    return copy


def test_a_folder_that_is_no_checkpoint(tmp_path: Path) -> None:
    assert "No config.json" in reason("sentiment", tmp_path)


def test_a_file_instead_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert "names a file" in reason("sentiment", tmp_path / "file")


@pytest.mark.parametrize("kept", [0, 5, 200, -10])
def test_truncated_weights(copied: Callable[[str], Path], kept: int) -> None:
    path = copied("two") / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    assert "truncated" in reason("sentiment", path.parent)


def test_weights_that_are_missing_in_part(copied: Callable[[str], Path]) -> None:
    path = copied("two") / "model.safetensors"
    tensors = load_file(path)
    del tensors["classifier.weight"]
    save_file(tensors, path, metadata={"format": "pt"})
    assert "weights of BertForSequenceClassification are missing" in reason("sentiment", path.parent)


def test_a_config_that_promises_other_classes_than_the_weights_have(copied: Callable[[str], Path]) -> None:
    path = copied("two") / "config.json"
    config = json.loads(path.read_text())
    config["id2label"] = {str(n): str(n) for n in range(4)}
    config["label2id"] = {str(n): n for n in range(4)}
    path.write_text(json.dumps(config))
    assert "cannot be loaded" in reason("intent_accuracy", path.parent)


def test_a_missing_tokenizer(copied: Callable[[str], Path]) -> None:
    folder = copied("two")
    for path in folder.glob("tokenizer*"):
        path.unlink()
    assert "holds no tokenizer" in reason("sentiment", folder)


def test_pickle_weights_are_read_as_tensors_and_never_run(copied: Callable[[str], Path], tiny: Tiny) -> None:
    folder = copied("two")
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(tensors, folder / "pytorch_model.bin")
    seen = ClassifierJudge(folder, 1, CPU)
    plain = ClassifierJudge(tiny("two"), 1, CPU)
    assert seen.name == plain.name  # the same tensors have the same hash in either format
    np.testing.assert_array_equal(seen.probabilities(["a good film"]), plain.probabilities(["a good film"]))
    torch.save({"weight": Evil()}, folder / "pytorch_model.bin")
    assert "cannot be read" in reason("sentiment", folder)


class Evil:
    """Reading it by pickle's rules would end the process."""

    def __reduce__(self) -> tuple[object, tuple[int]]:
        import os

        return os._exit, (3,)


def test_an_unknown_device_is_named(tiny: Tiny) -> None:
    from grue.core.errors import MetricUnavailableError

    judge = ClassifierJudge(tiny("two"), 1, Judging(device="tpu", offline=True))
    with pytest.raises(MetricUnavailableError, match="unknown device 'tpu'"):
        judge.probabilities(["a"])


def test_a_hub_id_without_internet(monkeypatch: pytest.MonkeyPatch) -> None:
    from grue.core import reach

    monkeypatch.setattr(reach, "_offline", ["--offline is set"])
    score = metric("sentiment", model="org/none@" + "0" * 40).compute(["a"])
    assert "Fetch it once with internet, or give a folder" in str(score.reason)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("sentiment", "two"), ("sentiment", "roberta classifier"), ("bertscore", "bert"), ("bleurt", "bleurt"),
     ("perplexity", "gpt2"), ("summac_zs", "nli"), ("intent_accuracy", "four")],
)  # fmt: skip
def test_odd_texts_give_documented_values(tiny: Tiny, name: str, kind: str) -> None:
    inputs = [{"act": 1, "last_utterance": text, "source": text, "prompt": text} for text in ODD]
    made = metric(name, model=str(tiny(kind)))
    score = made.compute(ODD, [[text, "a film"] for text in ODD], inputs)
    assert score.value is not None, score.reason
    assert len(score.row_values) == len(ODD)
    undefined = [ODD[i] for i in np.flatnonzero(np.isnan(score.row_values))]
    assert undefined == ([""] if name == "perplexity" else [])


def test_weights_that_are_not_numbers_leave_rows_undefined(copied: Callable[[str], Path]) -> None:
    path = copied("two") / "model.safetensors"
    tensors = load_file(path)
    tensors["classifier.bias"] = torch.full((2,), float("nan"))
    save_file(tensors, path, metadata={"format": "pt"})
    assert "no row has a text that the classifier can read" in reason("sentiment", path.parent)


def test_a_batch_that_does_not_fit_is_halved() -> None:
    sizes = []

    def forward(indices: list[int]) -> np.ndarray:
        sizes.append(len(indices))
        if len(indices) > 3:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
        return np.array([[float(index)] for index in indices])

    out = run_batches([5] * 20, forward, width=1, batch_tokens=100)
    assert list(out[:, 0]) == list(map(float, range(20)))
    assert sizes[:4] == [20, 10, 5, 2]
    assert max(sizes[3:]) == 2  # those after it are no larger


def test_one_text_that_does_not_fit_is_an_error() -> None:
    def forward(indices: list[int]) -> np.ndarray:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    with pytest.raises(RuntimeError, match="allocate"):
        run_batches([5], forward, width=1, batch_tokens=100)
