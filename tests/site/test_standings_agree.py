"""Real runs: the ranks, ranges and bands of JSON, pages, terminal and export are the same, and the same every time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grue.cli.main import run as command_line
from leaderboard_site.export import build_board

TASKS = "commongen,iwslt2017"
ROWS = ["--data", "mini", "-L", "20", "-t", TASKS, "--no-model-metrics", "--quiet", "--offline"]


@pytest.fixture(scope="module")
def real_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two null systems, both demo checkpoints, and one of them sampled with two seeds."""
    folder = tmp_path_factory.mktemp("real")
    for model in ("null:empty", "null:random-reference", "demo:causal", "demo:seq2seq"):
        assert command_line(["eval", "-m", model, "-o", str(folder / model.replace(":", "-")), *ROWS]) == 0
    for seed in ("1", "2"):
        call = ["eval", "-m", "demo:causal", "--name", "sampled", "--seed", seed, "-g", "temperature=1.0", *ROWS]
        assert command_line([*call, "-o", str(folder / f"sampled-{seed}")]) == 0
    return folder


@pytest.fixture(scope="module")
def board(real_runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Their board."""
    folder = tmp_path_factory.mktemp("board") / "board"
    assert build_board([real_runs], folder).skipped == ()
    return folder


def _json(board: Path, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((board / "api/v1" / f"{name}.json").read_text())["rows"]
    return rows


def _said(row: dict[str, Any]) -> tuple[str, str, str]:
    """Name, rank with range, and band, as people read them."""
    low, high = row["rank_ci95"]
    return row["name"], f"{row['rank']} {low}–{high}", row["band"]


def _on_page(html: Any) -> list[tuple[str, str, str]]:
    """The same from a ranking's table; a band's letter stands once, before its first row."""
    found = []
    band = ""
    rank = re.compile(r"(?:Band ([A-Z]+))?\s*(\d+) (\d+–\d+)\s*(?:mean [\d.]+)?\s*(\S+?)(?:verified|rescored)")
    for row in html.find("tr"):
        if cell := rank.match(_flat(row)):
            band = cell[1] or band
            found.append((cell[4], f"{cell[2]} {cell[3]}", band))
    return found


def _flat(element: Any) -> str:
    return " ".join(element.text.split())


def test_json_and_pages_agree(board: Path, read_html: Callable[[Path], Any]) -> None:
    rows = [row for row in _json(board, "leaderboard") if not row["yardstick"]]
    assert {row["name"] for row in rows} == {"demo:causal", "demo:seq2seq", "sampled"}
    assert _on_page(read_html(board / "index.html")) == [_said(row) for row in rows]
    for task in TASKS.split(","):
        of_task = [row for row in _json(board, f"leaderboard/mini-test-20/{task}") if not row["yardstick"]]
        assert _on_page(read_html(board / "tasks" / task / "index.html")) == [_said(row) for row in of_task]
        ranks = {row["run_id"]: (row["rank"], row["rank_ci95"], row["band"]) for row in of_task}
        for row in rows:
            score = row["scores"][task]
            assert (score["rank"], score["rank_ci95"], score["band"]) == ranks[row["run_id"]]


def test_ranks_lie_in_their_ranges_and_bands_follow_the_order(board: Path) -> None:
    for name in ("leaderboard", *(f"leaderboard/mini-test-20/{task}" for task in TASKS.split(","))):
        rows = [row for row in _json(board, name) if row["rank"]]
        assert [row["rank"] for row in rows] == sorted(row["rank"] for row in rows)
        assert all(row["rank_ci95"][0] <= row["rank"] <= row["rank_ci95"][1] <= len(rows) for row in rows)
        bands = [row["band"] for row in rows]
        assert bands[0] == "A"
        assert bands == sorted(bands)


def test_yardsticks_say_why_they_have_no_rank(board: Path) -> None:
    rows = [row for row in _json(board, "leaderboard") if row["yardstick"]]
    assert len(rows) == 2
    for row in rows:
        assert (row["rank"], row["rank_ci95"], row["band"]) == (None, None, None)
        assert row["rank_reason"] == "a yardstick is never ranked"


def test_the_terminal_shows_the_same(real_runs: Path, board: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for task in (None, *TASKS.split(",")):
        call = ["leaderboard", "show", "--results", str(real_runs), *(["-t", task] if task else [])]
        assert command_line(call) == 0
        lines = [re.split(r"\s{2,}", line.strip()) for line in capsys.readouterr().out.splitlines() if line.strip()]
        name = f"leaderboard/mini-test-20/{task}" if task else "leaderboard"
        rows = [row for row in _json(board, name) if not row["yardstick"]]
        shown = [tuple(cells[:3]) for cells in lines[1 : len(rows) + 1]]
        expected = [(rank.replace(" ", " (") + ")", band, name) for name, rank, band in map(_said, rows)]
        assert shown == expected
        assert command_line([*call, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["rows"] == _json(board, name)


def test_seeds_stand_as_one_row_with_links_to_each(board: Path, read_html: Callable[[Path], Any]) -> None:
    (row,) = [row for row in _json(board, "leaderboard") if row["name"] == "sampled"]
    assert row["seeds"] == 2
    assert [run["seed"] for run in row["runs"]] == [1, 2]
    score = row["scores"]["commongen"]
    values = []
    for run in row["runs"]:
        document = json.loads((board / f"api/v1/runs/{run['run_id']}.json").read_text())
        values.append(document["tasks"]["commongen"]["metrics"][score["metric"]]["value"])
    assert score["value"] == pytest.approx(sum(values) / 2)
    assert score["sd"] == pytest.approx(abs(values[0] - values[1]) / 2**0.5)
    html = read_html(board / "index.html")
    cell = next(_flat(one) for one in html.find("th", scope="row", class_="stick") if "sampled" in one.text)
    assert "mean of 2 seeds: seed 1 of sampled, seed 2 of sampled" in cell
    for run in row["runs"]:
        page = read_html(board / "runs" / run["run_id"] / "index.html")
        assert "One of 2 runs that stand as one entry, mean of 2 seeds." in _flat(page.one("p", class_="note"))


def test_equal_runs_give_equal_bytes(real_runs: Path, board: Path, tmp_path: Path) -> None:
    build_board([real_runs], tmp_path / "again")
    first, second = (
        {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
        for folder in (board, tmp_path / "again")
    )
    assert first == second


def test_another_sort_changes_no_rank(board: Path, read_html: Callable[[Path], Any]) -> None:
    expected = {name: (rank, band) for name, rank, band in _on_page(read_html(board / "index.html"))}
    for sort in ("name", "iwslt2017", "commongen/reverse"):
        html = read_html(board / "settings/mini-test-20/sort" / sort / "index.html")
        assert not html.find("th", class_="band")
        found = {}
        for row in html.find("tr"):
            if cell := re.match(r"([A-Z])\s*(\d+) (\d+–\d+)\s*(?:mean [\d.]+)?\s*(\S+?)verified", _flat(row)):
                found[cell[4]] = (f"{cell[2]} {cell[3]}", cell[1])
        assert found == expected
