"""What pages say of ranges, bands, seeds, weights, naturalness, marks and corrections."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grue.runs.supersession import Supersession, write_supersession
from leaderboard_site.export import build_board
from tests.site.fake_runs import FakeTask, write_run


@pytest.fixture
def page(ranked_site: Any, read_html: Callable[[Path], Any]) -> Callable[[str], Any]:
    """A page of the board by its address."""
    return lambda address: read_html(ranked_site.board / address / "index.html")


def _flat(element: Any) -> str:
    return " ".join(element.text.split())


def _bands(html: Any) -> list[tuple[str, str]]:
    return [(one.text.removeprefix("Band "), one.attributes["rowspan"]) for one in html.find("th", class_="band")]


def test_bands_are_parted_and_labelled_and_a_run_without_rows_breaks_none(page: Callable[[str], Any]) -> None:
    html = page(".")
    assert _bands(html) == [("A", "1"), ("B", "2"), ("C", "1"), ("D", "1")]
    assert all(one.attributes["scope"] == "rowgroup" for one in html.find("th", class_="band"))
    (bare,) = [row for row in html.find("tr") if "no rows kept" in row.text and "imported" in row.text]
    assert _flat(bare).startswith("– no band4 no range: imdb: ")
    assert _bands(page("tasks/imdb")) == [("A", "1"), ("B", "2"), ("C", "1"), ("D", "1")]


def test_the_lead_says_whether_the_first_is_certain(page: Callable[[str], Any]) -> None:
    lead = page(".").one("p", class_="lead").text
    assert "6 entries (8 runs) on 7 tasks" in lead
    assert "On these tasks tarn-7b-sampled beats the next, alder-3b-a-name-that-goes-on-and-on, beyond chance." in lead


def test_an_entry_of_seeds_shows_mean_spread_and_number_and_links_each_run(page: Callable[[str], Any]) -> None:
    html = page(".")
    (cell,) = [one for one in html.find("th", scope="row", class_="stick") if "tarn-7b-sampled" in one.text]
    assert "mean of 3 seeds: seed 1 of tarn-7b-sampled, seed 2" in _flat(cell)
    for seed in (1, 2, 3):
        assert html.find("a", href=f"runs/03SEEDED{seed}/index.html")
    (row,) = [one for one in html.find("tr") if "mean of 3 seeds" in one.text]
    assert " sd " in _flat(row)
    run = page("runs/03SEEDED2")
    assert "One of 3 runs that stand as one entry, mean of 3 seeds." in _flat(run.one("p", class_="note"))
    assert "Rank 1 of 6, band A" in run.one("p", class_="lead").text
    assert any(_flat(one) == "1 of 6 (1–1)" for one in run.find("td", class_="n"))


def test_every_mark_is_shown_with_its_meaning(page: Callable[[str], Any]) -> None:
    key = page(".").one("ul", aria_label="Marks").text
    for text in (
        "verified we ran the checkpoint",
        "rescored we scored its predictions",
        "self-reported scores sent by the submitter",
        "imported values of another harness, as it reported them",
    ):
        assert text in key


def test_pictures_have_their_numbers_in_a_table_and_say_what_they_mean(page: Callable[[str], Any]) -> None:
    html = page(".")
    charts = [one for one in html.find("figure", class_="chart") if "Numbers behind this chart" in one.text]
    cost, natural, weights = charts
    assert "GRUE score against time" in cost.text
    assert "GRUE score against naturalness" in natural.text
    assert "alder-11b-encdec ◆ on the frontier" in _flat(natural)
    assert "tarn-7b-sampled is first in 100.0\u202f% of weightings: that it leads does not rest on" in weights.text
    assert "far-away0\u202f%" in weights.text
    assert "Quality against naturalness" in page("tasks/imdb").one("main").text


def test_json_says_why_something_is_missing(ranked_site: Any) -> None:
    rows = json.loads((ranked_site.board / "api/v1/leaderboard.json").read_text())["rows"]
    by_id = {row["run_id"]: row for row in rows}
    assert (by_id["03SEEDED1"]["seeds"], by_id["03SEEDED1"]["first_share"]) == (3, 1.0)
    assert by_id["03SEEDED1"]["scores"]["grue"]["sd"] > 0
    assert (by_id["03BARE"]["rank"], by_id["03BARE"]["rank_ci95"], by_id["03BARE"]["band"]) == (4, None, None)
    assert by_id["03BARE"]["rank_reason"].startswith("imdb: ")
    assert "rank_reason" not in by_id["03CLOSE"]
    marks = [row["mark"] for row in rows[:6]]
    assert marks == ["verified", "verified", "verified", "imported", "rescored", "self-reported"]


def test_the_cost_of_seeds_is_that_of_one_run(ranked_site: Any) -> None:
    rows = json.loads((ranked_site.board / "api/v1/leaderboard.json").read_text())["rows"]
    seeded, single = rows[0]["cost"], rows[1]["cost"]
    assert seeded["wall_seconds"] == pytest.approx(single["wall_seconds"])
    assert seeded["generated_tokens"] == single["generated_tokens"]
    assert seeded["seconds_per_1000_rows"] == pytest.approx(single["seconds_per_1000_rows"])


def _correct(folder: Path, old: str, new: str, reason: str) -> None:
    write_supersession(folder / new, Supersession(old, new, reason, "2026-11-21T08:00:00Z"))


def test_a_corrected_run_keeps_its_page_and_loses_its_rank(tmp_path: Path, read_html: Callable[[Path], Any]) -> None:
    runs, board = tmp_path / "runs", tmp_path / "board"
    for run_id, value in (("OLD", 90.0), ("NEW", 30.0), ("THIRD", 20.0)):
        write_run(runs, run_id, run_id.lower(), {"wmt16": FakeTask({"sacrebleu": value})})
    write_run(runs, "ALONE", "alone", {"imdb": FakeTask({"sacrebleu": 5.0}, source="folder")})
    _correct(runs, "OLD", "NEW", "its prompts were <b>wrong</b>")
    _correct(runs, "ALONE", "THIRD", "of another split")
    assert build_board([runs], board).skipped == ()
    rows = json.loads((board / "api/v1/leaderboard.json").read_text())["rows"]
    assert [(row["run_id"], row["rank"]) for row in rows] == [("NEW", 1), ("THIRD", 2)]
    index = read_html(board / "index.html")
    (listed,) = [one for one in index.find("li") if "superseded" in one.text]
    assert _flat(listed) == "old, superseded 2026-11-21 by another run: its prompts were <b>wrong</b>"
    old = read_html(board / "runs/OLD/index.html")
    assert "Superseded, so without a rank: its prompts were <b>wrong</b>" in old.one("p", class_="lead").text
    assert old.find("a", href="../../runs/NEW/index.html")
    assert "90.0" in old.one("main").text
    new = read_html(board / "runs/NEW/index.html")
    assert _flat(new.one("p", class_="note")) == "Counts instead of old: its prompts were <b>wrong</b>"
    document = json.loads((board / "api/v1/runs/OLD.json").read_text())
    assert document["superseded_by"]["run_id"] == "NEW"
    # A setting whose only run was corrected elsewhere is still there to be read.
    other = read_html(board / "settings/test/index.html")
    assert "alone, superseded" in other.one("main").text
    assert "Superseded" in read_html(board / "runs/ALONE/index.html").one("p", class_="lead").text
