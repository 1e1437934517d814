"""The board in a real browser, opened from disk."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chromium import assert_axe_finds_nothing

pytestmark = pytest.mark.browser
PAGES = (
    "index.html",
    "settings/mini-test/sort/wmt16/index.html",
    "tasks/index.html",
    "tasks/wmt16/index.html",
    "runs/01HOSTILE/index.html",
    "runs/01HOSTILE/samples/wmt16/index.html",
    "about/index.html",
)
SCORED_PAGES = (
    "index.html",
    "view/naturalness/index.html",
    "view/reward/index.html",
    "settings/test-5/index.html",
    "tasks/wmt16/index.html",
    "runs/02HIGH/index.html",
    "runs/02OLD/index.html",
    "runs/02HIGH/samples/wmt16/index.html",
)
RANKED_PAGES = (
    "index.html",
    "settings/mini-test/sort/imdb/index.html",
    "tasks/imdb/index.html",
    "runs/03SEEDED2/index.html",
)


@pytest.fixture(scope="module")
def pages(site: Any, scored_site: Any, ranked_site: Any) -> list[tuple[Any, str]]:
    """Board and address of every page to look at."""
    boards = ((site, PAGES), (scored_site, SCORED_PAGES), (ranked_site, RANKED_PAGES))
    return [(one.board, address) for one, addresses in boards for address in addresses]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1024])
def test_pages_open_from_disk_quietly_and_never_scroll_sideways(
    pages: list[tuple[Any, str]], browser: Any, scheme: str, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    tab = context.new_page()
    requests: list[str] = []
    complaints: list[str] = []
    tab.on("request", lambda request: requests.append(request.url))
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("dialog", lambda dialog: complaints.append(dialog.message))
    for board, address in pages:
        requests.clear()
        tab.goto((board / address).as_uri())
        assert [url.rsplit("/", 1)[1] for url in requests] == ["index.html", "board.css"], address
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, address
        assert tab.evaluate("getComputedStyle(document.querySelector('.masthead')).display") == "flex", address
    context.close()
    assert complaints == []


def test_a_reader_reaches_a_row_by_links_and_keyboard_alone(site: Any, browser: Any) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto((site.board / "index.html").as_uri())
    tab.keyboard.press("Tab")
    assert tab.locator(":focus").inner_text() == "Skip to content"
    tab.get_by_role("link", name="demo-seq2seq").first.click()
    tab.get_by_role("link", name="Samples of WMT16").click()
    tab.get_by_role("link", name="Next 50 rows").click()
    assert "Rows 51 to 100 of 120" in tab.get_by_role("navigation", name="Pages").inner_text()
    context.close()


@pytest.mark.long
@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (390, "light"),
        (1600, "dark"),
        (390, "dark"),
        (1600, "light"),
    ],
)
def test_axe_finds_nothing_on_any_page(pages: list[tuple[Any, str]], browser: Any, scheme: str, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    tab = context.new_page()
    for board, address in pages:
        tab.goto((board / address).as_uri())
        assert_axe_finds_nothing(tab, address)
    context.close()
