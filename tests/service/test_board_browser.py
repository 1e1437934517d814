"""The served board in a real browser: with and without script, by keyboard, in both themes, on phones and on paper."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.chromium import assert_axe_finds_nothing
from tests.service.serving import Served, served
from tests.service.varied_runs import varied_runs

pytestmark = pytest.mark.browser
ADDRESSES = (
    "/",
    "/?pin=V2&q=birch&size=1B-4B&metric=primary&sort=wmt16:chrf&reverse=yes",
    "/?view=naturalness&bogus=1",
    "/?view=reward&mark=verified",
    "/?q=nobody&charts=no",
    "/cost?against=speed",
    "/tasks",
    "/about",
)


@pytest.fixture(scope="module")
def varied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A served board of runs that differ in everything."""
    folder = tmp_path_factory.mktemp("varied")
    with served(folder / "home", varied_runs(folder / "runs")) as found:
        yield found


def _names(tab: Any) -> list[str]:
    return list(tab.locator("table.leaderboard tbody:not(.yard):not(.pinned) th.stick > a").all_inner_texts())


def test_a_choice_is_answered_at_once_and_the_focus_stays(varied: Served, browser: Any) -> None:
    context = browser.new_context()
    tab = context.new_page()
    tab.goto(varied.address)
    tab.get_by_label("Licence").select_option("mit")
    tab.wait_for_url("**/?licence=mit#ranking")
    assert _names(tab) == ["birch-3b", "birch-gamed"]
    tab.wait_for_function("document.activeElement.id === 'f-licence'")
    tab.get_by_label("Name contains").fill("gamed")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/?q=gamed&licence=mit#ranking")
    assert _names(tab) == ["birch-gamed"]
    tab.get_by_role("link", name="licence mit").click()
    tab.wait_for_url("**/?q=gamed#ranking")
    context.close()


def test_a_list_walked_by_keyboard_is_answered_once_the_reader_stops(varied: Served, browser: Any) -> None:
    context = browser.new_context()
    tab = context.new_page()
    tab.goto(varied.address)
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url) if "size=" in request.url else None)
    tab.get_by_label("Size").focus()
    for _ in range(3):
        tab.keyboard.press("ArrowDown")
    tab.wait_for_url("**/?size=4B-10B#ranking")
    assert len(asked) == 1
    context.close()


def test_everything_works_without_script_and_by_keyboard_alone(varied: Served, browser: Any) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(varied.address)
    tab.get_by_label("Name contains").focus()
    tab.keyboard.type("birch")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/?q=birch#ranking")
    assert _names(tab) == ["birch-3b", "birch-gamed"]
    tab.get_by_role("button", name="Pin birch-gamed").focus()
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/?q=birch&pin=V3#ranking")
    assert tab.locator("tbody.pinned th.stick > a").inner_text() == "birch-gamed"
    tab.get_by_role("columnheader", name="WMT").get_by_role("link").focus()
    tab.keyboard.press("Enter")
    tab.wait_for_url("**sort=wmt16**")
    assert tab.locator("[aria-sort]").get_attribute("aria-sort") == "descending"
    tab.get_by_text("Metrics and exact sizes").click()
    tab.get_by_role("checkbox", name="chrf", exact=True).check()
    tab.get_by_role("button", name="Apply").click()
    tab.wait_for_url("**metric=chrf**")
    assert "pin=V3" in tab.url
    assert "sort=wmt16" in tab.url
    tab.get_by_role("button", name="Unpin birch-gamed").first.click()
    tab.wait_for_url(lambda url: "pin" not in url)
    context.close()


def test_chosen_runs_go_to_the_compare_page(varied: Served, browser: Any) -> None:
    context = browser.new_context()
    tab = context.new_page()
    tab.goto(f"{varied.address}/?pin=V1")
    tab.get_by_label("Select ash-7b to compare").first.check()
    # The pinned row and the row at its own rank are one choice.
    assert tab.get_by_label("Select ash-7b to compare").nth(1).is_checked()
    tab.get_by_label("Select birch-3b to compare").check()
    assert tab.get_by_role("button", name="Compare selected (2)").is_visible()
    with tab.expect_request(lambda request: "/compare" in request.url) as asked:
        tab.get_by_role("button", name="Compare selected").click()
    assert set(asked.value.url.partition("?")[2].split("&")) == {"runs=V1", "runs=V2"}
    context.close()


@pytest.mark.parametrize(
    ("width", "scheme", "addresses"),
    [
        (390, "dark", ADDRESSES[:3]),
        pytest.param(320, "light", ADDRESSES, marks=pytest.mark.long),
        pytest.param(390, "dark", ADDRESSES, marks=pytest.mark.long),
        pytest.param(1024, "dark", ADDRESSES, marks=pytest.mark.long),
        pytest.param(1600, "light", ADDRESSES, marks=pytest.mark.long),
    ],
)
def test_axe_finds_nothing_and_the_console_is_quiet(
    varied: Served, browser: Any, width: int, scheme: str, addresses: tuple[str, ...]
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    tab = context.new_page()
    complaints: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    for address in addresses:
        tab.goto(varied.address + address)
        assert_axe_finds_nothing(tab, address)
    context.close()
    assert complaints == []


@pytest.mark.parametrize("media", [{"media": "print"}, {"forced_colors": "active"}])
def test_print_and_forced_colours_keep_the_ranking(varied: Served, browser: Any, media: dict[str, str]) -> None:
    context = browser.new_context(viewport={"width": 900, "height": 900})
    tab = context.new_page()
    tab.goto(f"{varied.address}/?pin=V1&q=birch")
    tab.emulate_media(**media)
    assert tab.locator("table.leaderboard").is_visible()
    assert tab.locator(".mark").first.is_visible()
    is_print = "media" in media
    assert tab.locator("form.filters").is_visible() is not is_print
    assert tab.locator("button.pin").first.is_visible() is not is_print
    if is_print:
        whole = "getComputedStyle(document.querySelector('.scroll.tall')).overflow"
        assert tab.evaluate(whole) == "visible"
    context.close()
