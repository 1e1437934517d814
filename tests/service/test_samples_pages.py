"""The samples page of a server: what it finds, in what order, and what it keeps to itself."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.service.serving import Served, served
from tests.service.written_runs import Line, Written, write_lines
from tests.site.parsed import Element, Html

TASK = "wmt16"
LINES = [
    Line("r1", "Der graue Fluss", {"chrf": 0.30, "ter": 0.9}, "Translate: the grey river", tokens=3),
    Line("r2", "", {"chrf": 0.00, "ter": 1.0}, "Translate: nothing", finish="stop", tokens=0),
    Line("r3", "Ein Haus ohne", {"chrf": 0.55, "ter": 0.2}, "Translate: a HOUSE", finish="length", tokens=20),
    Line("r4", "  ", {"chrf": None, "ter": 0.5}, "Translate: blank", tokens=1),
    Line("r5", "ein haus am Fluss", {"chrf": 0.90, "ter": 0.1}, "Translate: by the river", ("am Ufer",), tokens=5),
]
HOSTILE = Line(
    "<b>r6</b>", "</p><script>alert(1)</script> مرحبا", {"chrf": 0.1, "ter": 0.7}, "<img src=x onerror=alert(1)>"
)
OTHER = [
    Line("r1", "Der blaue Fluss", {"chrf": 0.20, "ter": 0.95}, "Translate: the grey river"),
    *(Line(line.id, line.prediction, line.scores, line.prompt, line.references) for line in LINES[1:]),
    HOSTILE,
]
ELSEWHERE = [Line(f"x{n}", "text", {"chrf": 0.5, "ter": 0.5}) for n in range(3)]
SECRET = [Line("s1", "guess", {"chrf": 0.5, "ter": 0.5}, "SECRETPROMPT", ("SECRETREFERENCE",))]
MANY = [Line(f"m{n:03d}", f"text {n}", {"chrf": n / 200, "ter": 0.5}) for n in range(120)]


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    runs = tmp_path_factory.mktemp("written")
    lower = {"ter": False}
    write_lines(runs, "04ONE", "one", wmt16=Written([*LINES, HOSTILE], higher=lower), commongen=Written(MANY))
    write_lines(runs, "04OTHER", "another <i>run</i>", wmt16=Written(OTHER, higher=lower))
    write_lines(runs, "04ELSE", "other rows", wmt16=Written(ELSEWHERE, higher=lower))
    write_lines(runs, "04KEPT", "kept", a_private_task=Written(SECRET, source="folder"))
    write_lines(runs, "04HIDDEN", "hidden", wmt16=Written(SECRET, split="hush"))
    write_lines(runs, "04PLAIN", "sent in", wmt16=Written([*LINES, HOSTILE], higher=lower, runs_model=False))
    with served(tmp_path_factory.mktemp("home"), runs, hidden_splits="hush") as found:
        yield found


def _page(board: Served, query: str = "", run: str = "04ONE", task: str = TASK) -> Html:
    answer = board.get(f"/runs/{run}/samples/{task}{query}")
    assert answer.status_code == 200, answer.text[:500]
    return Html(answer.text)


def _ids(page: Html) -> list[str]:
    return [one.text for one in page.elements if one.tag == "code" and one.parents[-1] == "h2"]


def _links(page: Html, text: str) -> list[Element]:
    return [one for one in page.find("a") if one.text == text]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["<b>r6</b>", "r1", "r2", "r3", "r4", "r5"]),
        ("?q=HAUS", ["r3", "r5"]),
        ("?q=house", ["r3"]),
        ("?q=ufer", ["r5"]),
        ("?q=the+grey", ["r1"]),
        ("?q=fluss&finish=stop&sort=-chrf", ["r5", "r1"]),
        ("?metric=chrf&min=0.3&max=0.55", ["r1", "r3"]),
        ("?min=0,55", ["r3", "r5"]),
        ("?metric=generated_tokens&max=1", ["r2", "r4"]),
        ("?finish=length", ["r3"]),
        ("?finish=empty", ["r2", "r4"]),
        # A row without the score comes last in both directions.
        ("?sort=chrf", ["r2", "<b>r6</b>", "r1", "r3", "r5", "r4"]),
        ("?sort=-chrf", ["r5", "r3", "r1", "<b>r6</b>", "r2", "r4"]),
        ("?id=r3", ["r3"]),
        ("?q=no+such+text", []),
    ],
)
@pytest.mark.parametrize("run", ["04ONE", "04PLAIN"])
def test_filters_and_sorting_find_the_rows_that_a_reader_would_pick_by_hand(
    board: Served, query: str, expected: list[str], run: str
) -> None:
    assert _ids(_page(board, query, run)) == expected


def test_the_address_holds_the_whole_view(board: Served) -> None:
    query = "?q=text&metric=chrf&min=0.1&max=0.5&finish=stop&sort=-chrf"
    page = _page(board, query, task="commongen")
    assert len(_ids(page)) == 50
    assert _ids(page)[0] == "m100"
    (following,) = page.find("a", rel="next")
    address = urlsplit(following.attributes["href"])
    assert parse_qs(address.query) == {
        "q": ["text"], "metric": ["chrf"], "min": ["0.1"], "max": ["0.5"], "finish": ["stop"], "sort": ["-chrf"],
        "page": ["2"],
    }  # fmt: skip
    second = _page(board, f"?{address.query}", task="commongen")
    assert _ids(second) == [f"m{n:03d}" for n in range(50, 19, -1)]
    assert "81 of 120 rows match" in second.one("p", role="status").text
    chosen = {one.attributes["value"] for one in second.find("option") if "selected" in one.attributes}
    assert {"chrf", "stop", "-chrf"} <= chosen
    assert second.one("input", name="q").attributes["value"] == "text"


def test_each_filter_in_force_can_be_taken_away_alone(board: Served) -> None:
    page = _page(board, "?q=fluss&finish=stop")
    chips = {one.text: one.attributes["href"] for one in page.find("a", class_="chip") if ", remove" in one.text}
    assert len(chips) == 2
    (without_text,) = [href for text, href in chips.items() if "fluss" in text]
    assert parse_qs(urlsplit(without_text).query) == {"finish": ["stop"]}


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("?min=abc", "min", "no number"),
        ("?max=nan", "max", "no number"),
        ("?min=inf", "min", "no number"),
        ("?min=2&max=1", "max", "below"),
        ("?metric=nix&min=1", "metric", "no score"),
        ("?sort=-nix", "sort", "no score"),
        ("?sort=prediction", "sort", "no score"),
        ("?finish=later", "finish", "no kind of output"),
        ("?diff=NIX", "diff", "not there"),
        ("?diff=04ELSE", "diff", "other rows"),
        (f"?q={'a' * 300}", "q", "first 200"),
    ],
)
def test_a_wrong_filter_is_told_beside_its_field_and_left_out(
    board: Served, query: str, field: str, words: str
) -> None:
    page = _page(board, query)
    told = page.one("li", id=f"wrong-{field}")
    assert words in told.text
    (box,) = [one for one in page.elements if one.attributes.get("name") == field and one.tag in ("input", "select")]
    assert (box.attributes["aria-invalid"], box.attributes["aria-describedby"]) == ("true", f"wrong-{field}")
    if field != "q" and "max=1" not in query:
        assert len(_ids(page)) == 6


@pytest.mark.parametrize(
    "query", ["?page=0", "?page=-1", "?page=99999999999999", "?page=abc", "?min=1e999", "?q=%01%ff"]
)
def test_odd_addresses_are_answered(board: Served, query: str) -> None:
    assert board.get(f"/runs/04ONE/samples/{TASK}{query}").status_code == 200


def test_a_page_past_the_last_is_the_last(board: Served) -> None:
    assert _ids(_page(board, "?page=77", task="commongen")) == [f"m{n:03d}" for n in range(100, 120)]


def test_words_that_differ_from_another_run_are_marked(board: Served) -> None:
    page = _page(board, "?diff=04OTHER&id=r1")
    assert [one.text for one in page.find("ins") if one.parents[-1] == "p"] == ["graue"]
    assert [one.text for one in page.find("del") if one.parents[-1] == "p"] == ["blaue"]
    texts = [one for one in page.find("p") if "out" in one.attributes.get("class", "").split()]
    assert [one.text for one in texts] == ["Der graue Fluss", "Der blaue Fluss"]
    values = {name.text: value.text for name, value in zip(page.find("dt"), page.find("dd"), strict=True)}
    # 0.30 against 0.20; 0.90 against 0.95, where lower is better.
    assert values["chrf"] == "0.300 +0.100"
    assert values["ter"] == "0.900 \u22120.050"
    ways = [one.attributes.get("class") for one in page.find("span") if one.text in ("+0.100", "\u22120.050")]
    assert ways == ["up", "up"]
    assert "The same text." in _page(board, "?diff=04OTHER&id=r5").one("main").text


def test_only_runs_on_the_same_rows_are_offered_for_it(board: Served) -> None:
    box = [one for one in _page(board).elements if one.tag == "option" and one.attributes["value"].startswith("04")]
    assert {one.attributes["value"] for one in box} == {"04OTHER", "04PLAIN"}


def test_texts_that_may_not_be_shown_are_neither_shown_nor_searched(board: Served) -> None:
    page = _page(board, run="04KEPT", task="a_private_task")
    assert _ids(page) == ["s1"]
    assert "guess" in page.one("main").text
    assert "0.500" in page.one("main").text
    assert "SECRET" not in board.get("/runs/04KEPT/samples/a_private_task").text
    for word, found in (("SECRETPROMPT", []), ("SECRETREFERENCE", []), ("guess", ["s1"])):
        assert _ids(_page(board, f"?q={word}", "04KEPT", "a_private_task")) == found, word


def test_of_a_hidden_split_nothing_is_shown_but_why(board: Served) -> None:
    answer = board.get("/runs/04HIDDEN/samples/wmt16?q=guess")
    page = Html(answer.text)
    assert "hidden split" in page.one("p", class_="note").text
    assert "SECRET" not in answer.text
    assert "guess" not in answer.text
    assert page.find("article") == []
    assert page.find("form") == []
    assert board.get("/api/v1/runs/04HIDDEN/samples/wmt16").status_code == 403


def test_what_others_wrote_stays_text(board: Served) -> None:
    answer = board.get(f"/runs/04ONE/samples/{TASK}?id=%3Cb%3Er6%3C/b%3E&diff=04OTHER&q=%3Cscript%3E")
    page = Html(answer.text)
    assert page.find("script") == []
    assert page.find("img") == []
    assert page.find("i") == []
    text = next(one for one in page.find("p") if "alert(1)" in one.text and "out" in one.attributes["class"])
    assert (text.attributes["dir"], text.attributes["lang"]) == ("auto", "de")
    assert page.one("input", name="q").attributes["value"] == "<script>"


def test_a_row_has_an_address_of_its_own(board: Served) -> None:
    page = _page(board, "?sort=-chrf&diff=04OTHER")
    link = next(one for one in page.find("a") if one.text == "link to row r3")
    assert parse_qs(urlsplit(link.attributes["href"]).query) == {"id": ["r3"], "diff": ["04OTHER"]}


def test_filtered_pages_are_no_pages_for_search_engines(board: Served) -> None:
    assert _page(board, "?q=fluss").find("meta", name="robots") != []
    assert _page(board).find("meta", name="robots") == []


def test_unknown_runs_and_tasks_are_not_found(board: Served) -> None:
    for path in ("/runs/NIX/samples/wmt16", "/runs/04ONE/samples/nix", "/runs/04ONE/samples/%2e%2e%2fwmt16"):
        assert board.get(path).status_code == 404, path
