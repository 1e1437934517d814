"""What a run measures of itself: real runs of the demo checkpoints, with and without devices that tell their energy."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grue.engine.energy import EnergyMeter, open_meter
from tests.processes import SLOW, events, kill, start, until

CALL = ("-t", "iwslt2017", "--data", "mini", "--no-model-metrics", "--metrics", "mean_length", "--quiet")


def _cost(folder: Path, task: str = "iwslt2017") -> dict[str, Any]:
    return json.loads((folder / "results.json").read_text())["tasks"][task]["cost"]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """A device that takes 2 J between two readings; the list holds what was asked to be measured."""
    asked: list[list[str]] = []

    class Device:
        name, period = "a device", 1000.0

        def lap(self) -> float:
            return 2.0

    def open_fake(devices: list[str]) -> EnergyMeter:
        asked.append(devices)
        return EnergyMeter([Device()])

    monkeypatch.setattr("grue.evaluation.gauge.open_meter", open_fake)
    return asked


@pytest.mark.parametrize("model", ["demo:causal", "demo:seq2seq"])
def test_a_run_says_how_fast_it_read_and_wrote_and_what_share_of_the_device_that_was(
    grue: Callable[..., Any], tmp_path: Path, model: str
) -> None:
    answer = grue("eval", "-m", model, *CALL, "-L", 6, "-o", tmp_path / "run")
    assert answer.code == 0
    cost = _cost(tmp_path / "run")
    assert cost["prefill_tokens_per_second"] > 0
    assert cost["decode_tokens_per_second"] > 0
    (first,) = events(tmp_path / "run", "first_row")
    assert cost["first_row_seconds"] == first["seconds"]
    # Loading comes before the first row, and no row is stored before its portion's time has passed.
    assert cost["first_row_seconds"] > 0
    assert cost["peak_memory_of"] == "process"
    assert cost["peak_memory_bytes"] > 50e6
    assert cost["flops"] > 0
    assert cost["flops_utilization"] == pytest.approx(
        cost["flops"] / cost["wall_seconds"] / cost["device_peak_flops"], rel=1e-9
    )
    assert 0 < cost["flops_utilization"] < 1
    assert "write tok/s" in answer.out
    assert "of peak %" in answer.out


def test_the_peak_is_measured_once_for_a_device(
    grue: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("GRUE_HOME", str(home))
    grue("eval", "-m", "demo:causal", *CALL, "-L", 2, "-o", tmp_path / "one")
    kept = json.loads((home / "peaks.json").read_text())["peaks"]
    ((name, peak),) = kept.items()
    assert "float32" in name
    assert peak["flops"] == _cost(tmp_path / "one")["device_peak_flops"]
    # What is known is not measured again: a wrong number stays.
    kept[name]["flops"] = 1e15
    (home / "peaks.json").write_text(json.dumps({"schema_version": 1, "peaks": kept}))
    grue("eval", "-m", "demo:causal", *CALL, "-L", 3, "-o", tmp_path / "two")
    assert _cost(tmp_path / "two")["device_peak_flops"] == 1e15


def test_a_run_that_did_more_than_the_kept_peak_has_it_measured_again(
    grue: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("GRUE_HOME", str(home))
    grue("eval", "-m", "demo:causal", *CALL, "-L", 2, "-o", tmp_path / "one")
    kept = json.loads((home / "peaks.json").read_text())["peaks"]
    name = next(iter(kept))
    kept[name]["flops"] = 1.0
    (home / "peaks.json").write_text(json.dumps({"schema_version": 1, "peaks": kept}))
    grue("eval", "-m", "demo:causal", *CALL, "-L", 3, "-o", tmp_path / "two")
    assert _cost(tmp_path / "two")["flops_utilization"] < 1
    assert json.loads((home / "peaks.json").read_text())["peaks"][name]["flops"] > 1.0


def test_energy_is_measured_while_rows_are_generated_and_not_before(
    grue: Callable[..., Any], tmp_path: Path, told: list[list[str]]
) -> None:
    answer = grue("eval", "-m", "demo:causal", *CALL, "-L", 4, "-o", tmp_path / "run")
    assert told == [["cpu"]]
    cost = _cost(tmp_path / "run")
    # The reading right before the first row is discarded; the run was short, so one more was taken, at its end.
    assert (cost["energy_joules"], cost["energy_generations"], cost["energy_of"]) == (2.0, 4, ["a device"])
    assert "Energy: all that a device took meanwhile" in answer.out


@pytest.mark.long
def test_a_killed_run_counts_its_first_row_once_and_the_energy_of_the_rows_that_were_measured(
    grue: Callable[..., Any], tmp_path: Path, told: list[list[str]]
) -> None:
    run = tmp_path / "run"
    # Rows one by one, so that a kill meets a run between its first row and its last.
    call = ("eval", "-m", "demo:causal", *CALL, "-L", "40", "-b", "1", "-o", str(run))
    process = start(*call, program=SLOW)
    until(lambda: events(run, "first_row") != [], process)
    kill(process)
    assert grue(*call).code == 0
    stored = events(run, "started")[1]["stored"]
    assert 0 < stored < 40
    assert len(told) == 1, "the killed start was measured elsewhere"
    cost = _cost(run)
    assert (cost["energy_joules"], cost["energy_generations"]) == (2.0, 40 - stored)
    first, second = events(run, "first_row")
    assert cost["first_row_seconds"] == first["seconds"] != second["seconds"]


def test_where_nothing_tells_its_energy_there_is_no_number(
    grue: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "grue.evaluation.gauge.open_meter", lambda devices: open_meter(devices, powercap=tmp_path / "none")
    )
    grue("eval", "-m", "demo:causal", *CALL, "-L", 2, "-o", tmp_path / "run")
    cost = _cost(tmp_path / "run")
    assert (cost["energy_joules"], cost["energy_generations"], cost["energy_of"]) == (None, None, [])
    assert events(tmp_path / "run", "energy") == []


def test_a_null_system_costs_time_alone_and_loads_no_library(tmp_path: Path) -> None:
    program = (
        "import sys; from grue.cli.main import run; code = run(sys.argv[1:]);"
        "sys.exit(code or ('torch' in sys.modules and 99) or 0)"
    )
    arguments = ("eval", "-m", "null:copy-input", *CALL, "-L", "3", "-o", str(tmp_path / "run"))
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    cost = _cost(tmp_path / "run")
    assert cost.pop("wall_seconds") > 0
    assert cost.pop("first_row_seconds") > 0
    assert cost.pop("latency_ms") == {"p50": None, "p95": None}
    assert cost.pop("energy_of") == []
    assert set(cost.values()) == {None}
    assert "efficiency" not in done.stdout


def test_joined_parts_cost_what_they_cost_together(grue: Callable[..., Any], tmp_path: Path) -> None:
    parts = [tmp_path / "part-1", tmp_path / "part-2"]
    for number, part in enumerate(parts, start=1):
        grue("eval", "-m", "demo:causal", *CALL, "-L", 6, "-o", part, "--shard", f"{number}/2")
    assert grue("merge", *parts, "-o", tmp_path / "whole").code == 0
    whole, costs = _cost(tmp_path / "whole"), [_cost(part) for part in parts]
    assert whole["flops"] == sum(cost["flops"] for cost in costs)
    could = sum(cost["wall_seconds"] * cost["device_peak_flops"] for cost in costs)
    assert whole["flops_utilization"] == pytest.approx(whole["flops"] / could)
    slowest, fastest = sorted(cost["decode_tokens_per_second"] for cost in costs)
    assert slowest <= whole["decode_tokens_per_second"] <= fastest
    assert whole["first_row_seconds"] == min(cost["first_row_seconds"] for cost in costs)
    assert whole["peak_memory_bytes"] == max(cost["peak_memory_bytes"] for cost in costs)
