"""Rewards of an installed third-party package."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import grue
from grue.cli.main import run
from grue.core.errors import UsageError
from grue.core.task import RewardSpec
from grue.rewards.build import build, entry, names
from grue.rewards.parse import parse
from grue.rewards.plugins import list_plugins


def claim(folder: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    """A second distribution with one reward."""
    info = folder / "grue_rival-0.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: grue-rival\nVersion: 0.5\n")
    (info / "entry_points.txt").write_text(f"[grue.rewards]\n{line}\n")
    monkeypatch.syspath_prepend(str(folder))


@pytest.mark.usefixtures("installed")
def test_installed_rewards_are_listed_without_being_imported() -> None:
    found = {plugin.name: plugin for plugin in list_plugins()}
    assert found["riddle_answered"].distribution == "grue-riddles 1.2.0"
    assert found["riddle_answered"].module == "grue_riddles.rewards:answered"
    assert found["riddle_unfinished"].problem is None  # not known before it is imported
    assert {"meteor", "riddle_brevity"} <= set(names())
    assert not any(name.startswith("grue_riddles") for name in sys.modules)


@pytest.mark.usefixtures("installed")
def test_a_batch_function_gets_what_it_asks_for() -> None:
    score = grue.reward("riddle_answered").compute(
        predictions=["A piano!", "A door.", "?"], references=[["piano"], ["piano"], []]
    )
    assert score.values == [1.0, 0.0, None]
    assert (score.low, score.high) == (0, 1)
    assert score.signature is not None
    assert score.signature.startswith("riddle_answered=[riddle_answered|code:")


@pytest.mark.usefixtures("installed")
def test_a_class_takes_settings_and_joins_formulas() -> None:
    text = "0.5*riddle_brevity(words=2) + 0.5*riddle_answered"
    reward = parse(text)
    assert reward.name == text
    assert (reward.low, reward.high) == (0, 1)
    score = grue.reward(text).compute(predictions=["a grand old piano"], references=[["piano"]])
    assert score.values == [0.75]
    assert build(RewardSpec("riddle_brevity", {"words": 9}), {"riddle_brevity": {"words": 1}}).signature() == (
        "riddle_brevity=[riddle_brevity|words:1|v:1]"
    )


@pytest.mark.usefixtures("installed")
def test_a_broken_plugin_fails_alone_and_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match=r"grue-riddles 1\.2\.0.*a_package_that_nobody_has"):
        grue.reward("riddle_unfinished")
    assert grue.reward("riddle_brevity").built is not None
    assert run(["rewards", "list", "--json"]) == 0
    listed = {row["name"]: row for row in json.loads(capsys.readouterr().out)["rewards"]}
    assert listed["riddle_unfinished"]["origin"] == "grue-riddles 1.2.0"
    assert listed["rouge"]["reason"] is None


@pytest.mark.usefixtures("installed")
def test_settings_that_a_plugin_does_not_take_are_refused() -> None:
    with pytest.raises(UsageError, match="does not take length"):
        grue.reward("riddle_answered", length=1)
    with pytest.raises(UsageError, match="length"):
        grue.reward("riddle_brevity", length=1)


@pytest.mark.usefixtures("installed")
def test_a_name_claimed_twice_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    claim(tmp_path, monkeypatch, "riddle_brevity = grue_rival:REWARD")
    problem = {plugin.name: plugin.problem for plugin in list_plugins()}["riddle_brevity"]
    assert problem is not None
    assert "grue-riddles 1.2.0" in problem
    assert "grue-rival 0.5" in problem
    with pytest.raises(UsageError, match="claimed by"):
        grue.reward("riddle_brevity")
    assert grue.reward("riddle_answered").built is not None


def test_a_plugin_cannot_take_a_name_of_grue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    claim(tmp_path, monkeypatch, "meteor = grue_rival:REWARD")
    (plugin,) = list_plugins()
    assert plugin.problem is not None
    assert "grue itself" in plugin.problem
    assert names().count("meteor") == 1
    assert entry("meteor").maker


def test_a_name_that_no_formula_can_hold_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    claim(tmp_path, monkeypatch, "my-reward = grue_rival:REWARD")
    with pytest.raises(UsageError, match="letters, digits and underscores"):
        grue.reward("my-reward")


def test_the_command_computes_a_plugins_reward(
    installed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert installed.is_dir()
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"prediction": "one two three four"}\n')
    assert run(["rewards", "compute", "riddle_brevity", str(rows), "--set", "riddle_brevity.words=2", "--json"]) == 0
    out = json.loads(capsys.readouterr().out)
    assert out["per_sample"] == {"riddle_brevity": [0.5]}
    assert run(["rewards", "show", "riddle_brevity"]) == 0
    assert "grue-riddles 1.2.0" in capsys.readouterr().out
