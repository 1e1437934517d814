"""A model whose layers lie in several places writes the same texts; here memory and disk stand for two GPUs."""

from __future__ import annotations

import pytest

from grue.checkpoints.loading import laid_out
from grue.core.decoding import Decoding
from grue.core.task import Truncation
from grue.engine import checkpoint as checkpoints_module
from grue.engine import estimate, hf
from grue.engine.hf import HFEngine
from grue.engine.open import EngineOptions, open_engine
from grue.engine.protocol import Job, Request

PLACES = {
    "gpt2": {"transformer.h.1": "disk"},
    "llama": {"model.layers.0": "disk"},
    "t5": {"decoder.block.1": "disk", "encoder.block.0": "disk"},
}


def pretend(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put what ``PLACES`` names on the disk and all else into memory."""

    def places(auto, checkpoint, dtype, options):
        modules = [name for name, _ in laid_out(auto, checkpoint.config).named_modules()]
        leaves = {
            name: "cpu"
            for name in modules
            if name and not any(other.startswith(f"{name}.") for other in modules)
            if not any(name == held or name.startswith(f"{held}.") for held in PLACES[kind])
        }
        return leaves | PLACES[kind]

    monkeypatch.setattr(checkpoints_module, "_places", places)
    monkeypatch.setattr(hf, "choose_device", lambda wanted, devices: "cpu" if wanted == "spread" else wanted)


@pytest.mark.parametrize("kind", PLACES)
@pytest.mark.parametrize("beams", [1, 3])
def test_texts_are_those_of_one_device(kind, beams, checkpoints, engines, make_rows, generate, monkeypatch):
    pretend(kind, monkeypatch)
    engine = open_engine(str(checkpoints[kind]), EngineOptions(device="spread"))
    assert isinstance(engine, HFEngine)
    rows, decoding = make_rows(7), Decoding(max_new_tokens=9, num_beams=beams)
    job = Job(decoding=decoding, truncation=Truncation("right", 512), seed=0, rows=rows)
    portions = list(engine.generate([Request(row, 0) for row in rows], job))
    made = {(one.id, one.sample): one for portion in portions for one in portion.generations}
    # In slots, as on one device.
    assert not any(event["kind"] == "static_batches" for portion in portions for event in portion.events)
    assert set(engine.model.hf_device_map.values()) == {"cpu", "disk"}
    expected = generate(engines[kind], rows, decoding)
    assert {key: one.prediction for key, one in made.items()} == {key: one.prediction for key, one in expected.items()}


def test_keys_and_values_have_the_room_of_the_device_with_the_least_for_its_layers(engines, monkeypatch):
    """Four of six layers lie on the first GPU: a token takes two thirds of its cache there."""
    checkpoint = engines["gpt2"].checkpoint
    each = estimate.kv_bytes_per_token(checkpoint.config, "float32", is_encoder_decoder=False)
    job = Job(decoding=Decoding(max_new_tokens=9), truncation=Truncation("right", 512), seed=0, rows=())
    free = {"cuda:0": 10**9, "cuda:1": 10**9}
    monkeypatch.setattr(estimate, "free_bytes", free.__getitem__)

    def held(layers: dict[str, int]) -> int:
        return estimate.room(checkpoint, layers, "float32", job).tokens

    alone = held({"cuda:0": 1})
    working = 10**9 * estimate.FREE_FRACTION - alone * each
    assert 0 < working < 10**9 / 4
    assert held({"cuda:0": 3, "cuda:1": 3}) == pytest.approx(2 * alone, rel=1e-6)
    assert held({"cuda:0": 4, "cuda:1": 2}) == pytest.approx(1.5 * alone, rel=1e-6)
    # The first is nearly full, though most of the layers lie on the second.
    free["cuda:0"] = 3 * 10**8
    expected = (free["cuda:0"] * estimate.FREE_FRACTION - working) * 6 / (2 * each)
    assert held({"cuda:0": 2, "cuda:1": 4}) == pytest.approx(min(expected, 1.5 * alone), rel=1e-4)
    free["cuda:1"] = 0
    assert held({"cuda:0": 3, "cuda:1": 3}) == 1


def test_a_spread_model_counts_the_memory_of_all_its_devices(checkpoints, monkeypatch, make_rows):
    """What is free on the second device bounds the batch, whatever there is on the first."""
    seen = []

    def free_on(device: str) -> int:
        seen.append(device)
        return {"cpu": 10**10, "meta": 0}[device]

    pretend("gpt2", monkeypatch)
    monkeypatch.setattr(estimate, "free_bytes", free_on)
    engine = open_engine(str(checkpoints["gpt2"]), EngineOptions(device="spread"))
    rows = make_rows(5)
    job = Job(decoding=Decoding(max_new_tokens=3), truncation=Truncation("right", 512), seed=0, rows=rows)
    portions = list(engine.generate([Request(row, 0) for row in rows], job))
    assert set(seen) == {"cpu", "meta"}
    assert max(work.rows for portion in portions for work in portion.work) == 1
