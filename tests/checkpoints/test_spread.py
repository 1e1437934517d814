"""Layers spread over several devices: whole, in order, each device within its memory."""

from __future__ import annotations

import copy
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, GPT2Config, LlamaConfig, T5Config

from grue.checkpoints.device import choose_device
from grue.checkpoints.loading import laid_out
from grue.checkpoints.spread import WEIGHTS_FRACTION, layers_by_device, spread_layers
from grue.cli.main import run
from grue.core.errors import CheckpointError, UsageError

LAYERS = 12
MODELS = {
    "llama": laid_out(
        AutoModelForCausalLM,
        LlamaConfig(
            vocab_size=100,
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=LAYERS,
            num_attention_heads=4,
            num_key_value_heads=2,
        ),
    ),
    "gpt2": laid_out(
        AutoModelForCausalLM, GPT2Config(vocab_size=100, n_embd=64, n_layer=LAYERS, n_head=4, n_positions=64)
    ),
    "t5": laid_out(
        AutoModelForSeq2SeqLM,
        T5Config(vocab_size=100, d_model=64, d_ff=128, num_layers=6, num_decoder_layers=6, num_heads=4, d_kv=16),
    ),
}


def _bytes(model: torch.nn.Module, places: dict[str, int]) -> dict[int, int]:
    """Bytes of the parameters on each device, every one of which lies somewhere."""
    taken: dict[int, int] = {}
    for name, parameter in model.named_parameters():
        [place] = {number for module, number in places.items() if module == "" or f"{name}.".startswith(f"{module}.")}
        taken[place] = taken.get(place, 0) + 4 * parameter.numel()
    return taken


@pytest.mark.parametrize("kind", MODELS)
@given(st.lists(st.integers(200_000, 3_000_000), min_size=1, max_size=4))
@settings(max_examples=8, deadline=None)
def test_every_module_lies_whole_on_a_device_that_has_room(kind, free):
    model, devices = MODELS[kind], dict(enumerate(free))
    size = sum(4 * parameter.numel() for parameter in model.parameters())
    try:
        places = spread_layers(model, devices, torch.float32, "here")
    except CheckpointError as error:
        refused = error.cause
    else:
        refused = ""
    if refused:
        assert f"{len(free)} GPUs" in refused
        assert min(free) * WEIGHTS_FRACTION < size
        return
    for number, n_bytes in _bytes(model, places).items():
        assert n_bytes <= devices[number] * WEIGHTS_FRACTION
    blocks = [name for name in places if re.search(r"\.(layers|h|block)\.\d+\.", name)]
    assert blocks == []


def test_layers_go_to_the_devices_in_order_and_about_evenly():
    places = spread_layers(MODELS["llama"], {0: 10**9, 1: 10**9, 2: 10**9}, torch.float32, "here")
    layers = [places[f"model.layers.{number}"] for number in range(LAYERS)]
    assert layers == sorted(layers)
    assert set(layers) == {0, 1, 2}
    assert max(layers.count(number) for number in range(3)) <= LAYERS // 2


def test_what_fits_one_device_without_gaps_alone_is_packed():
    model = MODELS["llama"]
    size = sum(4 * parameter.numel() for parameter in model.parameters())
    places = spread_layers(model, {0: int(size * 0.9), 1: int(size * 0.9)}, torch.float32, "here")
    assert set(_bytes(model, places)) == {0, 1}


def test_nothing_is_put_on_the_processor_or_the_disk():
    with pytest.raises(CheckpointError, match=r"2 GPUs have 0\.0 GB free"):
        spread_layers(MODELS["llama"], {0: 100_000, 1: 100_000}, torch.float32, "here")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_there_is_nothing_to_spread_over():
    with pytest.raises(UsageError, match="no CUDA device"):
        choose_device("spread")


@pytest.mark.parametrize(
    ("kind", "stack", "n"), [("llama", "model.layers", 12), ("gpt2", "transformer.h", 12), ("t5", "decoder.block", 6)]
)
def test_layers_are_counted_where_they_lie(kind, stack, n):
    """Memory stands for a second device; an encoder's layers keep nothing."""
    model = copy.deepcopy(MODELS[kind])
    assert layers_by_device(model) == {"meta": n}
    for number in range(2):
        model.get_submodule(f"{stack}.{number}").to_empty(device="cpu")
    assert layers_by_device(model) == {"cpu": 2, "meta": n - 2}


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
@pytest.mark.parametrize(
    ("flags", "asked", "fix"),
    [
        (["--devices", "0,1"], "--devices 0,1: no CUDA device", "--devices cpu,cpu"),
        (["--devices", "3"], "--devices 3: no CUDA device", "--devices cpu,"),
        (["--devices", "cpu,mps"], "--devices cpu,mps: no mps device", "--devices cpu,cpu"),
        (["--device", "cuda:1"], "--device cuda:1: no CUDA device", "--device cpu"),
    ],
)
def test_a_device_that_is_not_there_is_named_as_it_was_asked_for(flags, asked, fix, tmp_path, capsys):
    call = ["eval", "-m", "demo:causal", "-t", "imdb", "--data", "mini", "-L", "1", "-o", str(tmp_path / "run"), *flags]
    assert run(call) == 2
    err = " ".join(capsys.readouterr().err.split())
    assert asked in err
    assert fix in err
    assert not (tmp_path / "run").exists()
