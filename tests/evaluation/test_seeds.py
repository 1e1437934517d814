"""``grue eval --seeds``: one run a seed, and how far their values spread."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import grue
from grue.core.errors import UsageError
from grue.evaluation.seeds import parse_seeds, spread

Grue = Callable[..., Any]
CALL = ("--data", "mini", "-t", "daily_dialog", "-L", "4", "--no-model-metrics", "--quiet")


def test_spread_is_mean_deviation_and_range() -> None:
    # By hand: mean 4, squares 4 + 0 + 4 over n - 1 = 2, root 2.
    found = spread([2.0, 4.0, 6.0])
    assert (found.mean, found.sd, found.low, found.high, found.n) == (4.0, 2.0, 2.0, 6.0, 3)
    lacking = spread([None, 3.0])
    assert (lacking.mean, lacking.sd, lacking.n) == (3.0, None, 1)
    assert lacking.to_json()["reason"] == "1 of 2 runs have a value"
    assert spread([None]).to_json()["mean"] is None


@pytest.fixture
def call_grue(request: pytest.FixtureRequest) -> Grue:
    """The command line; its fixture has the package's name."""
    command: Grue = request.getfixturevalue("grue")
    return command


@pytest.mark.parametrize("text", ["1,x", "", "1,,2", "-1", "1.5", "1,2,1", "１"])
def test_seeds_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--seeds"):
        parse_seeds(text)
    assert parse_seeds("3, 1") == (3, 1)


def test_each_seed_has_the_run_that_it_has_alone(call_grue: Grue, tmp_path: Path) -> None:
    answer = call_grue("eval", "-m", "demo:seq2seq", *CALL, "--seeds", "1,2", "-o", tmp_path / "both", "--json")
    assert answer.code == 0, answer.err
    assert [run["seed"] for run in answer.document["runs"]] == answer.document["seeds"] == [1, 2]
    assert [run["path"] for run in answer.document["runs"]] == [str(tmp_path / "both" / f"seed-{n}") for n in (1, 2)]
    first, second = (grue.load_run(tmp_path / "both" / f"seed-{n}") for n in (1, 2))
    assert first.manifest.identity != second.manifest.identity
    assert first.samples("daily_dialog")["prediction"].tolist() != second.samples("daily_dialog")["prediction"].tolist()
    alone = grue.evaluate(
        "demo:seq2seq", "daily_dialog", data="mini", limit=4, seed=2, model_metrics=False, output=tmp_path / "alone"
    )
    assert alone.manifest.identity == second.manifest.identity
    assert alone.samples("daily_dialog").equals(second.samples("daily_dialog"))
    values = [run.results.tasks["daily_dialog"].metrics["meteor"].value for run in (first, second)]
    meteor = answer.document["spread"]["daily_dialog"]["meteor"]
    assert meteor["values"] == values
    assert meteor["mean"] == pytest.approx(sum(values) / 2, abs=1e-12)
    # Two values: the deviation is their distance over the root of 2.
    assert meteor["sd"] == pytest.approx(abs(values[0] - values[1]) / 2**0.5, abs=1e-12)
    assert (meteor["min"], meteor["max"]) == (min(values), max(values))


def test_same_call_goes_on_where_it_stopped(call_grue: Grue, tmp_path: Path) -> None:
    call = ("eval", "-m", "null:random-reference", *CALL, "--seeds", "1,2", "-o", tmp_path / "runs")
    assert call_grue(*call).code == 0
    (tmp_path / "runs" / "seed-2" / "results.json").unlink()
    kept = (tmp_path / "runs" / "seed-1" / "results.json").read_bytes()
    run_id = json.loads((tmp_path / "runs" / "seed-2" / "manifest.json").read_text())["run_id"]
    again = call_grue(*call)
    assert again.code == 0
    assert (tmp_path / "runs" / "seed-1" / "results.json").read_bytes() == kept
    assert json.loads((tmp_path / "runs" / "seed-2" / "results.json").read_text())["run_id"] == run_id
    assert "mean" in again.out
    assert "nothing is sampled" not in again.err  # this system draws by the seed


def test_without_a_folder_each_run_has_its_place_by_identity(
    call_grue: Grue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRUE_RESULTS_DIR", str(tmp_path / "results"))
    assert call_grue("eval", "-m", "null:constant", *CALL, "--seeds", "5,6").code == 0
    names = [path.name for path in (tmp_path / "results").iterdir()]
    assert len(names) == 2
    assert all(name.startswith("null-constant-") for name in names)


def test_seeds_that_change_no_text_are_warned_of(call_grue: Grue, tmp_path: Path) -> None:
    answer = call_grue("eval", "-m", "null:constant", *CALL, "--seeds", "1,2", "-o", tmp_path / "runs")
    assert answer.code == 0
    assert "daily_dialog: nothing is sampled, so that all seeds will give the same texts" in answer.err


def test_wrong_calls_run_nothing(call_grue: Grue, tmp_path: Path) -> None:
    out = tmp_path / "runs"
    for flags, message in (
        (("--seeds", "1,2", "--seed", "0"), "--seed and --seeds contradict each other"),
        (("--seeds", "1,1"), "1 is there twice"),
        (("--seeds", "1,2", "--shard", "1/2"), "--seeds and --shard do not go together"),
    ):
        answer = call_grue("eval", "-m", "null:constant", *CALL, *flags, "-o", out)
        assert answer.code == 2
        assert message in answer.err
        assert not out.exists()
    assert call_grue("eval", "-m", "null:constant", *CALL, "-o", out).code == 0
    inside = call_grue("eval", "-m", "null:constant", *CALL, "--seeds", "1,2", "-o", out)
    assert inside.code == 2
    assert "-o is a run directory" in inside.err
    assert not (out / "seed-1").exists()


def test_plan_is_that_of_one_seed(call_grue: Grue, tmp_path: Path) -> None:
    answer = call_grue("eval", "-m", "null:constant", *CALL, "--seeds", "1,2", "-o", tmp_path / "runs", "--plan")
    assert answer.code == 0
    assert "there are 2" in answer.err
    assert not (tmp_path / "runs").exists()
