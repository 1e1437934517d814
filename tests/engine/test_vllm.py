"""``--engine vllm`` against a stand-in made from vLLM's documentation (see ``standins/vllm``): vLLM wants a GPU."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grue.core.decoding import Decoding
from grue.core.errors import CheckpointError, MissingExtraError, UsageError
from grue.core.rows import Generation
from grue.core.task import Truncation
from grue.engine.open import EngineOptions, open_engine
from grue.engine.protocol import Failure, Job, Request
from grue.engine.vllm import VLLMEngine, visible_devices
from grue.runs.read import read_run

GREEDY = Decoding(max_new_tokens=12)
ON_CPU = EngineOptions(device="cpu", engine="vllm")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The stand-in in vLLM's place, and what was asked of it."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "standins"))
    monkeypatch.delitem(sys.modules, "vllm", raising=False)
    import vllm

    yield vllm.CALLS
    sys.modules.pop("vllm", None)


def opened(folder: Path, options: EngineOptions = ON_CPU) -> VLLMEngine:
    engine = open_engine(str(folder), options)
    assert isinstance(engine, VLLMEngine)
    return engine


def made(engine: VLLMEngine, requests: list[Request], job: Job) -> tuple[dict[Any, Generation], list[Failure]]:
    engine.settings(job)
    portions = list(engine.generate(requests, job))
    generations = {(one.id, one.sample): one for portion in portions for one in portion.generations}
    return generations, [failure for portion in portions for failure in portion.failures]


def job_of(rows: list[Any], decoding: Decoding, **changes: Any) -> Job:
    return Job(decoding=decoding, truncation=Truncation("left", 40), seed=3, rows=rows, **changes)


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
@pytest.mark.parametrize(
    "decoding",
    [
        GREEDY,
        replace(GREEDY, min_new_tokens=9),
        replace(GREEDY, repetition_penalty=1.3),
        replace(GREEDY, stop=("a", "er ")),
    ],
)
def test_greedy_texts_are_those_of_hf(calls, checkpoints, engines, make_rows, generate, kind, decoding):
    rows = make_rows(24)
    expected = generate(engines[kind], rows, decoding, truncation=Truncation("left", 40))
    generations, failures = made(opened(checkpoints[kind]), [Request(row, 0) for row in rows], job_of(rows, decoding))
    assert not failures
    assert {key: replace(one, latency_seconds=None) for key, one in generations.items()} == {
        key: replace(one, latency_seconds=None) for key, one in expected.items()
    }
    assert any(one.prompt_cut for one in generations.values())
    assert {one.finish_reason for one in generations.values()} <= {"stop", "length"}


def test_sampling_depends_on_seed_row_and_sample_alone(calls, checkpoints, make_rows):
    rows = make_rows(6)
    decoding = replace(GREEDY, do_sample=True, top_k=20, temperature=0.9)
    requests = [Request(row, sample) for row in rows for sample in range(3)]
    engine = opened(checkpoints["gpt2"])
    first, _ = made(engine, requests, job_of(rows, decoding))
    windows, _ = made(engine, requests[::-1], job_of(rows, decoding, batch_rows=4))
    assert {key: one.prediction for key, one in windows.items()} == {k: one.prediction for k, one in first.items()}
    assert calls.windows[-5:] == [4, 4, 4, 4, 2]
    assert len({one.prediction for one in first.values()}) > 12
    other, _ = made(engine, requests, replace(job_of(rows, decoding), seed=4))
    assert {key: one.prediction for key, one in other.items()} != {k: one.prediction for k, one in first.items()}


def test_deterministic_decoding_runs_once_a_row(calls, checkpoints, make_rows):
    rows = make_rows(5)
    generations, _ = made(
        opened(checkpoints["gpt2"]), [Request(row, s) for row in rows for s in range(2)], job_of(rows, GREEDY)
    )
    assert len(generations) == 10
    assert calls.windows[-1] == 5


def test_row_that_is_refused_or_given_up_fails_alone(calls, checkpoints, engines, make_rows):
    rows = make_rows(9)
    job = job_of(rows, GREEDY)
    engine = opened(checkpoints["llama"])
    ids = [list(item.prompt.ids) for item in engines["llama"].encode(rows, job)]
    calls.refused[:], calls.aborted[:] = ids[2], ids[6]
    try:
        generations, failures = made(engine, [Request(row, 0) for row in rows], job)
    finally:
        calls.refused.clear()
        calls.aborted.clear()
    reasons = {failure.id: failure.reason for failure in failures}
    assert reasons == {rows[2].id: "vLLM refuses it: this prompt is refused", rows[6].id: "vLLM ended it with abort"}
    assert len(generations) == 7


def test_vllm_is_told_lengths_types_and_devices_and_no_settings_of_the_checkpoint(calls, checkpoints, make_rows):
    rows = make_rows(2)
    engine = opened(checkpoints["gpt2"], replace(ON_CPU, devices=("cpu", "cpu")))
    made(engine, [Request(row, 0) for row in rows], job_of(rows, GREEDY))
    asked = calls.engines[-1]
    assert asked["max_model_len"] == 40 + 12
    assert asked["dtype"] == "float32"
    assert asked["tensor_parallel_size"] == 2
    assert asked["load_format"] == "safetensors"
    assert asked["generation_config"] == "vllm"
    engine.close()


def test_identity_is_that_of_the_weights_with_the_engine(calls, checkpoints, engines):
    info = opened(checkpoints["gpt2"]).info
    assert info == replace(engines["gpt2"].info, engine="vllm")
    assert len(info.weights_sha256) == 64


@pytest.mark.parametrize(("changes", "flag"), [({"num_beams": 4}, "greedy"), ({"no_repeat_ngram_size": 2}, "size=0")])
def test_decoding_that_differs_is_refused(calls, checkpoints, make_rows, changes, flag):
    with pytest.raises(UsageError) as caught:
        opened(checkpoints["gpt2"]).settings(job_of(make_rows(1), replace(GREEDY, **changes)))
    assert flag in caught.value.fix


def test_models_with_an_encoder_and_adapters_are_refused(calls, checkpoints, tmp_path):
    with pytest.raises(CheckpointError, match="has an encoder"):
        opened(checkpoints["t5"])
    with pytest.raises(UsageError, match="--adapter"):
        opened(checkpoints["gpt2"], replace(ON_CPU, adapter=tmp_path))


def test_missing_vllm_names_the_extra(checkpoints):
    if "vllm" in sys.modules:
        pytest.skip("vLLM is installed")
    with pytest.raises(MissingExtraError) as caught:
        open_engine(str(checkpoints["gpt2"]), ON_CPU)
    assert "pip install 'grue[vllm]'" in caught.value.fix


def test_visible_devices_are_counted_among_those_seen():
    assert visible_devices(["0", "2"], None) == "0,2"
    assert visible_devices(["0", "2"], "4,5,GPU-7") == "4,GPU-7"


def test_command_line_gives_the_texts_of_hf(calls, grue, tmp_path):
    command = ("eval", "-m", "demo:causal", "--data", "mini", "-t", "commongen", "-L", 6, "--decoding", "greedy")
    rest = ("--metrics", "mean_length", "--device", "cpu")
    assert grue(*command, *rest, "--engine", "vllm", "-o", tmp_path / "vllm").code == 0
    assert grue(*command, *rest, "-o", tmp_path / "hf").code == 0
    runs = [read_run(tmp_path / name) for name in ("vllm", "hf")]
    assert runs[0].samples("commongen") == runs[1].samples("commongen")
    manifests = [run.manifest_value() for run in runs]
    assert manifests[0].identity != manifests[1].identity
    assert manifests[0].model.engine == "vllm"
