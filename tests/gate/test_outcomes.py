"""What the gate answers about real runs: all outcomes with exit code, JUnit, Markdown and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

Grue = Callable[..., Any]


def _suite(path: Path) -> ET.Element:
    """The one suite of a JUnit file, its counts compared with what is in it."""
    top = ET.parse(path).getroot()
    assert top.tag == "testsuites"
    (suite,) = top.findall("testsuite")
    cases = suite.findall("testcase")
    assert int(suite.get("tests", "")) == len(cases) > 0
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.get(attribute, "")) == sum(case.find(tag) is not None for case in cases)
    for case in cases:
        assert case.get("classname")
        assert case.get("name")
        float(case.get("time", ""))
        # A test case has one of these at most.
        assert sum(case.find(tag) is not None for tag in ("failure", "error", "skipped")) <= 1
    return suite


def _table(page: str) -> list[list[str]]:
    """Rows of the Markdown table: each as many cells as its heading."""
    lines = [line for line in page.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.replace("\\|", "!").strip("|").split("|")] for line in lines]
    assert len({len(row) for row in rows}) == 1
    assert set("".join(rows[1])) <= set("-: ")
    return rows[2:]


def test_a_run_passes_against_itself(grue: Grue, random: Path, tmp_path: Path) -> None:
    junit, page = tmp_path / "gate.xml", tmp_path / "gate.md"
    answer = grue("gate", "--baseline", random, "--candidate", random, "--junit", junit, "--markdown", page, "--json")
    assert answer.code == 0
    assert answer.document["schema_version"] == 1
    assert answer.document["outcome"] == "pass"
    assert [(one["task"], one["name"]) for one in answer.document["checks"]] == [
        ("commongen", "cider_d"),
        ("narrativeqa", "rougeL"),
        ("wmt16", "sacrebleu"),
    ]
    for one in answer.document["checks"]:
        assert one["drop"] == 0
        assert one["difference_ci95"] == [0, 0]
        assert one["beyond_tolerance"] is False
    assert _suite(junit).get("tests") == "3"
    assert [row[1] for row in _table(page.read_text())] == ["commongen", "narrativeqa", "wmt16"]


def test_a_clear_drop_fails_and_says_of_what_it_is_beyond(
    grue: Grue, random: Path, constant: Path, tmp_path: Path
) -> None:
    junit, page = tmp_path / "gate.xml", tmp_path / "gate.md"
    answer = grue("gate", "--baseline", random, "--candidate", constant, "--junit", junit, "--markdown", page, "--json")
    assert answer.code == 1
    cider = answer.check("commongen", "cider_d")
    assert cider["outcome"] == "fail"
    assert cider["beyond_tolerance"] is True
    assert cider["beyond_noise"] is True
    assert "beyond the tolerance and beyond noise" in cider["message"]
    stored = [
        json.loads((run / "results.json").read_text())["tasks"]["commongen"]["metrics"] for run in (random, constant)
    ]
    assert (cider["baseline"], cider["candidate"]) == tuple(one["cider_d"]["value"] for one in stored)
    suite = _suite(junit)
    assert suite.get("failures") != "0"
    (case,) = [one for one in suite.findall("testcase") if one.get("name") == "cider_d"]
    failure = case.find("failure")
    assert failure is not None
    assert "beyond the tolerance and beyond noise" in failure.get("message", "")
    assert "❌" in page.read_text().splitlines()[1]


def test_a_drop_within_noise_is_cannot_tell_and_fails_only_when_asked(
    grue: Grue, random: Path, constant: Path, gate_file: Callable[[str], Path], tmp_path: Path
) -> None:
    """48 rows do not show that rougeL fell by 0.0003 the other way round; the same run says so with a warning."""
    config = gate_file("[gate.tasks.narrativeqa]\n")
    junit = tmp_path / "gate.xml"
    call = ("gate", "--baseline", constant, "--candidate", random, "--config", config, "--junit", junit)
    answer = grue(*call, "--json")
    assert answer.code == 0
    assert answer.document["outcome"] == "cannot tell"
    one = answer.check("narrativeqa", "rougeL")
    assert (one["beyond_tolerance"], one["beyond_noise"]) == (True, False)
    assert "warning: cannot tell: narrativeqa rougeL" in answer.err
    assert _suite(junit).get("skipped") == "1"
    assert grue(*call, "--uncertain", "fail").code == 1
    assert _suite(junit).get("failures") == "1"
    in_file = gate_file('[gate]\nuncertain = "fail"\n[gate.tasks.narrativeqa]\n')
    assert grue("gate", "--baseline", constant, "--candidate", random, "--config", in_file).code == 1


def test_a_drop_within_the_tolerance_passes_though_it_is_beyond_noise(
    grue: Grue, random: Path, constant: Path, gate_file: Callable[[str], Path]
) -> None:
    config = gate_file("[gate.tasks.commongen]\nmetrics = {cider_d = {max_drop = 9.5}}\n")
    answer = grue("gate", "--baseline", random, "--candidate", constant, "--config", config, "--json")
    assert answer.code == 0
    one = answer.check("commongen", "cider_d")
    assert (one["outcome"], one["beyond_noise"], one["allowed"]) == ("pass", True, 9.5)
    assert "within the tolerance, but beyond noise" in one["message"]


def test_a_relative_tolerance_is_a_share_of_the_baselines_value(
    grue: Grue, random: Path, constant: Path, gate_file: Callable[[str], Path]
) -> None:
    outcomes = {}
    for share in ("99%", "50 %"):
        config = gate_file(f'[gate.tasks.commongen]\nmetrics = {{cider_d = {{max_drop = "{share}"}}}}\n')
        answer = grue("gate", "--baseline", random, "--candidate", constant, "--config", config, "--json")
        one = answer.check("commongen", "cider_d")
        assert one["allowed"] == pytest.approx(float(share.strip(" %")) / 100 * one["baseline"])
        outcomes[share] = one["outcome"]
    # It lost nine tenths of its value: 0.072 to 0.007.
    assert outcomes == {"99%": "pass", "50 %": "fail"}


def test_other_rows_are_not_comparable_and_the_fields_are_named(
    grue: Grue, constant: Path, constant_short: Path, tmp_path: Path
) -> None:
    junit, page = tmp_path / "gate.xml", tmp_path / "gate.md"
    answer = grue(
        "gate", "--baseline", constant, "--candidate", constant_short, "--junit", junit, "--markdown", page, "--json"
    )
    assert answer.code == 4
    for one in answer.document["checks"]:
        assert one["outcome"] == "not comparable"
        assert one["fields"] == ["data_sha256", "prompts_sha256"]
    assert "data_sha256" in answer.err
    suite = _suite(junit)
    assert (suite.get("errors"), suite.get("failures")) == ("3", "0")
    assert {case.find("error").get("type") for case in suite.findall("testcase")} == {"not comparable"}  # type: ignore[union-attr]
    assert "not comparable" in page.read_text()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda task: task.update(version=7), "task_version"),
        (lambda task: task.update(split="validation"), "split"),
        (lambda task: task.update(prompts_sha256="0" * 64), "prompts_sha256"),
        (lambda task: task["metrics"].update(cider_d="cider_d|v:99"), "signature"),
    ],
)
def test_another_version_of_task_or_metric_is_not_comparable(
    grue: Grue,
    random: Path,
    constant: Path,
    copied: Callable[[Path], Path],
    change: Callable[[dict[str, Any]], None],
    field: str,
    tmp_path: Path,
) -> None:
    baseline = tmp_path / "baseline.json"
    assert grue("gate", "--baseline", baseline, "--candidate", random, "--update-baseline").code == 0
    _edit_baseline(baseline, lambda document: change(document["manifest"]["tasks"]["commongen"]))
    answer = grue("gate", "--baseline", baseline, "--candidate", constant, "--json")
    assert answer.code == 4
    assert answer.check("commongen", "cider_d")["fields"] == [field]
    assert f"error: {baseline}: commongen cider_d: not comparable: {field}: baseline " in answer.err


def _edit_baseline(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    from grue.core.run import checksum

    document = json.loads(path.read_text())
    change(document)
    document["checksum"] = checksum(document)
    path.write_text(json.dumps(document))


def _crash(run: Path) -> None:
    (run / "results.json").unlink()


def _tear(run: Path) -> None:
    content = (run / "results.json").read_bytes()
    (run / "results.json").write_bytes(content[: len(content) // 2])


def _tamper(run: Path) -> None:
    document = json.loads((run / "results.json").read_text())
    document["tasks"]["commongen"]["metrics"]["cider_d"]["value"] = 9.0
    (run / "results.json").write_text(json.dumps(document))


def _lose_rows(run: Path) -> None:
    (run / "samples" / "commongen.parquet").unlink()


def _newer(run: Path) -> None:
    document = json.loads((run / "results.json").read_text())
    (run / "results.json").write_text(json.dumps({**document, "schema_version": 99}))


@pytest.mark.parametrize("spoil", [_crash, _tear, _tamper, _lose_rows, _newer])
@pytest.mark.parametrize("role", ["baseline", "candidate"])
def test_a_run_that_cannot_be_read_is_infrastructure_and_never_red(
    grue: Grue,
    random: Path,
    constant: Path,
    copied: Callable[[Path], Path],
    spoil: Callable[[Path], None],
    role: str,
    tmp_path: Path,
) -> None:
    """The candidate would fail if it could be read."""
    sides = {"baseline": random, "candidate": constant}
    sides[role] = copied(sides[role])
    spoil(sides[role])
    junit, page = tmp_path / "gate.xml", tmp_path / "gate.md"
    answer = grue(
        "gate", "--baseline", sides["baseline"], "--candidate", sides["candidate"],
        "--junit", junit, "--markdown", page, "--json",
    )  # fmt: skip
    assert answer.code == 3
    assert answer.document["outcome"] == "infrastructure"
    assert str(sides[role]) in answer.err
    assert "Traceback" not in answer.err
    suite = _suite(junit)
    assert suite.get("failures") == "0"
    assert int(suite.get("errors", "")) >= 1
    assert "infrastructure" in page.read_text()


def test_a_partial_run_is_infrastructure(
    grue: Grue,
    random: Path,
    copied: Callable[[Path], Path],
    edited: Callable[[Path, Callable[[dict[str, Any]], None]], None],
) -> None:
    run = copied(random)

    def fail(document: dict[str, Any]) -> None:
        document["status"] = "partial"
        document["tasks"]["wmt16"].update(status="partial", error="out of memory")

    edited(run, fail)
    answer = grue("gate", "--baseline", random, "--candidate", run, "--json")
    assert answer.code == 3
    assert "wmt16 (out of memory)" in answer.err
    # What finished is still told.
    assert answer.check("commongen", "cider_d")["outcome"] == "pass"
    assert answer.check("wmt16", "sacrebleu")["outcome"] == "infrastructure"


def test_a_metric_that_is_absent_in_the_candidate_is_infrastructure(
    grue: Grue, random: Path, runs: Path, gate_file: Callable[[str], Path]
) -> None:
    path = runs / "few-metrics"
    call = ("eval", "-m", "null:random-reference", "-t", "commongen", "--data", "mini", "-o", path, "--quiet")
    assert grue(*call, "--metrics", "coverage").code == 0
    config = gate_file("[gate.tasks.commongen]\n")
    answer = grue("gate", "--baseline", random, "--candidate", path, "--config", config, "--json")
    assert answer.code == 3
    assert answer.check("commongen", "cider_d")["outcome"] == "infrastructure"


def test_a_task_that_the_candidate_lacks_is_not_comparable(grue: Grue, random: Path, runs: Path) -> None:
    path = runs / "one-task"
    assert grue("eval", "-m", "null:constant", "-t", "wmt16", "--data", "mini", "-o", path, "--quiet").code == 0
    answer = grue("gate", "--baseline", random, "--candidate", path, "--json")
    assert answer.code == 4
    assert answer.check("commongen", "cider_d")["fields"] == ["task"]
    answer = grue("gate", "--baseline", path, "--candidate", random, "--json")
    assert "commongen, narrativeqa" in "".join(answer.document["notes"])


def test_lower_is_better_turns_the_drop_round(
    grue: Grue, random: Path, constant: Path, gate_file: Callable[[str], Path]
) -> None:
    config = gate_file("[gate.tasks.wmt16]\nmetrics = {ter = {max_rise = 1}, sacrebleu = {}}\n")
    answer = grue("gate", "--baseline", random, "--candidate", constant, "--config", config, "--json")
    ter = answer.check("wmt16", "ter")
    assert ter["higher_is_better"] is False
    assert ter["drop"] == pytest.approx(ter["candidate"] - ter["baseline"])


def test_rates_are_tested_on_rows_and_costs_by_the_tolerance_alone(
    grue: Grue,
    causal: Path,
    copied: Callable[[Path], Path],
    edited: Callable[[Path, Callable[[dict[str, Any]], None]], None],
    gate_file: Callable[[str], Path],
) -> None:
    slower = copied(causal)

    def slow(document: dict[str, Any]) -> None:
        cost = document["tasks"]["commongen"]["cost"]
        cost["tokens_per_second"] /= 2
        cost["peak_memory_bytes"] *= 2

    edited(slower, slow)
    config = gate_file(
        """[gate.tasks.commongen]
        metrics = {}
        rates = {cut_output = {max_rise = 0.01}, empty = {}}
        cost = {tokens_per_second = {max_drop = "20%"}, peak_memory_bytes = {max_rise = "150%"}}
        """
    )
    answer = grue("gate", "--baseline", causal, "--candidate", slower, "--config", config, "--json")
    assert answer.code == 1
    speed = answer.check("commongen", "cost.tokens_per_second")
    assert (speed["outcome"], speed["beyond_noise"], speed["p"]) == ("fail", None, None)
    assert "judged by it alone" in speed["message"]
    assert answer.check("commongen", "cost.peak_memory_bytes")["outcome"] == "pass"
    cut = answer.check("commongen", "rates.cut_output")
    assert (cut["outcome"], cut["n"]) == ("pass", 48)


def test_exact_fails_for_any_number_that_moved(
    grue: Grue,
    random: Path,
    copied: Callable[[Path], Path],
    edited: Callable[[Path, Callable[[dict[str, Any]], None]], None],
    gate_file: Callable[[str], Path],
) -> None:
    config = gate_file("[gate.defaults]\nexact = true\n")
    assert grue("gate", "--baseline", random, "--candidate", random, "--config", config).code == 0
    run = copied(random)

    def nudge(document: dict[str, Any]) -> None:
        document["tasks"]["commongen"]["metrics"]["mean_length"]["value"] += 0.001

    edited(run, nudge)
    answer = grue("gate", "--baseline", random, "--candidate", run, "--config", config, "--json")
    assert answer.code == 1
    one = answer.check("commongen", "exact")
    assert one["outcome"] == "fail"
    assert "mean_length" in one["message"]
    assert answer.check("wmt16", "exact")["outcome"] == "pass"


def test_names_of_models_cannot_break_the_files(grue: Grue, runs: Path, tmp_path: Path) -> None:
    path = runs / "hostile"
    name = "<script>|`x`\x01 @someone\n# title"
    call = ("eval", "-m", "null:constant", "-t", "wmt16", "--data", "mini", "-o", path, "--quiet", "--name", name)
    assert grue(*call).code == 0
    junit, page = tmp_path / "gate.xml", tmp_path / "gate.md"
    answer = grue("gate", "--baseline", path, "--candidate", path, "--junit", junit, "--markdown", page)
    assert answer.code == 0
    _suite(junit)
    text = page.read_text()
    assert "<script>" not in text
    assert "\n# title" not in text
    assert "@someone" not in text


def test_the_terminal_shows_a_line_a_check_and_the_answer(grue: Grue, random: Path, constant: Path) -> None:
    answer = grue("gate", "--baseline", random, "--candidate", constant)
    lines = answer.out.splitlines()
    assert sum(line.startswith(("commongen  ", "narrativeqa  ", "wmt16  ")) for line in lines) == 3
    assert lines[-1].startswith("fail: of 3 checks")
