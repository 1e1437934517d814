"""The doctor finds faults before hours are spent, and says how to mend them."""

from __future__ import annotations

import json
import shutil

import pytest
import torch

from grue.cli.main import run
from grue.core.decoding import Decoding
from grue.core.rows import Row
from grue.core.task import Truncation
from grue.engine import doctor
from grue.engine.estimate import kv_bytes_per_token, memory_bytes
from grue.engine.protocol import Job


def findings(capsys, *arguments: str) -> tuple[int, dict[str, dict[str, str]]]:
    code = run(["doctor", *arguments, "--json"])
    document = json.loads(capsys.readouterr().out)
    assert document["schema_version"] == 1
    return code, {finding["check"]: finding for finding in document["findings"]}


def test_the_machine_and_settings_are_shown_with_their_origin(capsys, monkeypatch):
    monkeypatch.setenv("GRUE_RESULTS_DIR", "elsewhere")
    code, found = findings(capsys)
    assert code == 0
    assert {"python", "device", "memory", "threads", "metrics"} <= set(found)
    assert found["setting GRUE_RESULTS_DIR"]["message"] == "elsewhere (environment)"
    assert found["setting GRUE_DATA"]["message"] == "hub (default)"


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU computes")
def test_what_bfloat16_gains_on_this_cpu_is_said(capsys, monkeypatch):
    monkeypatch.setattr(doctor, "bfloat16_units", lambda: ("amx_bf16",))
    said = findings(capsys)[1]["bfloat16"]["message"]
    assert "amx_bf16" in said
    assert "times as fast as in float32" in said
    monkeypatch.setattr(doctor, "bfloat16_units", lambda: ())
    assert "no unit" in findings(capsys)[1]["bfloat16"]["message"]


def test_a_sound_checkpoint_passes(checkpoints, capsys):
    code, found = findings(capsys, "-m", str(checkpoints["t5"]), "-t", "commongen", "-L", "4", "--data", "mini")
    assert code == 0
    assert found["batches"]["status"] == "ok"
    assert "T5ForConditionalGeneration, encoder-decoder" in found["checkpoint"]["message"]
    assert {"commongen: prompts", "commongen: memory", "commongen: time"} <= set(found)


def test_a_faulty_checkpoint_fails_with_a_fix(checkpoints, capsys, tmp_path):
    folder = shutil.copytree(checkpoints["gpt2"], tmp_path / "model")
    (folder / "model.safetensors").write_bytes(b"")
    code, found = findings(capsys, "-m", str(folder))
    assert code == 1
    assert found["checkpoint"]["status"] == "fail"
    assert "truncated" in found["checkpoint"]["message"]
    assert found["checkpoint"]["fix"]


def test_a_context_in_which_nothing_fits_fails_for_that_task(checkpoints, capsys):
    arguments = ("-m", str(checkpoints["gpt2"]), "-t", "cnn_dailymail,wmt16", "-L", "2", "--data", "mini")
    code, found = findings(capsys, *arguments)
    assert code == 1
    assert found["wmt16"]["status"] == "fail"
    assert "max_new_tokens" in found["wmt16"]["fix"]
    assert found["cnn_dailymail: prompts"]["status"] == "warn"
    assert "context" in found["cnn_dailymail: prompts"]["message"]


def test_a_system_without_a_model_has_nothing_to_check(capsys):
    code, found = findings(capsys, "-m", "null:empty")
    assert code == 0
    assert "no model" in found["checkpoint"]["message"]


def test_the_table_names_each_check(capsys):
    assert run(["doctor"]) == 0
    assert "setting GRUE_HOME" in capsys.readouterr().out


def test_a_model_whose_logits_depend_on_the_batch_fails(engines, monkeypatch):
    assert doctor.batch_invariance(engines["gpt2"]).status == "ok"

    def crooked(model, prompts, **wanted):
        torch.manual_seed(len(prompts))
        return torch.randn(len(prompts), 50)

    monkeypatch.setattr(doctor, "first_logits", crooked)
    finding = doctor.batch_invariance(engines["gpt2"])
    assert finding.status == "fail"
    assert "-b 1" in finding.fix


@pytest.mark.parametrize(
    ("kind", "expected"),
    # Keys and values, layers, heads of the cache, width of a head, bytes a number.
    [("gpt2", 2 * 2 * 4 * 8 * 4), ("llama", 2 * 2 * 2 * 8 * 4), ("t5", 2 * 2 * 4 * 8 * 4), ("bart", 2 * 2 * 4 * 8 * 4)],
)
def test_cache_bytes_of_a_token_are_those_of_the_shapes(kind, expected, engines):
    checkpoint = engines[kind].checkpoint
    found = kv_bytes_per_token(checkpoint.config, "float32", is_encoder_decoder=checkpoint.is_encoder_decoder)
    assert found == expected


def test_memory_grows_with_beams_and_rows(engines):
    engine = engines["gpt2"]

    def need(n: int, beams: int) -> int:
        rows = [Row(id=str(i), prompt="the cat") for i in range(n)]
        job = Job(
            decoding=Decoding(max_new_tokens=4, num_beams=beams), truncation=Truncation("left", 8), seed=0, rows=rows
        )
        return memory_bytes(engine.checkpoint, {"cpu": 1}, "float32", engine.encode(rows, job), job)

    assert need(1, 1) < need(8, 1) < need(8, 4)
