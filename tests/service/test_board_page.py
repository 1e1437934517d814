"""The board on a server: every view has an address, and every address is some view."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leaderboard_site.board_state import ROWS
from leaderboard_site.export import build_board
from tests.service.serving import Served, served
from tests.service.varied_runs import HOSTILE, YARDSTICKS, many_runs, varied_runs
from tests.site.parsed import Html

ALL = ["ash-7b", "birch-3b", "birch-gamed", "cedar predictions", HOSTILE]


@pytest.fixture(scope="module")
def varied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A served board of runs that differ in everything."""
    folder = tmp_path_factory.mktemp("varied")
    with served(folder / "home", varied_runs(folder / "runs")) as found:
        yield found


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A served board of more runs than a view shows."""
    folder = tmp_path_factory.mktemp("many")
    with served(folder / "home", many_runs(folder / "runs", ROWS + 5)) as found:
        yield found


@pytest.fixture(scope="module")
def page(varied: Served) -> Callable[[str], Html]:
    """The board at an address, which must be there; read once."""
    known: dict[str, Html] = {}

    def get(query: str) -> Html:
        if query not in known:
            answer = varied.get(f"/?{query}" if query else "/")
            assert answer.status_code == 200, (query, answer.status_code, answer.text[:300])
            known[query] = Html(answer.text)
            assert not known[query].unbalanced
        return known[query]

    return get


def names(html: Html, *, yardsticks: bool = False) -> list[str]:
    """Names of the ranking's rows, in order; pinned rows come first."""
    found = [
        re.sub(
            r"(verified|rescored|self-reported|imported|ceiling|floor|null system)(\d+ warnings?)?(Un)?([Pp]in .*)?$",
            "",
            one.text.strip(),
        ).strip()
        for one in html.find("th", scope="row", class_="stick")
    ]
    return [name for name in found if yardsticks or name not in YARDSTICKS]


def ranks(html: Html) -> dict[str, str]:
    """Name -> rank as the page shows it."""
    cells = [one.text.split()[0] for one in html.find("td", class_="n rank")]
    return dict(zip(names(html, yardsticks=True), cells, strict=True))


def test_the_board_has_the_rows_and_ranks_of_its_json_and_of_the_static_board(
    varied: Served, tmp_path: Path, page: Callable[[str], Html]
) -> None:
    html = page("")
    rows = varied.get("/api/v1/leaderboard").json()["rows"]
    assert names(html, yardsticks=True) == [row["name"] for row in rows]
    assert [str(row["rank"] or "–") for row in rows] == list(ranks(html).values())
    runs = varied_runs(tmp_path / "runs")
    build_board([runs], tmp_path / "board")
    static = Html((tmp_path / "board" / "index.html").read_text(encoding="utf-8"))
    assert names(static, yardsticks=True) == names(html, yardsticks=True)
    assert ranks(static) == ranks(html)
    # What needs a server is on the server's page alone.
    assert not static.find("form")
    assert not static.find("script")
    assert html.one("form", id="filters")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=BIRCH", ["birch-3b", "birch-gamed"]),
        ("q=%3Cscript", [HOSTILE]),
        ("q=%EF%BC%A2irch", ["birch-3b", "birch-gamed"]),  # a full-width B
        ("task=iwslt2017", ["ash-7b", "birch-3b", "birch-gamed", "cedar predictions"]),
        ("task=wmt16", ALL),
        ("size=-1B", [HOSTILE]),
        ("size=1B-4B", ["birch-3b", "birch-gamed"]),
        ("size=3B-7B", ["birch-3b", "birch-gamed"]),
        ("size=3B-7001M", ["ash-7b", "birch-3b", "birch-gamed"]),
        ("size=unknown", ["cedar predictions"]),
        ("licence=mit", ["birch-3b", "birch-gamed"]),
        ("licence=unknown", ["cedar predictions"]),
        ("mark=verified", ["ash-7b", "birch-3b", "birch-gamed"]),
        ("mark=scored-here", ["ash-7b", "birch-3b", "birch-gamed", "cedar predictions"]),
        ("mark=imported", [HOSTILE]),
        ("kind=predictions", ["cedar predictions"]),
        ("mark=verified&size=4B-", ["ash-7b"]),
        ("q=ash&licence=mit", []),
    ],
)
def test_filters_leave_what_they_say_with_the_ranks_of_the_whole_board(
    page: Callable[[str], Html], query: str, expected: Sequence[str]
) -> None:
    whole, html = page(""), page(query)
    assert sorted(names(html)) == sorted(expected)
    assert names(html) == [name for name in names(whole) if name in expected]
    everyone = ranks(whole)
    assert all(everyone[name] == rank for name, rank in ranks(html).items())
    # Null systems and the oracle are never filtered away.
    assert names(html, yardsticks=True)[-3:] == list(YARDSTICKS)
    text = html.one("main").text
    if len(expected) < len(ALL):
        assert f"{len(expected)} of 5 runs match. Ranks, ranges and bands stay those of all runs." in text
    chips = html.one("ul", aria_label="Active filters")
    assert chips.text.count("remove this filter") == len(parse_qsl(query))


