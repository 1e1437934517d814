"""Addresses of pages as files."""

from __future__ import annotations

import pytest

from leaderboard_site.links import FileScheme, HttpScheme, Page, slug


@pytest.mark.parametrize(
    ("page", "path"),
    [
        (Page(kind="board"), "index.html"),
        (Page(kind="board", setting="test-100"), "settings/test-100/index.html"),
        (
            Page(kind="board", setting="mini-test", sort="size", reverse=True),
            "settings/mini-test/sort/size/reverse/index.html",
        ),
        (Page(kind="task", task="wmt16"), "tasks/wmt16/index.html"),
        (Page(kind="run", run="01J"), "runs/01J/index.html"),
        (Page(kind="samples", run="01J", task="imdb", number=2), "runs/01J/samples/imdb/page/2/index.html"),
        (Page(kind="json", name="runs/01J"), "api/v1/runs/01J.json"),
    ],
)
def test_every_page_has_its_file(page: Page, path: str) -> None:
    assert FileScheme().path(page) == path


def test_links_go_up_to_the_root_and_down() -> None:
    scheme = FileScheme()
    origin = Page(kind="samples", run="01J", task="imdb")
    assert scheme.href(Page(kind="board"), origin) == "../../../../index.html"
    assert scheme.href(Page(kind="about"), Page(kind="board")) == "about/index.html"


@pytest.mark.parametrize("name", ["chrf++", "evaluate:my/metric", "../../etc", "a b", "", ".", "..", "é", "x" * 200])
def test_any_name_becomes_a_safe_file_name(name: str) -> None:
    made = slug(name)
    assert made.strip("-.") == made != ""
    assert "/" not in made
    assert len(made) <= 80


def test_names_that_look_alike_stay_apart() -> None:
    assert len({slug("chrf+"), slug("chrf++"), slug("chrf"), slug("chrf-")}) == 4


@pytest.mark.parametrize(
    ("page", "address"),
    [
        (Page(kind="board"), "/"),
        (Page(kind="board", setting="test-100", sort="size", reverse=True), "/?setting=test-100&sort=size&reverse=yes"),
        (Page(kind="board", query=(("pin", "A"), ("pin", "B"))), "/?pin=A&pin=B"),
        (Page(kind="task", task="wmt16"), "/tasks/wmt16"),
        (Page(kind="cost", task="wmt16", axis="speed"), "/tasks/wmt16/cost?against=speed"),
        (Page(kind="samples", run="01J", task="imdb", number=2), "/runs/01J/samples/imdb?page=2"),
        (Page(kind="compare", runs=("A", "B")), "/compare?runs=A,B"),
        (Page(kind="submission", submission="01S"), "/submissions/01S"),
        (Page(kind="run", run="../a b?c#d"), "/runs/..%2Fa%20b%3Fc%23d"),
        (Page(kind="json", name="leaderboard"), "/api/v1/leaderboard"),
        (Page(kind="json", name="leaderboard/test/wmt16"), "/api/v1/leaderboard?setting=test&task=wmt16"),
        (Page(kind="json", name="runs/01J/samples/imdb"), "/api/v1/runs/01J/samples/imdb"),
        (Page(kind="stylesheet"), "/static/board.css?v=abc"),
    ],
)
def test_every_page_has_its_address_on_a_server(page: Page, address: str) -> None:
    scheme = HttpScheme({"board.css": "abc"})
    assert {scheme.href(page, origin) for origin in (Page(kind="board"), page, Page(kind="about"))} == {address}
