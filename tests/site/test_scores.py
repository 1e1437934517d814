"""What pages and documents say of runs with scores, validity reports and explanations."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grue.core.metric import Explanation, Part
from grue.core.run import checksum
from grue.runs.files import sha256_file
from leaderboard_site.export import build_board


@pytest.fixture
def page(scored_site: Any, read_html: Callable[[Path], Any]) -> Callable[[str], Any]:
    """A page of the scored board by its address."""
    return lambda address: read_html(scored_site.board / address / "index.html")


def _texts(html: Any, tag: str, **attributes: str) -> list[str]:
    return [" ".join(element.text.split()) for element in html.find(tag, **attributes)]


def test_runs_stand_in_the_order_of_their_grue_score(page: Callable[[str], Any], scored_site: Any) -> None:
    html = page("")
    board = json.loads((scored_site.board / "api/v1/leaderboard.json").read_text())
    assert [(row["run_id"], row["rank"]) for row in board["rows"]] == [
        ("02HIGH", 1),
        ("02LOW", 2),
        ("02NONE", None),
        ("02OLD", None),
        ("02OTHER", None),
    ]
    reasons = {row["run_id"]: row["rank_reason"] for row in board["rows"][2:]}
    assert reasons == {"02NONE": "no GRUE score", "02OLD": "no GRUE score", "02OTHER": "other rows or metrics"}
    assert _texts(html, "span", class_="warned") == ["1 warning"] * 4  # all but the run of an earlier version
    names = [text.split("verified")[0].strip() for text in _texts(html, "th", scope="row", class_="stick")]
    assert names == ["high", "low", "no score", "of an earlier version", "other rows"]
    assert "high has the highest GRUE score on the mini rows, 52.2, interval 50.8 to 53.2." in html.one("main").text


def test_the_score_of_a_mini_board_is_labelled_and_a_score_on_other_rows_is_not_ranked(
    page: Callable[[str], Any],
) -> None:
    main = " ".join(page("").one("main").text.split())
    assert "GRUEmini rows" in _texts(page(""), "th", scope="col")
    assert "99.0 ±1.5 other rows or metrics" in main
    assert "shows that everything works, not how good a model is" in main


def test_a_subset_gives_no_score_and_says_why(page: Callable[[str], Any], scored_site: Any) -> None:
    document = json.loads((scored_site.board / "api/v1/leaderboard/test-5.json").read_text())
    grue = document["rows"][0]["scores"]["grue"]
    assert grue["value"] is None
    assert grue["reason"] == "a subset of rows: the score is given on whole splits"
    assert "and it has no GRUE score" in page("settings/test-5").one("p", class_="note").text


def test_documents_carry_quality_and_naturalness(scored_site: Any) -> None:
    board = json.loads((scored_site.board / "api/v1/leaderboard.json").read_text())
    scores = board["rows"][0]["scores"]
    assert scores["grue"] == {"value": 52.25, "ci95": [50.75, 53.25]}
    assert scores["naturalness"]["value"] == 77.7
    assert scores["wmt16"]["quality"] == {"value": 50.0, "ci95": [48.0, 53.0]}
    task = json.loads((scored_site.board / "api/v1/leaderboard/mini-test/wmt16.json").read_text())
    by_id = {row["run_id"]: row["scores"] for row in task["rows"]}
    assert by_id["02HIGH"]["naturalness"]["value"] == 88.8
    assert by_id["02NONE"]["quality"]["reason"] == "the primary metric chrf has no value"


def test_a_run_says_its_scores_or_why_it_has_none(page: Callable[[str], Any]) -> None:
    assert "52.2 50.8 to 53.2" in " ".join(page("runs/02HIGH").one("dl", class_="scores").text.split())
    assert "tasks missing: imdb" in page("runs/02NONE").one("dl", class_="scores").text


def test_the_quality_table_has_floor_value_ceiling_and_null_systems(page: Callable[[str], Any]) -> None:
    html = page("runs/02HIGH")
    assert html.one("h2", id="quality")
    heads = _texts(html, "th", scope="col")
    assert [name for name in heads if name.startswith("null:")][:3] == [
        "null:empty",
        "null:constant",
        "null:copy-input",
    ]
    main = " ".join(html.one("main").text.split())
    assert "sacrebleu 2.0 35.0 60.0 0.0 – 1.5" in main.replace("2.035.060.00.0–1.5", " 2.0 35.0 60.0 0.0 – 1.5")
    assert "msttr 0.610 / –" in main
    assert "mean_length 9.5 / 11.0" in main


def test_the_validity_report_warns_on_top_and_unfolds_below(page: Callable[[str], Any], scored_site: Any) -> None:
    html = page("runs/02HIGH")
    assert "IWSLT 2017 en-de: half of the outputs <b>copy</b> the input." in html.one("div", class_="note warn").text
    assert html.one("h2", id="validity")
    assert len(html.find("details", class_="validity")) == 2
    table = html.one("table", class_="odd")
    assert "50.0\u202f% warning" in table.text
    assert "nothing odd" in table.text
    main = " ".join(html.one("main").text.split())
    assert "−0.25 (−0.50 to +0.10)" in main
    document = json.loads((scored_site.board / "api/v1/runs/02HIGH.json").read_text())
    assert document["validity"]["iwslt2017"]["degenerate"]["copied"]["count"] == 5
    assert document["tasks"]["wmt16"]["scores"]["null_systems"]["null:copy-input"]["chrf"] == 9.0


def test_a_run_of_an_earlier_version_has_none_of_these_sections(page: Callable[[str], Any], scored_site: Any) -> None:
    html = page("runs/02OLD")
    assert not html.find("h2", id="quality")
    assert not html.find("h2", id="validity")
    assert not html.find("dl", class_="scores")
    document = json.loads((scored_site.board / "api/v1/runs/02OLD.json").read_text())
    assert document["validity"] is None


def test_a_damaged_validity_report_leaves_the_run_and_is_said(
    make_run: Callable[..., Path], fake_task: Any, tmp_path: Path
) -> None:
    from leaderboard_site.export import build_board

    run = make_run("01BAD", "bad", {"wmt16": fake_task()})
    (run / "validity.json").write_text('{"schema_version": 1, "tasks": {"wmt16": {"n": "many"}}}')
    results = json.loads((run / "results.json").read_text())
    results["files"]["validity.json"] = sha256_file(run / "validity.json")
    results["checksum"] = checksum(results)
    (run / "results.json").write_text(json.dumps(results))
    report = build_board([run], tmp_path / "board")
    assert report.runs == 1
    assert ["n should be a whole number" in skipped.reason for skipped in report.skipped] == [True]


def test_a_task_prints_its_formula_with_floor_and_ceiling(page: Callable[[str], Any]) -> None:
    html = page("tasks/wmt16")
    formula = html.one("pre", class_="formula").text
    assert "100 × mean over sacrebleu, chrf of (value − floor) / (ceiling − floor)" in formula
    assert (
        "100 × mean over msttr, distinct_1, distinct_2, entropy_1, entropy_2, mean_length of min(x / r, r / x)"
        in formula
    )
    assert "sacrebleu|v:1" in html.one("main").text
    heads = _texts(html, "th", scope="col")
    assert "Quality0 to 100" in heads
    assert (page("tasks/wmt16/sort/quality")).one("th", aria_sort="descending").text.startswith("Quality")


def test_samples_unfold_explanations_without_script_and_escaped(page: Callable[[str], Any]) -> None:
    html = page("runs/02HIGH/samples/wmt16")
    assert not html.find("script")
    folded = html.find("details", class_="why")
    assert len(folded) == 7
    text = " ".join(folded[0].text.split())
    assert "1 of 2 words <b>match</b>. Reference 2 counted." in text
    assert "extra <script>alert(2)</script>" in text
    marks = [element.text for element in html.find("mark")]
    assert marks[:2] == ["fluss", "fluss"]
    assert [element.text for element in html.find("span", class_="miss")] == ["graue"] * 7
    assert "bleu0.250" in "".join(html.find("dl", class_="facts values")[1].text.split())


def test_explanations_stay_hidden_where_texts_may_not_be_shown(
    make_run: Callable[..., Path], fake_task: Any, tmp_path: Path
) -> None:
    why = Explanation(0.5, "half", None, (Part("words", (), ("secretword",)),))
    task = fake_task(explanations={"sacrebleu": why}, source="folder")
    run = make_run("01HIDDEN", "hidden", {"a_private_task": task})
    build_board([run], tmp_path / "board")
    assert not [path for path in (tmp_path / "board").rglob("*.*") if "secretword" in path.read_text(errors="replace")]
