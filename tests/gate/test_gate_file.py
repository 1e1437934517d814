"""Gate files: what they may say, and that every other word is an error with file and key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grue.gate.rules import Rules
from grue.gate.rules_file import GateFileError, read_rules
from grue.gate.tolerance import Tolerance, parse_tolerance

Grue = Callable[..., Any]


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        ("[gates]", "gates", "Did you mean 'gate'?"),
        ("", "", "no table [gate]"),
        ("gate = 3", "gate", "should be a table"),
        ("[gate", "", "TOML"),
        ("[gate]\nlevle = 0.1", "gate.levle", "Did you mean 'level'?"),
        ("[gate]\nlevel = 0", "gate.level", "between 0 and"),
        ("[gate]\nlevel = true", "gate.level", "between 0 and"),
        ('[gate]\nlevel = "5%"', "gate.level", "between 0 and"),
        ('[gate]\nuncertain = "maybe"', "gate.uncertain", "warn, fail"),
        ("[gate]\nbaseline = 3", "gate.baseline", "a path"),
        ("[gate.defaults]\nmaxdrop = 0.1", "gate.defaults.maxdrop", "Did you mean 'max_drop'?"),
        ("[gate.defaults]\nmax_drop = -1", "gate.defaults.max_drop", "0 or more"),
        ("[gate.defaults]\nmax_drop = inf", "gate.defaults.max_drop", "0 or more"),
        ("[gate.defaults]\nmax_drop = nan", "gate.defaults.max_drop", "0 or more"),
        ('[gate.defaults]\nmax_drop = "2"', "gate.defaults.max_drop", "0 or more"),
        ("[gate.defaults]\nmax_drop = true", "gate.defaults.max_drop", "0 or more"),
        ("[gate.defaults]\nexact = 1", "gate.defaults.exact", "true or false"),
        ("[gate.defaults]\nmetrics = {}", "gate.defaults.metrics", "unknown key"),
        ("[gate.tasks]\ncommongen = 1", "gate.tasks.commongen", "should be a table"),
        ("[gate.tasks.commongen]\nmetric = {}", "gate.tasks.commongen.metric", "Did you mean 'metrics'?"),
        ("[gate.tasks.commongen]\nmetrics = 3", "gate.tasks.commongen.metrics", "a table or a list"),
        (
            "[gate.tasks.commongen]\nmetrics = {cider_d = 0.1}",
            "gate.tasks.commongen.metrics.cider_d",
            "should be a table",
        ),
        (
            "[gate.tasks.commongen]\nmetrics = {cider_d = {maxdrop = 0.1}}",
            "gate.tasks.commongen.metrics.cider_d.maxdrop",
            "Did you mean 'max_drop'?",
        ),
        (
            "[gate.tasks.commongen]\nmetrics = {cider_d = {max_drop = 1, max_rise = 1}}",
            "gate.tasks.commongen.metrics.cider_d.max_rise",
            "say the same",
        ),
        ("[gate.tasks.commongen]\nrates = {cut_ouput = {}}", "gate.tasks.commongen.rates.cut_ouput", "'cut_output'"),
        (
            "[gate.tasks.commongen]\ncost = {tokens_per_second = {}}",
            "gate.tasks.commongen.cost.tokens_per_second.max_drop",
            "needs a tolerance",
        ),
        (
            "[gate.tasks.commongen]\ncost = {tokens_per_second = {max_rise = 1}}",
            "gate.tasks.commongen.cost.tokens_per_second.max_rise",
            "should be high",
        ),
        ("[gate.tasks.comongen]", "gate.tasks.comongen", "Did you mean 'commongen'?"),
        ("[gate.tasks.imdb]", "gate.tasks.imdb", "the baseline has no task"),
        (
            "[gate.tasks.commongen]\nmetrics = {cidr_d = {}}",
            "gate.tasks.commongen.metrics.cidr_d",
            "Did you mean 'cider_d'?",
        ),
        (
            "[gate.tasks.commongen]\nmetrics = {sari = {}}",
            "gate.tasks.commongen.metrics.sari",
            "no metric 'sari'",
        ),
        (
            "[gate.tasks.commongen]\nmetrics = {mean_length = {}}",
            "gate.tasks.commongen.metrics.mean_length",
            "has no direction",
        ),
        (
            "[gate.tasks.commongen]\nmetrics = {bertscore = {}}",
            "gate.tasks.commongen.metrics.bertscore",
            "absent in the baseline",
        ),
        ("[gate.tasks.commongen]\nrewards = {spidr = {}}", "gate.tasks.commongen.rewards.spidr", "'spider'"),
    ],
)
def test_every_fault_names_file_and_key_and_nothing_is_written(
    grue: Grue,
    random: Path,
    constant: Path,
    gate_file: Callable[[str], Path],
    tmp_path: Path,
    text: str,
    key: str,
    said: str,
) -> None:
    config = gate_file(text)
    junit, page = tmp_path / "gate.xml", tmp_path / "gate.md"
    answer = grue(
        "gate", "--baseline", random, "--candidate", constant, "--config", config, "--junit", junit, "--markdown", page
    )
    assert answer.code == 2
    assert answer.err.startswith(f"error: {config}: {key}: " if key else f"error: {config}: ")
    assert said in answer.err
    assert not junit.exists()
    assert not page.exists()


def test_a_file_that_is_not_there_or_no_text_is_named(grue: Grue, random: Path, tmp_path: Path) -> None:
    path = tmp_path / "gate.toml"
    assert grue("gate", "--baseline", random, "--candidate", random, "--config", path).code == 2
    path.write_bytes(b"\xff")
    answer = grue("gate", "--baseline", random, "--candidate", random, "--config", path)
    assert answer.code == 2
    assert "is not UTF-8" in answer.err


def test_without_a_file_the_level_is_five_percent_and_the_tolerance_nothing() -> None:
    rules = Rules()
    assert (rules.level, rules.uncertain) == (0.05, "warn")
    asked = rules.of("anything")
    assert asked is not None
    assert asked.max_drop == Tolerance(0.0)


def test_named_tasks_are_the_gate_unless_defaults_are_written(gate_file: Callable[[str], Path]) -> None:
    assert read_rules(gate_file("[gate.tasks.commongen]")).of("wmt16") is None
    rules = read_rules(gate_file("[gate.defaults]\nmax_drop = '1%'\n[gate.tasks.commongen]\nmax_drop = 0.5"))
    others, commongen = rules.of("wmt16"), rules.of("commongen")
    assert others is not None
    assert others.max_drop == Tolerance(0.01, is_relative=True)
    assert commongen is not None
    assert commongen.max_drop == Tolerance(0.5)


def test_what_the_defaults_name_holds_for_named_tasks_too(gate_file: Callable[[str], Path]) -> None:
    rules = read_rules(
        gate_file(
            """[gate.defaults]
            cost = {tokens_per_second = {max_drop = "10%"}}
            exact = true
            [gate.tasks.commongen]
            cost = {peak_memory_bytes = {max_rise = "5%"}}
            """
        )
    )
    commongen = rules.of("commongen")
    assert commongen is not None
    assert commongen.exact
    assert list(commongen.named["cost"]) == ["tokens_per_second", "peak_memory_bytes"]


def test_paths_in_a_gate_file_count_from_its_folder(gate_file: Callable[[str], Path]) -> None:
    path = gate_file('[gate]\nbaseline = "gates/base.json"\ncandidate = "/runs/new"')
    rules = read_rules(path)
    assert rules.baseline == path.parent / "gates" / "base.json"
    assert rules.candidate == Path("/runs/new")


def test_a_gate_file_may_name_both_runs(
    grue: Grue, random: Path, constant: Path, gate_file: Callable[[str], Path]
) -> None:
    config = gate_file(f'[gate]\nbaseline = "{random}"\ncandidate = "{constant}"')
    assert grue("gate", "--config", config).code == 1
    assert grue("gate", "--config", config, "--candidate", random).code == 0
    assert grue("gate", "--candidate", random).code == 2


def test_metrics_may_be_a_list(gate_file: Callable[[str], Path]) -> None:
    rules = read_rules(gate_file('[gate.tasks.commongen]\nmax_drop = "3%"\nmetrics = ["coverage", "meteor"]'))
    task = rules.of("commongen")
    assert task is not None
    assert dict(task.named["metrics"]) == {"coverage": None, "meteor": None}


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        (0, (0.0, False)),
        (0.02, (0.02, False)),
        ("2%", (0.02, True)),
        (" 12.5 % ", (0.125, True)),
        ("100%", (1.0, True)),
    ],
)
def test_tolerances(value: object, amount: tuple[float, bool]) -> None:
    found = parse_tolerance(value)
    assert found is not None
    assert (found.amount, found.is_relative) == pytest.approx(amount)


def test_errors_are_errors_of_the_call(gate_file: Callable[[str], Path]) -> None:
    with pytest.raises(GateFileError) as caught:
        read_rules(gate_file("[gate]\nx = 1"))
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--uncertain", "perhaps"), "neither warn nor fail"),
        (("-m", "null:empty"), "-m does nothing without --sequential"),
        (("--device", "cpu"), "--device does nothing"),
        (("--sequential",), "Name a model with -m"),
        (("--junit", "no/such/folder/x.xml"), "folder does not exist"),
    ],
)
def test_wrong_calls(grue: Grue, random: Path, arguments: tuple[str, ...], said: str) -> None:
    answer = grue("gate", "--baseline", random, "--candidate", random, *arguments)
    assert answer.code == 2
    assert said in answer.err


def test_a_candidate_that_is_not_there_is_a_wrong_call(grue: Grue, random: Path, tmp_path: Path) -> None:
    answer = grue("gate", "--baseline", random, "--candidate", tmp_path / "none")
    assert answer.code == 2
    (tmp_path / "empty").mkdir()
    # A folder without results is a crashed run.
    assert grue("gate", "--baseline", random, "--candidate", tmp_path / "empty").code == 3
