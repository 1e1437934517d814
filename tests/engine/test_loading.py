"""Weights are loaded once, beside their first hashing where that takes time, and never for nothing."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from grue.checkpoints import hash_store
from grue.core.errors import CheckpointError
from grue.engine import hf
from grue.engine.hf import HFEngine
from grue.engine.loading import Loading, LoadsAhead
from grue.engine.open import EngineOptions, open_engine


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The name of the thread of each loading."""
    threads: list[str] = []
    plain = hf.load_model

    def load_model(*arguments):
        threads.append(threading.current_thread().name)
        return plain(*arguments)

    monkeypatch.setattr(hf, "load_model", load_model)
    return threads


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Weights that are not hashed before the test says so, in a process that knows no hash."""
    go = threading.Event()
    plain = hash_store.weights_sha256

    def weights_sha256(*arguments):
        assert go.wait(60)
        return plain(*arguments)

    monkeypatch.setattr(hash_store, "_known", {})
    monkeypatch.setattr(hash_store, "weights_sha256", weights_sha256)
    return go


def _open(folder: Path, home: Path | None = None) -> HFEngine:
    engine = open_engine(str(folder), EngineOptions(device="cpu", home=home))
    assert isinstance(engine, HFEngine)
    return engine


def test_weights_are_loaded_while_they_are_hashed(checkpoints, loads, hashing):
    engine = _open(checkpoints["gpt2"])
    assert isinstance(engine, LoadsAhead)
    engine.load_ahead()
    engine.load()
    assert engine.model is not None
    assert not engine.checkpoint.weights_hash.is_known
    hashing.set()
    assert len(engine.info.weights_sha256) == 64
    assert loads == ["grue-loading"]
    assert engine.loading.seconds > 0


def test_nothing_is_loaded_ahead_where_the_hash_is_known(checkpoints, loads, hashing, tmp_path, monkeypatch):
    hashing.set()
    monkeypatch.setattr(hash_store, "SETTLED_SECONDS", -1.0)
    known = _open(checkpoints["gpt2"], tmp_path).info.weights_sha256
    hash_store._known.clear()  # as another process begins
    hashing.clear()
    engine = _open(checkpoints["gpt2"], tmp_path)
    engine.load_ahead()
    assert engine.info.weights_sha256 == known
    assert loads == []
    engine.load()
    assert loads == ["MainThread"]


def test_a_fault_of_loading_is_told_by_load(checkpoints, hashing, monkeypatch):
    def broken(*arguments):
        raise CheckpointError("Three weights are missing.", "Give the whole checkpoint.")

    monkeypatch.setattr(hf, "load_model", broken)
    engine = _open(checkpoints["gpt2"])
    engine.load_ahead()
    hashing.set()
    assert engine.info.weights_sha256
    with pytest.raises(CheckpointError, match="Three weights"):
        engine.load()


def test_weights_that_shrink_while_they_are_hashed_are_told_of(checkpoints, hashing, tmp_path):
    import shutil

    folder = shutil.copytree(checkpoints["gpt2"], tmp_path / "copy")
    engine = _open(folder)
    with (folder / "model.safetensors").open("r+b") as file:
        file.truncate(20_000)
    hashing.set()
    with pytest.raises(CheckpointError, match="became shorter"):
        _ = engine.info


def test_a_closed_engine_loads_again(checkpoints, loads, hashing):
    hashing.set()
    engine = _open(checkpoints["gpt2"])
    engine.load()
    engine.close()
    assert engine.model is None
    engine.load()
    assert len(loads) == 2


def test_a_model_that_nobody_takes_is_let_go_of():
    made = []
    loading = Loading(lambda: made.append(1) or made)
    loading.start()
    loading.start()
    loading.drop()
    assert made == [1]
    assert loading.take() is made
    assert made == [1, 1]