def test_each_filter_is_removed_by_its_own_link(page: Callable[[str], Html]) -> None:
    html = page("mark=verified&size=4B-&sort=wmt16")
    links = [one.attributes["href"] for one in html.find("a", class_="chip") if "remove" in one.text]
    assert links == ["/?sort=wmt16&mark=verified#ranking", "/?sort=wmt16&size=4B-#ranking"]
    assert html.find("a", href="/?sort=wmt16#ranking")[0].text == "Remove all"


def test_no_match_says_so_and_how_to_go_on(page: Callable[[str], Html]) -> None:
    html = page("q=ash&licence=mit&view=reward")
    assert "No run matches." in html.one("div", class_="blank").text
    ways = [one.text for one in html.find("a", href="/?view=reward#ranking")]
    assert ways == ["Remove all", "Show all runs"]
    assert len(html.find("a", class_="chip")) >= 2


@pytest.mark.parametrize(
    ("key", "best_first", "missing"),
    [
        ("name", [HOSTILE, "ash-7b", "birch-3b", "birch-gamed", "cedar predictions"], []),
        ("wmt16", ALL, []),
        ("iwslt2017", ["birch-3b", "ash-7b", "cedar predictions", "birch-gamed"], [HOSTILE]),
        ("naturalness", ["ash-7b", "cedar predictions", "birch-3b", HOSTILE, "birch-gamed"], []),
        ("speed", ["birch-3b", "birch-gamed", "ash-7b"], ["cedar predictions", HOSTILE]),
        ("latency", ["birch-3b", "birch-gamed", "ash-7b"], ["cedar predictions", HOSTILE]),
        ("size", [HOSTILE, "birch-3b", "birch-gamed", "ash-7b"], ["cedar predictions"]),
        ("licence", [HOSTILE, "ash-7b", "birch-3b", "birch-gamed"], ["cedar predictions"]),
        ("date", [HOSTILE, "cedar predictions", "birch-gamed", "birch-3b", "ash-7b"], []),
    ],
)
def test_a_column_sorts_best_first_then_reversed_and_missing_last_in_both(
    page: Callable[[str], Html], key: str, best_first: Sequence[str], missing: Sequence[str]
) -> None:
    forth, back = page(f"sort={key}"), page(f"sort={key}&reverse=yes")
    assert set(names(forth)[len(best_first) :]) == set(missing) == set(names(back)[len(best_first) :])
    ties = {"birch-3b", "birch-gamed"} if key in ("size", "licence") else set()

    def flat(found: Sequence[str]) -> list[object]:
        return [ties if name in ties else name for name in found]

    assert flat(names(forth)[: len(best_first)]) == flat(best_first)
    assert flat(names(back)[: len(best_first)]) == flat(best_first[::-1])
    (head,) = [one for one in forth.find("th") if "aria-sort" in one.attributes]
    (other,) = [one for one in back.find("th") if "aria-sort" in one.attributes]
    assert {head.attributes["aria-sort"], other.attributes["aria-sort"]} == {"ascending", "descending"}
    assert forth.find("a", href=f"/?sort={key}&reverse=yes")
    assert ranks(forth) == ranks(page(""))


