"""The statistics bench in small: it runs, compares with SacreBLEU and says what it measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "bench" / "resampling.py"
SMALL = ["--runs", "4", "--rows", "60", "--pairs", "120", "--resamples", "200", "--rounds", "1"]


def test_a_small_round_says_seconds_memory_and_ratios_and_finds_equal_values() -> None:
    done = subprocess.run([sys.executable, str(SCRIPT), *SMALL, "--json"], check=False, capture_output=True, text=True)
    found = json.loads(done.stdout)
    assert done.returncode == int(not (found["board"]["met"] and found["paired"]["met"]))
    assert found["schema_version"] == 1
    assert (found["board"]["runs"], found["board"]["tasks"], found["board"]["rows"]) == (4, 7, 60)
    assert found["board"]["seconds"] > 0
    assert found["board"]["peak_megabytes"] > 20  # an interpreter with numpy
    assert found["paired"]["equal"] == {"score": True, "difference": True, "p": True}
    assert found["paired"]["resampling_ratio"] > 0


def test_a_table_names_what_is_asked_for_and_an_unknown_part_is_refused() -> None:
    done = subprocess.run([sys.executable, str(SCRIPT), "board", *SMALL], check=False, capture_output=True, text=True)
    assert "200 resamples of 4 runs × 7 tasks × 60 rows" in done.stdout
    assert "at most 300" in done.stdout
    assert "sacrebleu" not in done.stdout
    refused = subprocess.run([sys.executable, str(SCRIPT), "boards"], check=False, capture_output=True, text=True)
    assert refused.returncode == 2
    assert "unknown part boards" in refused.stderr
