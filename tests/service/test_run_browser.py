"""Pages of runs, samples, comparisons and tasks in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.chromium import UNFOLD, assert_axe_finds_nothing
from tests.service.serving import Served, served
from tests.service.written_runs import Line, Written, write_lines

pytestmark = pytest.mark.browser
N_ROWS = 14
LONG = "Donaudampfschifffahrtsgesellschaft" * 6
HOSTILE = "</p><script>alert(1)</script> \u0645\u0631\u062d\u0628\u0627"
PAGES = (
    "/runs/09LOW",
    "/runs/09LOW/samples/wmt16",
    "/runs/09LOW/samples/wmt16?diff=09HIGH&q=der&sort=-chrf&min=x",
    "/runs/09LOW/samples/wmt16?q=nothing+like+it",
    "/runs/09HIDDEN/samples/wmt16",
    "/runs/09KEPT/samples/a_private_task",
    "/compare",
    "/compare?runs=09LOW,NIX",
    "/compare?runs=09LOW,09HIGH&metrics=all",
    "/compare?runs=09LOW,09HIGH,09OTHER&task=commongen",
    "/tasks/wmt16",
)


def _lines(by: float, words: str) -> list[Line]:
    return [
        Line(
            f"row-{n:02d}",
            ("" if n == 3 else f"der {words} fluss {n}") + (HOSTILE if n == 1 else LONG if n == 2 else ""),
            {"chrf": 0.2 + by + 0.04 * (n % 5), "ter": 0.9 - by},
            f"Translate: the {words} river {n}" + (" and on" * 200 if n == 4 else ""),
            (f"der Fluss {n}", "ein Fluss"),
            finish="length" if n % 7 == 0 else "stop",
            tokens=3 + n,
        )
        for n in range(N_ROWS)
    ]


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    runs = tmp_path_factory.mktemp("written")
    for day, (run_id, by) in enumerate((("09LOW", 0.0), ("09HIGH", 0.3), ("09OTHER", 0.1)), 1):
        name = f"a run with a name that goes on {run_id} {HOSTILE if by else ''}".strip()
        task = Written(_lines(by, run_id.lower()), higher={"ter": False})
        lines = [Line(line.id, line.prediction, line.scores) for line in _lines(by, run_id.lower())]
        created = f"2026-10-0{day}T05:00:00Z"
        write_lines(runs, run_id, name, created_at=created, wmt16=_same_rows(task), commongen=Written(lines))
    secret = [Line("s1", "guess", {"chrf": 0.5, "ter": 0.5})]
    write_lines(runs, "09HIDDEN", "hidden", wmt16=Written(secret, split="hush"))
    write_lines(runs, "09KEPT", "kept", a_private_task=Written(secret, source="folder"))
    with served(tmp_path_factory.mktemp("home"), runs, hidden_splits="hush") as found:
        yield found


def _same_rows(task: Written) -> Written:
    """All runs answer the same prompts."""
    for line in task.lines:
        line.prompt = f"Translate: the river {line.id}" + (" and on" * 200 if line.id == "row-04" else "")
    return task


@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (320, "light"),
        pytest.param(320, "dark", marks=pytest.mark.long),
        pytest.param(768, "light", marks=pytest.mark.long),
        pytest.param(1024, "dark", marks=pytest.mark.long),
        pytest.param(1600, "light", marks=pytest.mark.long),
    ],
)
def test_pages_open_quietly_and_never_scroll_sideways(board: Served, browser: Any, width: int, scheme: str) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    tab = context.new_page()
    complaints: list[str] = []
    hosts: set[str] = set()
    tab.on("console", lambda message: complaints.append(f"{tab.url}: {message.text}"))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("dialog", lambda dialog: complaints.append(dialog.message))
    tab.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    for path in PAGES:
        tab.goto(board.address + path)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, path
        tab.evaluate(UNFOLD)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, path
    context.close()
    # Chromium itself tells of a page that was not found.
    assert [one for one in complaints if "status of 404" not in one] == []
    assert hosts == {board.address.removeprefix("http://")}


@pytest.mark.long
@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (390, "dark"),
        (1600, "light"),
        (390, "light"),
        (1600, "dark"),
        (320, "light"),
    ],
)
def test_axe_finds_nothing(board: Served, browser: Any, width: int, scheme: str) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    tab = context.new_page()
    for path in PAGES:
        tab.goto(board.address + path)
        assert_axe_finds_nothing(tab, path)
    context.close()


def test_a_reader_filters_sorts_and_compares_by_keyboard_without_script(board: Served, browser: Any) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(board.address + "/runs/09LOW")
    tab.keyboard.press("Tab")
    assert tab.locator(":focus").inner_text() == "Skip to content"
    tab.get_by_role("link", name="Samples", exact=True).focus()
    tab.keyboard.press("Enter")
    tab.get_by_role("searchbox", name="Text contains").focus()
    tab.keyboard.type("fluss 1")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**q=fluss*")
    # Rows 1 and 10 to 13.
    assert "5 of 14 rows match" in tab.get_by_role("status").inner_text()
    tab.get_by_label("Sort").select_option("-chrf")
    tab.get_by_label("Compare words with").select_option("09HIGH")
    tab.get_by_role("button", name="Apply").focus()
    tab.keyboard.press("Enter")
    tab.wait_for_url("**diff=09HIGH*")
    assert tab.locator("article").count() == 5
    assert tab.locator("article del").first.inner_text() == "09high"
    tab.get_by_role("link", name="a run with a name that goes on 09LOW").first.click()
    tab.get_by_role("link", name="Compare with another run").click()
    tab.get_by_label("Run 2").select_option("09HIGH")
    tab.get_by_role("button", name="Compare").focus()
    tab.keyboard.press("Enter")
    tab.wait_for_url("**runs=09LOW,09HIGH")
    assert "Better on all 2 tasks" in tab.locator(".lead").inner_text()
    context.close()


def test_print_shows_tables_whole_and_no_controls(board: Served, browser: Any) -> None:
    tab = browser.new_page(viewport={"width": 800, "height": 900})
    tab.emulate_media(media="print")
    tab.goto(board.address + "/compare?runs=09LOW,09HIGH")
    assert not tab.locator("form").is_visible()
    assert tab.locator("table.forest").is_visible()
    assert tab.evaluate("getComputedStyle(document.querySelector('.scroll')).overflow") == "visible"
    tab.close()