def test_pinned_runs_stand_on_top_and_at_their_own_rank(page: Callable[[str], Html], varied: Served) -> None:
    html = page("pin=V4&pin=V2&q=ash")
    assert names(html) == ["birch-3b", "cedar predictions", "ash-7b"]
    assert "Pinned" in html.one("tbody", class_="pinned").text
    assert names(page("pin=V4")) == ["cedar predictions", *names(page(""))]
    buttons = [(one.attributes["name"], one.attributes["value"]) for one in page("pin=V4").find("button", class_="pin")]
    assert buttons.count(("unpin", "V4")) == 2
    assert ("pin", "V1") in buttons
    assert all(one.attributes["form"] == "filters" for one in html.find("button", class_="pin"))
    assert ("pin", "V2") in {
        (one.attributes["name"], one.attributes["value"]) for one in html.find("input", type="hidden")
    }


def test_what_a_form_sends_leads_to_the_canonical_address(varied: Served) -> None:
    answer = varied.get("/?q=&task=&size=1B-4B&licence=&mark=&kind=&sort=wmt16&pin=V1&pin=V2&unpin=V1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?sort=wmt16&size=1B-4B&pin=V2")
    own = varied.get("/?size=-1B&size_from=770M&size_to=3.1B")
    assert (own.status_code, own.headers["location"]) == (303, "/?size=770M-3.1B")


def test_metrics_of_the_task_columns_can_be_chosen(page: Callable[[str], Html]) -> None:
    def heads(html: Html) -> list[str]:
        found = [one.text for one in html.find("th", scope="col", class_="n") if one.parents[-2:] == ("thead", "tr")]
        return [one for one in found if one.startswith(("WMT", "IWSLT"))]

    assert [head[-9:] for head in heads(page(""))] == ["sacrebleu"] * 2
    assert [head[-4:] for head in heads(page("metric=chrf"))] == ["chrf"] * 2
    both = heads(page("metric=primary"))
    assert len(both) == 4
    assert {head[-4:] for head in both} == {"chrf", "bleu"}
    # chrf of these runs falls as sacrebleu rises, so the order turns round and the ranks do not.
    html = page("metric=chrf&sort=wmt16")
    assert names(html) == ALL[::-1]
    assert ranks(html) == ranks(page(""))
    assert names(page("metric=primary&sort=wmt16:chrf")) == ALL[::-1]


def test_the_views_hold_naturalness_and_rewards(page: Callable[[str], Html]) -> None:
    natural = page("view=naturalness")
    assert names(natural)[0] == "ash-7b"
    assert names(natural)[-1] == "birch-gamed"
    assert "The task columns hold naturalness" in natural.one("table", class_="leaderboard").text
    (current,) = [one for one in natural.find("th") if "aria-sort" in one.attributes]
    assert current.text.startswith("Naturalness")
    reward = page("view=reward&sort=wmt16")
    assert names(reward)[:2] == ["birch-gamed", "birch-3b"]
    assert "bleu" in "".join(one.text for one in reward.find("th", scope="col"))
    tabs = reward.one("nav", aria_label="View")
    assert "Quality" in tabs.text
    assert reward.find("a", aria_current="page")[-1].text == "Reward"


def test_a_policy_that_games_its_reward_stands_out_in_chart_and_table(page: Callable[[str], Html]) -> None:
    html = page("view=reward")
    (alarm,) = [one for one in html.find("circle", class_="pt alarm") if one.text == "birch-gamed"][:1]
    assert alarm.text == "birch-gamed"
    behind = next(
        one for one in html.find("div", role="region") if "Reward against naturalness" in one.attributes["aria-label"]
    )
    assert behind.text.count("may be gamed") >= 1
    assert "birch-gamed may be gamed" in " ".join(behind.text.split())


@pytest.mark.parametrize(
    "query",
    [
        "sort=loud", "view=loud", "task=nowhere", "metric=nothing", "pin=NOBODY", "licence=gpl", "kind=ufo",
        "setting=moon", "size=huge", "mark=gold", "offset=ten", "utm_source=x", "sort=%01", "q=a&bogus=%ff%fe",
    ],
)  # fmt: skip
def test_unknown_values_are_ignored_with_a_note(page: Callable[[str], Html], query: str) -> None:
    html = page(query)
    assert "Left out of the address" in html.one("p", class_="note warn").text
    understood = query.partition("&")[0] if query.startswith("q=") else ""
    assert names(html) == names(page(understood))


