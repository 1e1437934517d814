"""A model that fails in the middle of a run: exit codes, what is kept and said, and the same command afterwards."""

from __future__ import annotations

import json
import math

import pytest
import torch

from grue.engine.hf import HFEngine
from grue.runs.read import read_run

COMMAND = (
    *("eval", "-m", "demo:causal", "-t", "iwslt2017", "--data", "mini", "-L", 12, "-b", 3, "--decoding", "greedy"),
    *("-g", "max_new_tokens=8", "--metrics", "mean_length", "--no-model-metrics", "--json"),
)


@pytest.fixture
def spoil(monkeypatch):
    """Registers a hook on the model once it is loaded; ``undo`` of the patch mends the next run."""
    plain = HFEngine.load

    def with_hook(hook, *, before: bool) -> None:
        def load(self) -> None:
            fresh = self.model is None
            plain(self)
            if fresh:
                if before:
                    self.model.register_forward_pre_hook(hook)
                else:
                    self.model.register_forward_hook(hook)

        monkeypatch.setattr(HFEngine, "load", load)

    return with_hook


def test_lost_device_leaves_a_partial_run_that_goes_on(grue, tmp_path, spoil, monkeypatch, results):
    assert grue(*COMMAND, "-o", tmp_path / "whole").code == 0
    calls = iter(range(10**9))

    def lost(*_):
        if next(calls) >= 20:
            raise RuntimeError("CUDA error: unspecified launch failure")

    spoil(lost, before=True)
    answer = grue(*COMMAND, "-o", tmp_path / "run")
    assert answer.code == 3
    task = answer.document["results"]["tasks"]["iwslt2017"]
    assert "unspecified launch failure" in task["error"]
    assert "Traceback" not in answer.err
    kept = len(read_run(tmp_path / "run").samples("iwslt2017"))
    assert 0 < kept < 12
    assert task["n"] == {"expected": 12, "scored": 0, "failed": 12}  # a part of the rows has no score
    monkeypatch.undo()
    assert grue(*COMMAND, "-o", tmp_path / "run").code == 0
    assert results(tmp_path / "run") == results(tmp_path / "whole")


def test_logits_that_are_no_numbers_name_the_rows(grue, tmp_path, spoil, monkeypatch, results):
    assert grue(*COMMAND, "-o", tmp_path / "whole").code == 0

    def no_numbers(module, args, out):
        out.logits = out.logits * math.nan
        return out

    spoil(no_numbers, before=False)
    answer = grue(*COMMAND, "-o", tmp_path / "run")
    assert answer.code == 3
    task = answer.document["results"]["tasks"]["iwslt2017"]
    assert task["n"]["failed"] == 12
    assert task["error"].startswith("12 rows failed, ")
    assert "no numbers" in task["error"]
    monkeypatch.undo()
    assert grue(*COMMAND, "-o", tmp_path / "run").code == 0
    assert results(tmp_path / "run") == results(tmp_path / "whole")


def test_no_memory_at_all_fails_every_row_with_a_reason(grue, tmp_path, spoil):
    def short(*_):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    spoil(short, before=True)
    answer = grue(*COMMAND, "-o", tmp_path / "run")
    assert answer.code == 3
    task = answer.document["results"]["tasks"]["iwslt2017"]
    assert task["n"]["failed"] == 12
    assert "memory" in task["error"]
    kinds = [json.loads(line)["kind"] for line in (tmp_path / "run" / "events.jsonl").read_text().splitlines()]
    assert kinds.count("row_failed") == 12
    assert {"memory_short", "static_batches"} & set(kinds)


def test_interrupt_in_the_middle_is_130_and_goes_on(grue, tmp_path, spoil, monkeypatch, results):
    assert grue(*COMMAND, "-o", tmp_path / "whole").code == 0
    calls = iter(range(10**9))

    def interrupted(*_):
        if next(calls) >= 20:
            raise KeyboardInterrupt

    spoil(interrupted, before=True)
    answer = grue(*COMMAND, "-o", tmp_path / "run")
    assert answer.code == 130
    assert not (tmp_path / "run" / "results.json").exists()
    monkeypatch.undo()
    assert grue(*COMMAND, "-o", tmp_path / "run").code == 0
    assert results(tmp_path / "run") == results(tmp_path / "whole")
