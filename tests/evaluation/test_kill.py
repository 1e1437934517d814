"""A real process, killed: the same command gives what an undisturbed run gives."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from tests.processes import PATIENCE_SECONDS, events, kill, start, stored, until

COMMAND = ("eval", "-m", "demo:causal", "-t", "imdb,iwslt2017", "--data", "mini", "-L", "24", "-b", "4", "--quiet")


@pytest.mark.long
def test_killed_run_goes_on_to_the_same_results_and_generates_no_stored_row_twice(grue, tmp_path, results):
    assert grue(*COMMAND, "-o", tmp_path / "whole").code == 0
    process = start(*COMMAND, "-o", tmp_path / "run")
    until(lambda: len(stored(tmp_path / "run")) >= 8, process)
    kill(process)
    assert not (tmp_path / "run" / "results.json").exists()
    kept = stored(tmp_path / "run")
    assert 8 <= len(kept) < 24
    assert {name for name, _, _ in kept} == {"imdb.partial.jsonl"}
    assert grue(*COMMAND, "-o", tmp_path / "run").code == 0
    assert results(tmp_path / "run") == results(tmp_path / "whole")
    for task in ("imdb", "iwslt2017"):
        name = f"samples/{task}.parquet"
        assert pq.read_table(tmp_path / "run" / name) == pq.read_table(tmp_path / "whole" / name)
    [*_, last] = [event for event in events(tmp_path / "run", "generation_started") if event["task"] == "imdb"]
    assert (last["stored"], last["missing"]) == (len(kept), 24 - len(kept))


@pytest.mark.long
def test_termination_ends_a_run_as_an_interrupt_does(tmp_path):
    process = start(*COMMAND, "-o", tmp_path / "run")
    until(lambda: len(stored(tmp_path / "run")) >= 4, process)
    process.terminate()
    _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130
    assert "Interrupted" in err
    assert "Traceback" not in err
    assert not (tmp_path / "run" / ".lock").exists()
