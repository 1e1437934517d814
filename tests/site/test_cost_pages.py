"""Cost on the board: pages, their numbers worked out by hand, and how they look to a reader without eyes or script."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from grue.core.run import Cost, RunScores, ScoreValue
from leaderboard_site.export import build_board
from tests.chromium import assert_axe_finds_nothing

ROWS = 10
PAGES = (
    "index.html",
    "cost/against/time/index.html",
    "tasks/wmt16/index.html",
    "runs/02QUICK/index.html",
)


@dataclass
class CostSite:
    """A board of runs whose costs differ."""

    board: Path
    read: Callable[[Path], Any]

    def page(self, address: str) -> Any:
        return self.read(self.board / address)


def _cost(seconds: float, tokens: int, joules: float | None = None, **more: Any) -> Cost:
    return Cost(
        wall_seconds=seconds,
        prompt_tokens=500,
        generated_tokens=tokens,
        tokens_per_second=tokens / seconds,
        latency_ms_p50=100.0,
        latency_ms_p95=400.0,
        peak_memory_bytes=2_000_000_000,
        peak_memory_of="device",
        energy_joules=joules,
        energy_generations=ROWS if joules is not None else None,
        **more,
    )


@pytest.fixture(scope="session")
def cost_site(tmp_path_factory: pytest.TempPathFactory, read_html: Any, write_fake: Any) -> CostSite:
    """Four checkpoints on two tasks, predictions, a yardstick, and a run of an older version without costs."""
    folder = tmp_path_factory.mktemp("cost")

    def run(run_id: str, name: str, grue: float, level: float, costs: tuple[Cost, Cost], **more: Any) -> None:
        tasks = {
            task: write_fake.task({"sacrebleu": level}, ("sacrebleu",), n_rows=ROWS, cost=cost)
            for task, cost in zip(("iwslt2017", "wmt16"), costs, strict=True)
        }
        scores = RunScores(ScoreValue(grue, (grue - 1.5, grue + 1)), ScoreValue(77.7, None, "no interval"))
        write_fake.run(folder / "runs", run_id, name, tasks, scores=scores, **{"source": "folder", **more})

    # 3 s and 5 s for ten rows each: 8 s for 20 rows, 400 s for a thousand; 100 tokens in 3 s, 300 in 5 s.
    first = _cost(3.0, 100, 30.0, prefill_tokens_per_second=1000.0, first_row_seconds=2.5)
    second = _cost(
        5.0, 300, 50.0, prefill_tokens_per_second=500.0, first_row_seconds=3.5, flops=1e9, flops_utilization=0.1,
        device_peak_flops=2e9,
    )  # fmt: skip
    run("02QUICK", "quick", 40.0, 20.0, (first, second), parameters=1_000_000)
    run("02GOOD", "good", 60.0, 30.0, (_cost(30.0, 100, 90.0), _cost(50.0, 300, 90.0)), parameters=9_000_000)
    run("02BEATEN", "beaten", 35.0, 10.0, (_cost(9.0, 100), _cost(15.0, 300)), parameters=20_000_000)
    run("02HOSTILE", "<b>hostile</b>", 30.0, 9.0, (_cost(90.0, 100), _cost(150.0, 300)), parameters=30_000_000)
    run("02OLD", "old", 50.0, 25.0, (Cost(wall_seconds=7.0), Cost(wall_seconds=7.0)), parameters=None)
    free = Cost(wall_seconds=0.0)
    run("02SENT", "sent in", 70.0, 40.0, (free, free), kind="predictions", source="predictions")
    run("02NULL", "null:empty", 1.0, 1.0, (Cost(wall_seconds=0.1),) * 2, kind="null", source="null:empty")
    build_board([folder / "runs"], folder / "board")
    return CostSite(folder / "board", read_html)


def _lines(html: Any, label: str) -> list[list[str]]:
    """Rows of the table in the region of that label, a list of texts each."""
    inside, rows = False, []
    for element in html.elements:
        if element.tag == "div" and "region" in element.attributes.get("role", ""):
            inside = element.attributes.get("aria-label") == label
        elif inside and element.tag == "tr" and "tbody" in element.parents:
            rows.append([])
        elif inside and element.tag in ("td", "th") and rows and "tbody" in element.parents:
            rows[-1].append(" ".join(element.text.split()))
    return rows


def test_the_board_sets_its_score_against_time_and_names_the_frontier(cost_site: CostSite) -> None:
    html = cost_site.page("index.html")
    picture = html.one("svg", aria_label="GRUE score against time")
    assert "GRUE score of 4 runs against seconds for 1,000 rows." in picture.text
    assert "On the frontier: " in picture.text
    beside = {row[1].split()[0]: row for row in _lines(html, "GRUE score against time, as a table")}
    # 80 s for 20 rows; 8 s for 20 rows.
    assert beside["good"][2:] == ["60.0 ±1.5", "4 000"]
    assert beside["quick"][2:] == ["40.0 ±1.5", "400"]
    assert "on the frontier" in beside["good"][1]
    assert "on the frontier" in beside["quick"][1]
    assert "on the frontier" not in beside["beaten"][1]
    assert not {"sent", "old", "null:empty"} & set(beside), "without a cost there is no point"


@pytest.mark.parametrize(
    ("axis", "shown"),
    [
        # 400 tokens in 8 s and in 80 s.
        ("speed", {"quick": "50", "good": "5.0", "beaten": "17", "<b>hostile</b>": "1.7"}),
        # 80 J and 180 J for 20 rows.
        ("energy", {"quick": "4 000", "good": "9 000"}),
        ("size", {"quick": "1.0 M", "good": "9.0 M", "beaten": "20 M", "<b>hostile</b>": "30 M"}),
    ],
)
def test_each_cost_has_a_page_of_its_own(cost_site: CostSite, axis: str, shown: dict[str, str]) -> None:
    html = cost_site.page(f"cost/against/{axis}/index.html")
    rows = _lines(html, f"GRUE score against {axis}, as a table")
    found = {row[1].removesuffix(" on the frontier").removesuffix(" ◆"): row[3] for row in rows}
    assert {name: value for name, value in found.items() if name not in ("sent in", "old")} == shown
    current = html.one("nav", aria_label="Cost").text
    assert all(title in current for title in ("Time", "Speed", "Energy", "Size"))


def test_the_table_of_all_costs_sums_tasks_and_leaves_out_what_was_not_measured(cost_site: CostSite) -> None:
    rows = {
        row[0].removesuffix("verified").strip(): row
        for row in _lines(cost_site.page("cost/against/time/index.html"), "Costs of all runs, scrolls sideways")
    }
    # Prompts: 500 tokens at 1000 a second and 500 at 500: 1000 tokens in 1.5 s.
    assert rows["quick"][2:12] == [
        "400", "50", "667", "–", "100", "400", "2.5", "2.0 GB", "4 000", "–",
    ]  # fmt: skip
    assert set(rows["old"][2:12]) == {"–"}
    on_task = {
        row[0].removesuffix("verified").strip(): row
        for row in _lines(
            cost_site.page("tasks/wmt16/cost/against/time/index.html"), "Costs of all runs, scrolls sideways"
        )
    }
    assert on_task["quick"][2:12] == [
        "500", "60", "500", "–", "100", "400", "3.5", "2.0 GB", "5 000", "10.0 %",
    ]  # fmt: skip


def test_a_task_has_its_picture_and_a_run_its_costs(cost_site: CostSite) -> None:
    html = cost_site.page("tasks/wmt16/index.html")
    (picture,) = (one for one in html.find("svg", role="img") if "against time" in one.attributes["aria-label"])
    assert "sacrebleu of 4 runs against seconds for 1,000 rows" in picture.text
    names = {row[1].split()[0] for row in _lines(html, f"{picture.attributes['aria-label']}, as a table")}
    assert names == {"quick", "good", "beaten", "<b>hostile</b>"}
    lines = _lines(cost_site.page("runs/02QUICK/index.html"), "Cost, scrolls sideways")
    assert [line[0] for line in lines][-1] == "All tasks"
    assert lines[-1][1:3] == ["400", "50"]
    assert _lines(cost_site.page("runs/02NULL/index.html"), "Cost, scrolls sideways") == []


def test_energy_has_a_column_only_where_it_was_measured(cost_site: CostSite, site: Any, read_html: Any) -> None:
    assert "Energy" in cost_site.page("index.html").one("table", class_="leaderboard").text
    assert "Energy" not in read_html(site.board / "index.html").one("table", class_="leaderboard").text
    assert not (site.board / "cost/against/energy").exists()


def test_the_document_holds_the_costs_of_the_pages(cost_site: CostSite) -> None:
    rows = json.loads((cost_site.board / "api/v1/leaderboard.json").read_text())["rows"]
    cost = {row["name"]: row["cost"] for row in rows}
    assert cost["quick"]["seconds_per_1000_rows"] == pytest.approx(400.0)
    assert cost["quick"]["joules_per_1000_rows"] == pytest.approx(4000.0)
    assert cost["quick"]["wall_seconds"] == pytest.approx(8.0)
    assert cost["old"]["seconds_per_1000_rows"] is None


def test_names_are_shown_as_text(cost_site: CostSite) -> None:
    for address in PAGES:
        assert "<b>hostile" not in (cost_site.board / address).read_text(encoding="utf-8")


def test_one_run_alone_gives_a_sentence_for_a_picture(
    make_run: Callable[..., Path], fake_task: Any, read_html: Any, tmp_path: Path
) -> None:
    make_run("02ONE", "alone", {"wmt16": fake_task({"sacrebleu": 20.0}, cost=_cost(3.0, 100))})
    build_board([tmp_path / "runs"], tmp_path / "board")
    html = read_html(tmp_path / "board/tasks/wmt16/index.html")
    assert "Only one run has a score and seconds for 1,000 rows here; a picture needs 2." in html.one("main").text


@pytest.mark.long
@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1600, "light")])
def test_axe_finds_nothing_and_nothing_overlaps_or_sticks_out(
    cost_site: CostSite, browser: Any, width: int, scheme: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    tab = context.new_page()
    for address in PAGES:
        tab.goto((cost_site.board / address).as_uri())
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, address
        boxes = tab.evaluate(
            "[...document.querySelectorAll('.cost svg .halo')].map(one => one.getBoundingClientRect().toJSON())"
        )
        frame = tab.evaluate(
            "(document.querySelector('.cost figure') || document.body).getBoundingClientRect().toJSON()"
        )
        for index, one in enumerate(boxes):
            assert frame["left"] <= one["left"] <= one["right"] <= frame["right"], address
            for other in boxes[index + 1 :]:
                apart = one["right"] <= other["left"] + 1 or other["right"] <= one["left"] + 1
                assert apart or one["bottom"] <= other["top"] + 3 or other["bottom"] <= one["top"] + 3, address
        assert_axe_finds_nothing(tab, address)
    context.close()
