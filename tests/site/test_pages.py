"""What the pages say, read as HTML: headings, tables, sort state, marks, escaping."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ADVERSE = "<script>alert("


@pytest.fixture
def page(site: Any, read_html: Callable[[Path], Any]) -> Callable[[str], Any]:
    """A page of the board by its address."""
    return lambda address: read_html(site.board / address / "index.html")


def _names(html: Any) -> list[str]:
    return [
        re.sub(r"(verified|rescored|floor|ceiling|null system)$", "", element.text.strip())
        for element in html.find("th", scope="row", class_="stick")
    ]


def test_every_page_has_one_heading_landmarks_and_balanced_tags(site: Any, read_html: Callable[[Path], Any]) -> None:
    for path in sorted(site.board.rglob("*.html")):
        html = read_html(path)
        assert not html.unbalanced, path
        assert len(html.find("h1")) == 1, path
        assert html.one("main", id="main")
        assert html.one("nav", aria_label="Main")
        assert html.find("a")[0].attributes == {"class": "skip", "href": "#main"}
        assert html.one("html").attributes["lang"] == "en"
        assert next(e.text for e in html.find("title") if e.parents[-1] == "head").endswith(" · grue")
        ids = [element.attributes["id"] for element in html.elements if "id" in element.attributes]
        assert len(ids) == len(set(ids)), path


def test_every_table_has_scopes_and_a_name_and_scrolls_in_a_focusable_region(
    site: Any, read_html: Callable[[Path], Any]
) -> None:
    for path in sorted(site.board.rglob("*.html")):
        html = read_html(path)
        regions = html.find("div", role="region")
        assert len(regions) == len(html.find("table")), path
        assert all(region.attributes["tabindex"] == "0" and region.attributes["aria-label"] for region in regions)
        assert all(cell.attributes["scope"] in ("col", "row", "rowgroup") for cell in html.find("th")), path


def test_the_policy_forbids_all_but_the_stylesheet_and_nothing_is_inline(
    site: Any, read_html: Callable[[Path], Any]
) -> None:
    for path in sorted(site.board.rglob("*.html")):
        html = read_html(path)
        policy = html.one("meta", http_equiv="Content-Security-Policy").attributes["content"]
        assert policy == "default-src 'none'; style-src 'self'; img-src 'self'"
        assert not html.find("script")
        assert not html.find("style")
        assert not html.find("img")
        for element in html.elements:
            assert "style" not in element.attributes, path
            assert not [name for name in element.attributes if name.startswith("on")], path
            for name in ("src", "href", "action", "xlink:href"):
                is_outgoing = element.tag == "a" and name == "href"
                assert is_outgoing or not re.match(r"(?i)[a-z]+:|//", element.attributes.get(name, "")), path
            assert not element.attributes.get("href", "").lower().startswith(("javascript:", "data:"))


def test_the_board_ranks_runs_and_keeps_yardsticks_at_the_foot(page: Callable[[str], Any], site: Any) -> None:
    html = page(".")
    assert html.one("h1").text == "Leaderboard"
    names = _names(html)
    assert names[0].startswith("demo-seq2seq")
    assert names[-3:] == ["oracle:reference", "null:random-reference", "null:empty"]
    assert len(names) == 7
    assert "Yardsticks" in html.one("tbody", class_="yard").text
    first = html.find("tr")
    assert "4 runs on 3 tasks, mini rows, test split, whole." in html.one("p", class_="lead").text
    assert any("25.0 ±1.3" in row.text for row in first)


def test_an_absent_primary_is_named_in_the_column_and_never_shown_as_zero(page: Callable[[str], Any]) -> None:
    head = next(cell for cell in page(".").find("th", scope="col") if cell.text.startswith("CommonGen"))
    assert head.text == "CommonGenrougeLsumcider_d absent"


def test_a_result_of_another_task_version_keeps_its_number_without_a_rank(page: Callable[[str], Any]) -> None:
    assert "other task version" in page(".").one("table", class_="leaderboard").text
    group = [row.text for row in page("tasks/commongen").find("tr", class_="group")]
    assert group[0] == "Not ranked with the runs above: other task version."


def test_one_column_says_how_the_board_is_sorted_and_links_to_the_other_direction(page: Callable[[str], Any]) -> None:
    html = page(".")
    (current,) = [cell for cell in html.find("th") if "aria-sort" in cell.attributes]
    assert current.attributes["aria-sort"] == "ascending"
    assert current.text.startswith("Rank ↑")
    html = page("settings/mini-test/sort/wmt16")
    (current,) = [cell for cell in html.find("th") if "aria-sort" in cell.attributes]
    assert current.attributes["aria-sort"] == "descending"
    assert _names(html)[:4] == ["sent in", "demo-seq2seq", "demo-causal", _names(html)[3]]
    assert _names(page("settings/mini-test/sort/wmt16/reverse"))[3] == "sent in"


@pytest.mark.parametrize("direction", ["", "/reverse"])
def test_missing_values_come_last_in_both_directions(page: Callable[[str], Any], direction: str) -> None:
    names = _names(page(f"settings/mini-test/sort/a_private_task{direction}"))
    assert names[3] == "sent in"
    assert names[:3] == sorted(names[:3], key=names.index)


def test_the_picture_has_its_numbers_in_a_table_behind_it(page: Callable[[str], Any]) -> None:
    html = page(".")
    pictures = [one.attributes["aria-label"] for one in html.find("svg", role="img")]
    assert len([label for label in pictures if "against" not in label]) == 3
    behind = html.find("details")[0].text
    assert "wmt16" in behind.lower()
    assert "23.8 to 26.2" in behind
    assert all(element.attributes.get("aria-label") for element in html.find("svg", role="img"))


def test_a_subset_is_labelled_so(page: Callable[[str], Any]) -> None:
    html = page("settings/test-5")
    assert "A subset: test split, 5 rows a task." in html.one("p", class_="note").text
    menu = html.one("nav", aria_label="Setting")
    assert "mini rows, test split, whole 7 runs" in menu.text
    assert "test split, 5 rows a task 1 run" in menu.text


def test_hostile_names_and_texts_are_shown_as_text(page: Callable[[str], Any], site: Any) -> None:
    for address in (".", "runs/01HOSTILE", "runs/01HOSTILE/samples/wmt16", "tasks/wmt16"):
        text = (site.board / address / "index.html").read_text(encoding="utf-8")
        assert "<script" not in text
        assert "<img" not in text
        assert "&lt;script&gt;alert(" in text
    samples = page("runs/01HOSTILE/samples/wmt16")
    shown = samples.find("p", class_="text out")[0]
    assert shown.text.startswith("</p><script>alert(0)</script>")
    assert (shown.attributes["dir"], shown.attributes["lang"]) == ("auto", "de")


def test_marks_tell_what_we_ran_from_what_we_scored(page: Callable[[str], Any]) -> None:
    html = page(".")
    assert "rescored we scored its predictions" in html.one("ul", aria_label="Marks").text
    assert "rescored" in page("runs/01SENT").one("p", class_="lead").text
    assert not page("runs/01NULL0").find("span", class_="mark verified")


def test_a_run_page_gives_both_bounds_facts_command_and_checksums(page: Callable[[str], Any]) -> None:
    html = page("runs/01CAUSAL")
    assert "19.0 to 21.0" in html.one("main").text
    # Second of two, third of four, second of three.
    assert "Rank 2 of 4" in html.one("p", class_="lead").text
    assert "mean place 2.3" in html.one("p", class_="lead").text
    command = html.one("pre", aria_label="Command").text
    assert command.startswith("grue eval")
    assert "-m demo:causal" in command
    assert "apache-2.0, as declared" in html.one("main").text
    assert re.search(r"samples/wmt16\.parquetgenerations with their scores[0-9a-f]{64}", html.one("main").text)
    assert "cider_d is not installed" in html.one("main").text


def test_warnings_come_before_scores(
    make_run: Callable[..., Path], fake_task: Any, tmp_path: Path, read_html: Any
) -> None:
    from grue.core.run import Rates
    from leaderboard_site.export import build_board

    rates = Rates(empty=0.5, cut_prompt=0.0, cut_output=0.063)
    tasks = {"t": fake_task(rates=rates), "u": fake_task(status="partial", error="The disk was full.")}
    make_run("A", "a", tasks)
    build_board([tmp_path / "runs"], tmp_path / "board")
    html = read_html(tmp_path / "board" / "runs" / "A" / "index.html")
    note = html.one("div", class_="note warn").text
    assert "u is not finished. The disk was full." in note
    assert "Empty outputs: t 50.0\u202f%." in note
    assert "stop at the token limit, so their ends are missing: t 6.3\u202f%." in note
    order = [element.text for element in html.find("h2")]
    assert order.index("3 warnings") < order.index("Scores")


def test_samples_are_browsed_by_pages_of_fifty(page: Callable[[str], Any]) -> None:
    first = page("runs/01CAUSAL/samples/wmt16")
    assert len(first.find("article")) == 50
    assert "Rows 1 to 50 of 120" in first.one("nav", aria_label="Pages").text
    assert not first.find("a", rel="prev")
    assert first.one("a", rel="next").attributes["href"].endswith("samples/wmt16/page/2/index.html")
    last = page("runs/01CAUSAL/samples/wmt16/page/3")
    assert len(last.find("article")) == 20
    assert not last.find("a", rel="next")
    assert last.find("h2")[0].text == "row-0100"


def test_worst_first_and_best_first_sort_by_the_shown_metric(page: Callable[[str], Any]) -> None:
    def values(order: str) -> list[float]:
        html = page(f"runs/01CAUSAL/samples/wmt16/sort/{order}")
        return [float(re.match(r"sacrebleu([\d.]+)", facts.text.strip())[1]) for facts in html.find("dl")]  # type: ignore[index]

    assert values("worst") == sorted(values("worst"))
    assert values("best") == sorted(values("best"), reverse=True)
    assert max(values("worst")) <= min(values("best"))


def test_a_row_shows_prompt_references_prediction_scores_and_finish(page: Callable[[str], Any]) -> None:
    sample = page("runs/01CAUSAL/samples/commongen").find("article")[1].text
    for part in ("Translate to German: the river river 1", "der graue Fluss", "der river fluss 1", "length (cut)"):
        assert part in sample


def test_a_null_system_shows_the_rows_own_prompt(page: Callable[[str], Any]) -> None:
    assert "Translate to German: the grey" in page("runs/01NULL0/samples/commongen").find("article")[0].text


def test_texts_of_an_unknown_task_outside_the_package_stay_hidden(page: Callable[[str], Any]) -> None:
    html = page("runs/01SUBSET/samples/a_private_task")
    assert "the plugin of this task is not installed here" in html.one("p", class_="note").text
    article = html.find("article")[0].text
    assert "der grey fluss 0" in article
    assert "Translate" not in article
    assert "der graue Fluss" not in article
    shown = page("runs/01CAUSAL/samples/a_private_task")  # embedded rows are always shown
    assert "Translate" in shown.find("article")[0].text


def test_the_task_page_tells_what_it_is_and_links_to_samples(page: Callable[[str], Any]) -> None:
    html = page("tasks/wmt16")
    facts = html.find("dl", class_="facts")[0].text
    assert "sacrebleu|v:1" in facts
    assert html.find("section", class_="card-text")
    assert html.find("a", href="../../runs/01SEQ2SEQ/samples/wmt16/index.html")
    assert "Best sacrebleu of 4 runs: sent in with 30.0 ±1.5." in html.one("p", class_="lead").text
    unknown = page("tasks/a_private_task")
    assert "not installed here" in unknown.one("p", class_="lead").text


def test_lower_is_better_sorts_lowest_first(page: Callable[[str], Any]) -> None:
    html = page("tasks/wmt16/sort/ter")
    (current,) = [cell for cell in html.find("th") if "aria-sort" in cell.attributes]
    assert current.attributes["aria-sort"] == "ascending"
    assert _names(html)[0] == "sent in"


def test_the_index_lists_every_task(page: Callable[[str], Any]) -> None:
    assert len(page("tasks").find("th", scope="row")) == 3
