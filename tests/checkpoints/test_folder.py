"""A judge's model is a toy of the package, a folder, or a hub id."""

from __future__ import annotations

from pathlib import Path

import pytest

from grue.checkpoints.folder import TOYS, resolve
from grue.core.errors import CheckpointError
from grue.core.judging import Judging

OFFLINE = Judging(offline=True)
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize("name", TOYS)
def test_each_toy_is_a_checkpoint_inside_the_package(name: str) -> None:
    found = resolve(name, OFFLINE)
    assert (found.kind, found.model, found.revision) == ("toy", name, None)
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {path.name for path in found.path.iterdir()}


def test_a_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    found = resolve(str(tmp_path), OFFLINE)
    assert (found.kind, found.path) == ("local", tmp_path)


def test_a_folder_named_like_a_toy_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "demo:lm").mkdir()
    monkeypatch.chdir(tmp_path)
    assert resolve("demo:lm", OFFLINE).kind == "local"


def test_a_snapshot_of_the_cache_is_found_by_its_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    snapshot = tmp_path / "models--org--judge" / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    found = resolve(f"org/judge@{COMMIT}", OFFLINE)
    assert (found.kind, found.path, found.revision) == ("hub", snapshot, COMMIT)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("demo:sentimant", "Did you mean 'demo:sentiment'"),
        ("demo:causal", "No such toy judge"),
        ("no folder here", "No such folder"),
        (f"org/judge@{COMMIT}", "neither a folder here nor in the local cache"),
    ],
)
def test_what_is_not_there_is_named(model: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(CheckpointError) as caught:
        resolve(model, OFFLINE)
    assert words in f"{caught.value.cause} {caught.value.fix}"
