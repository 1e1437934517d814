"""A model whose layers lie in several places writes the same texts; here memory and disk stand for two GPUs."""

from __future__ import annotations

import pytest

from grue.core.decoding import Decoding
from grue.core.task import Truncation
from grue.engine import checkpoint as checkpoints_module
from grue.engine import hf
from grue.engine.hf import HFEngine
from grue.engine.open import EngineOptions, open_engine
from grue.engine.protocol import Job, Request

PLACES = {
    "gpt2": {"transformer.h.1": "disk"},
    "llama": {"model.layers.0": "disk"},
    "t5": {"decoder.block.1": "disk", "encoder.block.0": "disk"},
}


@pytest.mark.parametrize("kind", PLACES)
@pytest.mark.parametrize("beams", [1, 3])
def test_texts_are_those_of_one_device(kind, beams, checkpoints, engines, make_rows, generate, monkeypatch):
    from grue.checkpoints.loading import laid_out

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
    monkeypatch.setattr(hf, "choose_device", lambda wanted: "cpu" if wanted == "spread" else wanted)
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
