"""The task page of a server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.service.serving import Served, served
from tests.service.written_runs import Line, Written, write_lines
from tests.site.parsed import Html


def _lines(value: float, n: int = 4) -> list[Line]:
    return [
        Line(f"r{at}", "text", {"chrf": value, "ter": 1 - value}, f"Translate: sentence {at}.", (f"Satz {at}",))
        for at in range(n)
    ]


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    runs = tmp_path_factory.mktemp("written")
    for day, value in ((3, 0.5), (1, 0.2), (2, 0.7)):
        created = f"2026-10-0{day}T05:00:00Z"
        task = Written(_lines(value), higher={"ter": False})
        write_lines(runs, f"08D{day}", f"day {day} <b>", created_at=created, wmt16=task)
    secret = [Line("s1", "x", {"chrf": 0.5}, "SECRETPROMPT", ("SECRETREFERENCE",))]
    write_lines(runs, "08KEPT", "kept", a_private_task=Written(secret, source="folder"))
    write_lines(runs, "08VAL", "other split", wmt16=Written(_lines(0.4, 3), split="validation"))
    with served(tmp_path_factory.mktemp("home"), runs) as found:
        yield found


def _page(board: Served, path: str) -> Html:
    answer = board.get(path)
    assert answer.status_code == 200, answer.text[:500]
    return Html(answer.text)


def _ranking(page: Html) -> list[str]:
    names = ("day 1 <b>", "day 2 <b>", "day 3 <b>")
    return [one.text for one in page.find("a") if one.text in names and "leaderboard" not in one.attributes and
            "th" in one.parents]  # fmt: skip


def test_the_ranking_sorts_by_its_address(board: Served) -> None:
    assert _ranking(_page(board, "/tasks/wmt16")) == ["day 2 <b>", "day 3 <b>", "day 1 <b>"]
    reverse = _page(board, "/tasks/wmt16?sort=chrf&reverse=yes")
    assert _ranking(reverse) == ["day 1 <b>", "day 3 <b>", "day 2 <b>"]
    assert [one.text.split()[0] for one in reverse.find("th", aria_sort="ascending")] == ["chrf"]
    assert _ranking(_page(board, "/tasks/wmt16?sort=rank"))[0] == "day 2 <b>"
    # Lower is better: the best first.
    assert _ranking(_page(board, "/tasks/wmt16?sort=ter"))[0] == "day 2 <b>"


def test_the_best_score_over_time_has_its_numbers_beside_it(board: Served) -> None:
    page = _page(board, "/tasks/wmt16")
    (table,) = [one for one in page.find("table") if one.text.startswith("DateRunchrf")]
    assert table.text == "DateRunchrf2026-10-01day 1 <b>0.2002026-10-02day 2 <b>0.700"


def test_prompt_template_example_and_signatures_are_told(board: Served) -> None:
    main = _page(board, "/tasks/wmt16").one("main").text
    assert "Translate: sentence the row's own text." in main
    assert "Translate: sentence 0." in main
    assert "Satz 0" in main
    (table,) = [one for one in _page(board, "/tasks/wmt16").find("table") if "Signature, or why" in one.text]
    assert "chrf|v:1" in table.text
    assert "ter|v:1" in table.text
    assert "lower is better" in table.text


def test_texts_that_may_not_be_shown_are_no_example(board: Served) -> None:
    assert "SECRET" not in board.get("/tasks/a_private_task").text


def test_each_setting_has_its_own_ranking(board: Served) -> None:
    page = _page(board, "/tasks/wmt16")
    (link,) = [one for one in page.find("a") if "validation split" in one.text and "chip" in one.attributes["class"]]
    assert "other split" in Html(board.get(link.attributes["href"]).text).one("main").text
    assert "other split" not in page.one("main").text


@pytest.mark.parametrize("path", ["/tasks/nix", "/tasks/wmt16?sort=nix", "/tasks/wmt16?setting=nix"])
def test_what_is_not_there_is_not_found(board: Served, path: str) -> None:
    assert board.get(path).status_code == 404
