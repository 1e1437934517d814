"""The compare page: which runs it takes, what it says of them, and what it costs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest

from leaderboard_site import comparing
from leaderboard_site.web import compare_pages
from tests.service.serving import Served, served
from tests.service.written_runs import Line, Written, write_lines
from tests.site.parsed import Html

N_ROWS = 40


def _lines(by: float, *, texts: str = "text", prompt: str = "prompt") -> list[Line]:
    """Rows with a value of 0.3 and something that alternates, all moved by so much."""
    return [
        Line(f"r{n:02d}", f"{texts} {n}", {"chrf": 0.3 + 0.05 * (n % 3) + by}, f"{prompt} {n}", (f"reference {n}",))
        for n in range(N_ROWS)
    ]


def _moved() -> list[Line]:
    """The rows of the baseline, of which three moved by hand."""
    lines = _lines(0.0)
    for at, by in ((5, 0.4), (11, -0.2), (20, 0.1)):
        scores = {"chrf": (lines[at].scores["chrf"] or 0.0) + by}
        lines[at] = Line(lines[at].id, f"changed words {at}", scores, lines[at].prompt, lines[at].references)
    return lines


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    runs = tmp_path_factory.mktemp("written")
    write_lines(runs, "05BASE", "base", wmt16=Written(_lines(0.0)), commongen=Written(_lines(0.0)))
    better, worse = Written(_lines(0.2, texts="better")), Written(_lines(-0.1, texts="worse"))
    write_lines(runs, "05MIXED", "mixed", wmt16=better, commongen=worse)
    write_lines(runs, "05MOVED", "moved <b>", wmt16=Written(_moved()), commongen=Written(_lines(0.0)))
    write_lines(runs, "05SAME", "same", wmt16=Written(_lines(0.0)), commongen=Written(_lines(0.0)))
    other = Written(_lines(0.1, prompt="another prompt"), version=2)
    write_lines(runs, "05OTHER", "other", wmt16=other, commongen=Written(_lines(0.0)))
    signature = Written(_lines(0.1), signatures={"chrf": "chrf|nc:9|v:1"})
    write_lines(runs, "05SIGNED", "signed", wmt16=signature)
    write_lines(runs, "05SIXTH", "sixth", wmt16=Written(_lines(0.0)), commongen=Written(_lines(0.0)))
    secret = [Line(line.id, line.prediction, line.scores, "SECRETPROMPT") for line in _lines(0.0)]
    write_lines(runs, "05KEPT1", "kept one", a_private_task=Written(secret, source="folder"))
    kept = [Line(line.id, f"k {line.id}", {"chrf": 0.9}, "SECRETPROMPT") for line in secret]
    write_lines(runs, "05KEPT2", "kept two", a_private_task=Written(kept, source="folder"))
    for run_id in ("05HUSH1", "05HUSH2"):
        lines = [Line(line.id, f"guess {run_id}", {"chrf": len(run_id) / 10}, "SECRETPROMPT") for line in secret]
        lines[0].scores = {"chrf": 0.1 if run_id == "05HUSH1" else 0.9}
        write_lines(runs, run_id, run_id.lower(), wmt16=Written(lines, split="hush"))
    write_lines(runs, "05GERMAN", "german only", wmt16=Written(_lines(0.2, texts="german")))
    concepts = Written(_lines(0.0, prompt="another prompt"), version=2)
    write_lines(runs, "05ENGLISH", "english only", wmt16=concepts, commongen=Written(_lines(0.3, texts="english")))
    with served(tmp_path_factory.mktemp("home"), runs, hidden_splits="hush") as found:
        yield found


def _page(board: Served, query: str, status: int = 200) -> Html:
    answer = board.get(f"/compare?runs={query}")
    assert answer.status_code == status, answer.text[:500]
    return Html(answer.text)


def _lead(page: Html) -> str:
    return page.one("p", class_="lead").text


def _moved_ids(page: Html) -> list[str]:
    return [one.text for one in page.elements if one.tag == "code" and one.parents[-1] == "h3"]


def test_a_form_of_several_boxes_becomes_one_address(board: Served) -> None:
    answer = board.get("/compare?runs=05BASE&runs=&runs=05MIXED&runs=05BASE&task=wmt16")
    assert answer.status_code == 303
    address = urlsplit(answer.headers["location"])
    assert (address.netloc, address.path) == ("", "/compare")
    assert parse_qs(address.query) == {"runs": ["05BASE,05MIXED"], "task": ["wmt16"]}
    assert "runs=05BASE,05MIXED" in answer.headers["location"]


def test_the_first_sentence_says_who_is_better_where(board: Served) -> None:
    page = _page(board, "05BASE,05MIXED")
    assert page.one("h1").text == "mixed against base"
    assert _lead(page) == "Better on WMT16 en-de, worse on CommonGen."
    assert _lead(_page(board, "05MIXED,05BASE")) == "Better on CommonGen, worse on WMT16 en-de."
    assert _lead(_page(board, "05BASE,05SAME")) == "No difference on any task, in any value or row."
    assert "Comparable." in page.one("div", class_="note").text


def test_differences_stand_with_interval_test_and_rows(board: Served) -> None:
    page = _page(board, "05BASE,05MIXED")
    (row,) = [one for one in page.find("tr") if one.text.startswith("WMT16")]
    # Every row moved by 0.2 exactly, so the interval is that one number; 40 rows of one sign leave no doubt.
    assert "+0.200" in row.text
    assert "+0.200 to +0.200" in row.text
    assert "better" in row.text
    assert "100 / 0 / 0" in row.text
    assert "of 40" in row.text
    assert "0.002" in row.text or "0.001" in row.text


def test_rows_that_moved_most_come_first_in_either_direction(board: Served) -> None:
    # By hand: r05 +0.4, r11 -0.2, r20 +0.1.
    page = _page(board, "05BASE,05MOVED&task=wmt16")
    assert _moved_ids(page) == ["r05", "r11", "r20"]
    assert "3 rows of 40 moved" in page.one("main").text
    assert _moved_ids(_page(board, "05BASE,05MOVED&task=wmt16&moved=better")) == ["r05", "r20"]
    assert _moved_ids(_page(board, "05BASE,05MOVED&task=wmt16&moved=worse")) == ["r11"]
    assert [one.text for one in page.find("ins")][:1] == ["changed words"]
    assert [one.text for one in page.find("del")][:1] == ["text"]
    assert page.find("b", dir="auto") == []
    assert "No row moved." in _page(board, "05BASE,05MOVED&task=commongen").one("main").text


def test_rows_are_paged(board: Served) -> None:
    first = _page(board, "05BASE,05MIXED&task=wmt16")
    (following,) = first.find("a", rel="next")
    second = Html(board.get(following.attributes["href"]).text)
    ids = _moved_ids(first) + _moved_ids(second)
    assert len(_moved_ids(first)) == 20
    assert sorted(ids) == [f"r{n:02d}" for n in range(N_ROWS)]


def test_of_three_runs_each_stands_against_the_first(board: Served) -> None:
    page = _page(board, "05BASE,05MIXED,05MOVED")
    assert page.one("h1").text == "2 runs against base"
    names = [one.text for one in page.find("th", class_="who")]
    assert names == ["mixed", "moved <b>"] * 2
    article = next(one for one in page.find("article") if "r05" in one.text)
    assert "base" in article.text
    assert "mixed" in article.text
    assert "moved <b>" in article.text


def test_fields_that_may_not_differ_are_named_and_the_rest_is_compared(board: Served) -> None:
    page = _page(board, "05BASE,05OTHER")
    note = page.one("div", class_="note warn")
    for words in ("Partly comparable", "WMT16", "task version", "prompts_sha256", "data.sha256", "1 of the tasks"):
        assert words in note.text, words
    rows = [one.text for one in page.find("tr")]
    assert any(text.startswith("CommonGen") for text in rows)
    assert not any(text.startswith("WMT16") and "better" in text for text in rows)


def test_runs_with_nothing_to_compare_say_why(board: Served) -> None:
    page = _page(board, "05BASE,05SIGNED")
    assert "Not comparable" in _lead(page)
    assert "metric signature" in page.one("div", class_="note warn").text
    assert "chrf|nc:9|v:1" in page.one("div", class_="note warn").text
    assert "no task in common" in _lead(_page(board, "05BASE,05KEPT1"))


def test_texts_that_may_not_be_shown_stay_hidden(board: Served) -> None:
    page = _page(board, "05KEPT1,05KEPT2")
    assert len(_moved_ids(page)) == 20
    assert "SECRET" not in page.one("main").text
    assert "not shown" in page.one("main").text


def test_of_a_hidden_split_no_row_is_shown(board: Served) -> None:
    page = _page(board, "05HUSH1,05HUSH2")
    assert page.find("article") == []
    assert "hidden split" in page.one("main").text
    for words in ("SECRET", "guess"):
        assert words not in page.one("main").text


def test_rows_stand_beside_those_of_the_runs_that_have_the_task(board: Served) -> None:
    # Of one run the translations compare, of the other the concepts.
    german = _page(board, "05BASE,05GERMAN,05ENGLISH&task=wmt16").find("article")[0]
    assert "german 0" in german.text
    assert "english" not in german.text
    english = _page(board, "05BASE,05GERMAN,05ENGLISH&task=commongen").find("article")[0]
    assert "english 0" in english.text


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("", 200, "Choose two to five runs"),
        ("05BASE", 200, "set beside base"),
        ("05BASE,NIX", 404, "no run NIX"),
        ("05BASE,05MIXED,05MOVED,05SAME,05OTHER,05SIXTH", 422, "At most 5 runs"),
        ("%3Cscript%3E,05BASE", 404, "<script>"),
    ],
)
def test_a_wrong_number_of_runs_gets_a_page_to_choose_from(board: Served, query: str, status: int, words: str) -> None:
    page = _page(board, query, status)
    assert words in _lead(page)
    assert page.find("script") == []
    boxes = page.find("select", name="runs")
    assert 2 <= len(boxes) <= 5
    offered = {one.attributes["value"] for one in page.find("option")}
    assert {"05BASE", "05MIXED"} <= offered


def test_chosen_runs_stay_chosen(board: Served) -> None:
    page = _page(board, "05BASE,05MIXED")
    chosen = [one.attributes["value"] for one in page.find("option") if "selected" in one.attributes]
    assert chosen == ["05BASE", "05MIXED", ""]


def test_all_metrics_are_tested_where_asked_for(board: Served) -> None:
    assert "All metrics" not in _page(board, "05BASE,05MIXED").one("main").text
    assert "All metrics: mixed against base" in _page(board, "05BASE,05MIXED&metrics=all").one("main").text


def test_a_comparison_is_computed_once_and_never_stops_other_pages(
    board: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, calls = threading.Event(), []
    whole = comparing.compared

    def slow(*runs: object, **more: object) -> comparing.Compared:
        calls.append(runs)
        assert go.wait(30)
        return whole(*runs, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(comparing, "compared", slow)
    monkeypatch.setattr(compare_pages, "_PATIENCE_SECONDS", 0.2)
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(board.get, "/compare?runs=05SIXTH,05MIXED") for _ in range(4)]
        assert board.get("/healthz").status_code == 200
        waiting = [one.result() for one in asked]
        assert {one.status_code for one in waiting} == {202}
        assert waiting[0].headers["refresh"] == "5"
        assert "being computed" in Html(waiting[0].text).one("p", role="status").text
        go.set()
        monkeypatch.setattr(compare_pages, "_PATIENCE_SECONDS", 30.0)
        assert board.get("/compare?runs=05SIXTH,05MIXED").status_code == 200
        assert board.get("/compare?runs=05SIXTH,05MIXED&task=commongen").status_code == 200
    assert len(calls) == 1


def test_too_many_waiting_comparisons_are_refused_for_a_while(board: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "_MOST_WAITING", 0)
    answer = board.get("/compare?runs=05SIXTH,05MOVED")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