def test_a_subset_is_its_own_board_and_keeps_its_setting_in_every_link(
    page: Callable[[str], Html], varied: Served
) -> None:
    other = varied.get("/api/v1/leaderboard").json()["settings"][1]["id"]
    html = page(f"setting={other}")
    assert names(html) == ["a subset"]
    sorts = [one.attributes["href"] for one in html.find("a") if "sort=" in one.attributes.get("href", "")]
    assert sorts
    assert all(dict(parse_qsl(href.partition("?")[2]))["setting"] == other for href in sorts)


def test_a_long_board_is_read_two_hundred_runs_at_a_time(many: Served) -> None:
    first = Html(many.get("/").text)
    assert len(names(first)) == ROWS
    assert "Runs 1 to 200 of 205" in first.one("nav", aria_label="Pages").text
    after = first.one("a", rel="next").attributes["href"]
    last = Html(many.get(after).text)
    assert names(last) == [f"run {n:04d}" for n in (4, 3, 2, 1, 0)]
    assert last.one("a", rel="prev").attributes["href"] == "/#ranking"
    assert not last.find("a", rel="next")
    assert names(Html(many.get("/?offset=999999800").text)) == names(last)
    worst = Html(many.get("/?sort=wmt16&reverse=yes").text)
    assert names(worst)[:3] == ["run 0000", "run 0001", "run 0002"]


def test_a_long_board_is_small_on_the_wire(many: Served) -> None:
    answer = many.client.get("/", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.num_bytes_downloaded < 150_000


def test_the_same_view_is_not_sent_twice(varied: Served) -> None:
    first = varied.get("/?sort=wmt16&mark=verified")
    again = varied.get("/?mark=verified&sort=wmt16", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    other = varied.get("/?sort=wmt16", headers={"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200


def test_hostile_names_are_text(varied: Served) -> None:
    text = varied.get("/?q=%3Cscript").text
    assert "<script>alert" not in text
    assert "<i>own" not in text
    assert "&lt;script&gt;alert(" in text


_KEYS = st.sampled_from(
    ["setting", "view", "sort", "reverse", "q", "task", "size", "licence", "mark", "kind", "metric", "pin", "unpin",
     "charts", "offset", "size_from", "size_to", "page", "x"]
)  # fmt: skip
_VALUES = st.one_of(
    # A null character is refused before any page is asked.
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60),
    st.sampled_from(["wmt16", "wmt16:chrf", "reward", "naturalness", "V1", "primary", "1B-", "-", "yes", "mit", "200"]),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=st.lists(st.tuples(_KEYS, _VALUES), max_size=12))
def test_no_address_breaks_the_board(varied: Served, pairs: list[tuple[str, str]]) -> None:
    answer = varied.get(f"/?{urlencode(pairs, errors='replace')}", follow_redirects=True)
    assert answer.status_code == 200
    html = Html(answer.text)
    assert not html.unbalanced
    assert names(html, yardsticks=True)
    assert len([one for one in html.find("th") if "aria-sort" in one.attributes]) == 1


@pytest.mark.parametrize("path", ["/tasks", "/about", "/cost", "/cost?against=speed", "/tasks/wmt16/cost?against=size"])
def test_the_pages_beside_the_board_are_there(varied: Served, path: str) -> None:
    answer = varied.get(path)
    assert answer.status_code == 200
    html = Html(answer.text)
    assert not html.unbalanced
    assert len(html.find("h1")) == 1


@pytest.mark.parametrize(
    "path", ["/cost?against=love", "/cost?setting=moon", "/tasks/nowhere/cost", "/tasks/wmt16/cost?setting=x"]
)
def test_costs_that_are_not_there_are_not_found(varied: Served, path: str) -> None:
    assert varied.get(path).status_code == 404


def test_an_empty_board_says_how_to_fill_it(tmp_path: Path, service_app: Callable[..., Any]) -> None:
    html = Html(service_app(tmp_path).get("/?sort=x&q=y").text)
    assert "No runs yet." in html.one("div", class_="blank").text
    assert html.one("main").text.count("Submit a result") == 1
