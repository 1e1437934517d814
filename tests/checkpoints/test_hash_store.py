"""A weight file is hashed again only after it changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from grue.checkpoints import hash_store
from grue.checkpoints.hash_store import stored_weights_sha256
from grue.checkpoints.hashing import weights_sha256
from grue.checkpoints.weights import WeightFiles, find_weights


@pytest.fixture
def weights(tmp_path: Path) -> WeightFiles:
    save_file({"a": torch.arange(4.0)}, tmp_path / "model.safetensors")
    _age(tmp_path / "model.safetensors", 100)
    return find_weights(tmp_path, allow_pickle=False)


def _age(path: Path, seconds: float) -> None:
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry each time weights are hashed; changes count as settled at once, and this process knows nothing."""
    calls: list[int] = []

    def hashed(weights: WeightFiles) -> str:
        calls.append(1)
        return weights_sha256(weights)

    monkeypatch.setattr(hash_store, "weights_sha256", hashed)
    monkeypatch.setattr(hash_store, "_known", {})
    monkeypatch.setattr(hash_store, "SETTLED_SECONDS", -1.0)
    return calls


def test_the_second_look_reads_no_weights(weights: WeightFiles, counted: list[int], tmp_path: Path) -> None:
    first = stored_weights_sha256(weights, tmp_path / "cache")
    hash_store._known.clear()  # as another process begins
    assert stored_weights_sha256(weights, tmp_path / "cache") == first == weights_sha256(weights)
    assert len(counted) == 1


def test_changed_weights_have_another_hash(weights: WeightFiles, counted: list[int], tmp_path: Path) -> None:
    first = stored_weights_sha256(weights, tmp_path / "cache")
    save_file({"a": torch.arange(1.0, 5.0)}, tmp_path / "model.safetensors")
    _age(tmp_path / "model.safetensors", 50)
    changed = find_weights(tmp_path, allow_pickle=False)
    assert stored_weights_sha256(changed, tmp_path / "cache") == weights_sha256(changed) != first


def test_a_file_of_just_now_is_not_trusted(
    weights: WeightFiles, counted: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hash_store, "SETTLED_SECONDS", 1e9)
    for _ in range(2):
        stored_weights_sha256(weights, tmp_path / "cache")
    assert len(counted) == 2
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"hashes": 3}', '{"hashes": {"a": 1}}'])
def test_a_damaged_store_is_made_again(weights: WeightFiles, counted: list[int], tmp_path: Path, content: str) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / hash_store.STORE_NAME).write_text(content)
    for _ in range(2):
        hash_store._known.clear()
        assert stored_weights_sha256(weights, cache) == weights_sha256(weights)
    assert len(counted) == 1
