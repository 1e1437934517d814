"""`grue export` and `grue.leaderboard`: the rows and ranks of the board's own documents."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import grue as api
from grue.runs.read import read_run


@pytest.fixture
def page(grue: Callable[..., Any], made: Path, tmp_path: Path) -> Path:
    """The JSON documents of the built board."""
    assert grue("leaderboard", "build", "--results", made, "--out", tmp_path / "board").code == 0
    return tmp_path / "board" / "api" / "v1"


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_json_is_the_document_of_the_page(grue: Callable[..., Any], made: Path, page: Path) -> None:
    assert grue("export", "--results", made, "--json").document == json.loads((page / "leaderboard.json").read_text())
    task = grue("export", "--results", made, "-t", "commongen", "--format", "json").document
    assert task == json.loads((page / "leaderboard/mini-test/commongen.json").read_text())


def test_csv_has_rows_ranks_and_numbers_of_the_page(grue: Callable[..., Any], made: Path, page: Path) -> None:
    rows = _rows(grue("export", "--results", made, "--format", "csv").out)
    theirs = json.loads((page / "leaderboard.json").read_text())["rows"]
    assert [row["run_id"] for row in rows] == [row["run_id"] for row in theirs]
    assert [row["rank"] for row in rows] == ["" if row["rank"] is None else str(row["rank"]) for row in theirs]
    for row, other in zip(rows, theirs, strict=True):
        score = other["scores"]["commongen"]
        assert float(row["commongen.cider_d"]) == score["value"]
        assert float(row["commongen.cider_d_ci95_low"]) == score["ci95"][0]
        assert row["commongen.cider_d.rank"] == ("" if score["rank"] is None else str(score["rank"]))


def test_equal_runs_share_ranks_and_bold(grue: Callable[..., Any], made: Path) -> None:
    """``again`` scores the very predictions of ``run0``, which name concepts; those of ``run1`` do not."""
    rows = _rows(grue("export", "--results", made, "-t", "commongen", "--format", "csv").out)
    assert {row["name"].strip("'"): row["rank"] for row in rows} == {
        "good": "1",
        "good, again": "1",
        "=cmd|' /C calc'!A0": "3",
        "null:random-reference": "",
    }
    lines = grue("export", "--results", made, "-t", "commongen", "--format", "latex").out.splitlines()
    bold = {name: next(line for line in lines if f"& {name} &" in line) for name in ("good", "good, again")}
    assert bold["good"].count(r"\textbf") >= bold["good, again"].count(r"\textbf") >= 1
    other = next(line for line in lines if "=cmd" in line)
    assert r"\textbf" not in other.split("&")[4], "its number is not the best"


def test_a_name_is_no_formula(grue: Callable[..., Any], made: Path) -> None:
    text = grue("export", "--results", made, "--format", "csv").out
    assert "'=cmd|' /C calc'!A0" in text
    assert ",=cmd" not in text
    assert r"=cmd\textbar{}" in grue("export", "--results", made, "--format", "latex").out
    assert "=cmd\\|" in grue("export", "--results", made, "--format", "markdown").out


def test_a_frame_from_python_has_the_same_rows(grue: Callable[..., Any], made: Path) -> None:
    found = api.leaderboard(made)
    rows = _rows(grue("export", "--results", made).out)
    assert list(found.columns) == list(rows[0])
    assert list(found["run_id"]) == [row["run_id"] for row in rows]
    assert found["commongen.cider_d"].tolist() == [float(row["commongen.cider_d"]) for row in rows]
    assert api.leaderboard([made / "run0", made / "run1"], task="commongen")["rank"].max() == 2


def test_named_runs_are_a_board_of_their_own(grue: Callable[..., Any], made: Path) -> None:
    rows = _rows(grue("export", made / "run1", made / "null").out)
    assert {row["name"] for row in rows} == {"'=cmd|' /C calc'!A0", "null:random-reference"}
    by_id = grue("export", read_run(made / "run0").manifest["run_id"], "--results", made)
    assert [row["name"] for row in _rows(by_id.out)] == ["good"]


def test_all_values_of_a_run_are_those_of_its_results(grue: Callable[..., Any], made: Path) -> None:
    rows = _rows(grue("export", made / "run0", "--all").out)
    found = {(row["task"], row["metric"]): row for row in rows}
    results = read_run(made / "run0").results
    for task, result in results["tasks"].items():
        for name, value in result["metrics"].items():
            row = found[task, name]
            assert (float(row["value"]) if row["value"] else None) == value["value"]
            assert (float(row["ci95_high"]) if row["ci95_high"] else None) == (value["ci95"] or [None, None])[1]
            assert row["signature"] == (value["signature"] or "")
            assert row["reason"] == value.get("reason", "")
    document = grue("export", made / "run0", "--all", "--json").document
    assert document["schema_version"] == 1
    assert len(document["rows"]) == len(rows)


def test_output_goes_by_its_suffix(grue: Callable[..., Any], made: Path, tmp_path: Path) -> None:
    answer = grue("export", "--results", made, "-o", tmp_path / "table.tex")
    assert answer.code == 0
    assert answer.out == ""
    assert r"\toprule" in (tmp_path / "table.tex").read_text()


def test_other_settings_are_said_and_chosen(grue: Callable[..., Any], made: Path, tmp_path: Path) -> None:
    few = [
        "eval",
        "-m",
        "null:empty",
        "-t",
        "commongen",
        "--data",
        "mini",
        "-L",
        "5",
        "--quiet",
        "-o",
        tmp_path / "few",
    ]
    assert grue(*few).code == 0
    whole = grue("export", made / "run0", tmp_path / "few")
    assert len(_rows(whole.out)) == 1
    assert "--setting mini-test-5" in whole.err
    cut = grue("export", made / "run0", tmp_path / "few", "--setting", "mini-test-5")
    assert [row["name"] for row in _rows(cut.out)] == ["null:empty"]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["-t", "comongen"], "Did you mean 'commongen'"),
        (["--setting", "mini-tset"], "Did you mean 'mini-test'"),
        (["--format", "excel"], "excel"),
        (["--format", "csv", "--json"], "two formats"),
        (["--about", "a=b"], "--about goes with"),
        (["--all", "--setting", "mini-test"], "--setting"),
    ],
)
def test_wrong_calls_are_named(grue: Callable[..., Any], made: Path, words: list[str], problem: str) -> None:
    answer = grue("export", "--results", made, *words)
    assert answer.code == 2
    assert problem in answer.err
    assert answer.out == ""


def test_a_broken_run_is_skipped_among_many_and_refused_alone(
    grue: Callable[..., Any], made: Path, tmp_path: Path
) -> None:
    runs = shutil.copytree(made, tmp_path / "runs")
    path = runs / "run1" / "results.json"
    path.write_text(path.read_text().replace('"status": "finished"', '"status": "finisht"', 1))
    among = grue("export", "--results", runs)
    assert among.code == 3
    assert "run1" in among.err
    assert "checksum" in among.err
    assert "good" in {row["name"] for row in _rows(among.out)}
    alone = grue("export", runs / "run1")
    assert alone.code == 2
    assert "checksum" in alone.err
    assert alone.out == ""


def test_no_runs_are_an_empty_table(grue: Callable[..., Any], tmp_path: Path) -> None:
    answer = grue("export", "--results", tmp_path)
    assert answer.code == 0
    assert answer.out.startswith("rank,")
    assert grue("export", "--results", tmp_path, "--json").document["rows"] == []
