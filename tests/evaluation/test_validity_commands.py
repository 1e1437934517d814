"""`grue validity` and `grue metrics explain` on a run of a policy that repeats the concepts, and on a file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from grue.cli.main import run
from grue.cli.validity import warning_lines
from grue.core.run import checksum
from grue.runs.validity import read_validity

SETS = [
    (["coral", "fish", "island"], "Bright fish swim around the coral near an island."),
    (["dog", "frisbee", "catch"], "My dog can catch any frisbee."),
    (["boat", "lake", "student"], "The student rows a boat across the lake."),
    (["field", "look", "stand"], "She stands in the field and looks at the clouds."),
    (["bride", "cake", "groom"], "The bride and her groom cut the cake together."),
    (["ball", "goal", "kick"], "He kicked the ball straight into the goal."),
]
METRICS = "rouge1,meteor"


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run directory of the policy."""
    folder = tmp_path_factory.mktemp("policy")
    (folder / "data" / "commongen").mkdir(parents=True)
    records = [{"concept_set_idx": n, "concepts": c, "target": t} for n, (c, t) in enumerate(SETS)]
    (folder / "data" / "commongen" / "test.jsonl").write_text("".join(json.dumps(one) + "\n" for one in records))
    lines = [
        {"task": "commongen", "id": str(n), "prediction": " ".join(concepts * 3)}
        for n, (concepts, _) in enumerate(SETS)
    ]
    (folder / "p.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    arguments = ["-t", "commongen", "--data", str(folder / "data"), "--metrics", METRICS, "-o", str(folder / "run")]
    assert run(["score", str(folder / "p.jsonl"), *arguments, "--quiet"]) == 0
    return folder / "run"


def _answer(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_the_policy_is_caught_in_json_and_in_words(scored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validity", str(scored), "--json"]) == 0
    document = _answer(capsys)
    assert document["severity"] == "warning"
    task = document["tasks"]["commongen"]
    assert task["degenerate"]["prompt_echoed"]["count"] == 6
    assert task["degenerate"]["repeated"]["severity"] == "warning"
    assert set(task["values"]) <= {"cider_d", "coverage", "rouge1", "meteor"}
    assert run(["validity", str(scored), "-t", "commongen"]) == 0
    assert "100.0 % of outputs go in circles (references: 0.0 %)" in capsys.readouterr().out


def test_the_end_of_a_run_says_its_warnings(scored: Path) -> None:
    report = read_validity(scored)
    assert report is not None
    head, *lines = warning_lines(report, "some run")
    assert head.endswith("see grue validity 'some run'")
    assert all(line.startswith(("! commongen: ", "! … and ")) for line in lines)
    assert 2 <= len(lines) <= 6


def test_a_run_without_a_stored_report_gets_one_made(
    scored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["validity", str(scored), "--json"]) == 0
    stored = _answer(capsys)
    old = shutil.copytree(scored, tmp_path / "old")
    (old / "validity.json").unlink()
    results = json.loads((old / "results.json").read_text())
    del results["files"]["validity.json"]
    results["checksum"] = checksum(results)
    (old / "results.json").write_text(json.dumps(results))
    assert run(["validity", str(old), "--json"]) == 0
    assert _answer(capsys) == stored


def test_an_unknown_task_is_refused_with_the_known_ones(scored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validity", str(scored), "-t", "comongen"]) == 2
    assert "Did you mean 'commongen'?" in capsys.readouterr().err


def test_a_row_of_a_run_is_explained_as_it_was_stored(scored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["metrics", "explain", "meteor", str(scored), "--row", "0", "--json"]) == 0
    document = _answer(capsys)
    assert document["row"] == "0"
    assert document["prediction"] == "coral fish island coral fish island coral fish island"
    lines = (scored / "samples" / "commongen.explain.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == [str(n) for n in range(6)]
    assert json.loads(lines[0])["explanations"]["meteor"] == document["explanation"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rows = [
        {"prediction": "the cat sat", "references": ["the cat lay", "a dog sat"]},
        {"id": "second", "prediction": "", "references": ["a dog"]},
        {"prediction": "nothing to compare"},
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize(("row", "shown"), [("1", "1"), ("second", "second"), ("2", "second")])
def test_a_row_of_a_file_is_named_by_its_id_or_its_number(
    file: Path, row: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["metrics", "explain", "rouge1", str(file), "--row", row, "--json"]) == 0
    assert _answer(capsys)["row"] == shown


def test_an_explanation_reads_as_matched_missing_and_extra(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["metrics", "explain", "rouge1", str(file), "--row", "1"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("rouge1 of row 1: 0.6667")
    assert "prediction: the cat sat" in said
    assert "reference (the one that counted): the cat lay" in said
    assert "the · cat" in said


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (["rouge1", "--row", "9"], "no row '9' among 3"),
        (["rouge1", "--row", "3"], "The row has no references, which rouge1 needs."),
        (["mean_length", "--row", "1"], "mean_length has no explanation"),
        (["rouge1", "--row", "1", "-t", "commongen"], "-t is for a run directory"),
        (["rouge9", "--row", "1"], "rouge9"),
    ],
)
def test_what_cannot_be_explained_is_refused_by_name(
    file: Path, arguments: list[str], cause: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name, *rest = arguments
    assert run(["metrics", "explain", name, str(file), *rest]) == 2
    assert cause in capsys.readouterr().err
