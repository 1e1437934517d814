"""The whole demo, as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.long


def test_demo_evaluates_two_checkpoints_the_null_systems_and_the_oracle_on_all_tasks(tmp_path):
    program = "from grue.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "demo", "--json", "--quiet"],
        cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "HF_HUB_OFFLINE": "1"}, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert len(document["runs"]) == 7
    tasks = {run["path"].rpartition("/")[2]: run["results"]["tasks"] for run in document["runs"]}
    assert {len(found) for name, found in tasks.items() if name != "oracle-reference"} == {8}
    assert (tmp_path / "grue-demo" / "board" / "index.html").is_file()
    floor, model = tasks["null-empty"]["iwslt2017"], tasks["demo-causal"]["iwslt2017"]
    assert model["metrics"]["sacrebleu"]["value"] > floor["metrics"]["sacrebleu"]["value"]
    scores = {run["path"].rpartition("/")[2]: run["results"]["scores"]["grue"] for run in document["runs"]}
    assert scores["oracle-reference"]["value"] is None
    assert scores["null-random-reference"]["value"] == pytest.approx(0, abs=1e-9)
    for name in ("demo-causal", "demo-seq2seq"):
        low, high = scores[name]["ci95"]
        assert low <= scores[name]["value"] <= high
        assert low > scores["null-constant"]["value"]
