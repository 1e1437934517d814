"""A run that is killed goes on with other batches, budgets, devices and workers, to an undisturbed run's results."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from tests.processes import SLOW, events, finish, kill, outcome, start, stored, until

pytestmark = pytest.mark.long

TASKS = ("imdb", "daily_dialog", "iwslt2017")
KINDS = {
    "greedy": ("-m", "demo:causal", "--decoding", "greedy"),
    "beams": ("-m", "demo:seq2seq", "-g", "num_beams=3,do_sample=false"),
    "sampled": ("-m", "demo:causal", "-g", "do_sample=true,temperature=0.8,num_beams=1", "--samples", "2"),
}
ONE, FEW, MANY = ("-b", "1"), ("-b", "4"), ("-b", "64")
BUDGET, FIXED, DEVICES = ("--batch-tokens", "300"), ("--deterministic",), ("--devices", "cpu,cpu")
RAY = ("--cluster", "ray", "--workers", "2") if importlib.util.find_spec("ray") else FEW
# Killed, killed again, finished. Each way but one begins a run, goes on with one and finishes one; whoever finishes
# has the most rows to make.
CHAINS = [
    ("greedy", (ONE, DEVICES, BUDGET)),
    ("greedy", (MANY, RAY, FIXED)),
    ("beams", (BUDGET, FEW, DEVICES)),
    ("beams", (FIXED, ONE, MANY)),
    ("sampled", (FEW, MANY, ONE)),
    ("sampled", (DEVICES, BUDGET, RAY)),
]


def command(kind: str, way: tuple[str, ...], folder: Path) -> list[str]:
    rows = ["-t", ",".join(TASKS), "--data", "mini", "-L", "16", "--quiet", "--no-model-metrics"]
    return ["eval", *KINDS[kind], *rows, *way, "-o", str(folder)]


def kill_midway(kind: str, way: tuple[str, ...], folder: Path) -> None:
    """Start, and kill -9 as soon as rows are stored that were not there before."""
    before = set(stored(folder))
    process = start(*command(kind, way, folder), program=SLOW)
    until(lambda: not set(stored(folder)) <= before, process)
    kill(process)
    assert before < set(stored(folder))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[dict, dict]]:
    """Kind -> results of a run of plain batches that nobody disturbed."""
    found = {}
    for kind in KINDS:
        folder = tmp_path_factory.mktemp(kind) / "run"
        finish(*command(kind, (), folder))
        found[kind] = outcome(folder)
    return found


@pytest.mark.parametrize(("kind", "ways"), CHAINS)
def test_a_run_goes_on_another_way_after_each_kill(whole, tmp_path, kind, ways):
    folder = tmp_path / "run"
    kill_midway(kind, ways[0], folder)
    first = json.loads((folder / "manifest.json").read_text())
    kill_midway(kind, ways[1], folder)
    kept = stored(folder)
    finish(*command(kind, ways[2], folder))
    assert outcome(folder) == whole[kind]
    assert json.loads((folder / "manifest.json").read_text()) == first
    assert [event["stored"] for event in events(folder, "started")][-1] == len(kept)


def batches_of(folder: Path) -> set[tuple[str, tuple[str, ...]]]:
    return {(event["task"], tuple(event["rows"])) for event in events(folder, "fixed_batch")}


def test_fixed_batches_give_the_same_bits_after_a_kill(tmp_path):
    """In bfloat16, where a text may turn with the rows beside it."""
    way = ("--deterministic", "--dtype", "bfloat16", "--decoding", "task")
    finish(*command("sampled", way, tmp_path / "whole"))
    kill_midway("sampled", way, tmp_path / "run")
    finish(*command("sampled", way, tmp_path / "run"))
    assert outcome(tmp_path / "run") == outcome(tmp_path / "whole")
    assert batches_of(tmp_path / "run") == batches_of(tmp_path / "whole") != set()
