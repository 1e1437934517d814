"""Must hold for anyone with a browser: upload, watch, find it on the board, read its samples, compare."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.journey.conftest import PASSWORD
from tests.journey.visits import Board, Visitor

pytestmark = pytest.mark.browser


def _words(row: dict[str, str]) -> str:
    return f"A dog runs and a man {row['id'][:3]} catches the ball in the park."


def _is_done(tab: Any) -> None:
    tab.get_by_role("heading", name="Result").wait_for(timeout=240_000)


def _ranked(tab: Any, name: str) -> Any:
    """A run's row of the ranking: the only table whose rows can be selected."""
    rows = tab.get_by_role("row").filter(has=tab.get_by_role("checkbox"))
    return rows.filter(has=tab.get_by_role("link", name=name, exact=True)).first


def _submit_signed_in(window: Visitor, path: Path, name: str, *, public: bool) -> str:
    """Submit a file as somebody who is signed in; the address of the submission, done."""
    window.tab.goto("/submit")
    window.tab.get_by_label("Name on the board").fill(name)
    if public:
        window.tab.get_by_label("everyone").check()
    window.choose_file(path)
    window.tab.get_by_role("button", name="Check the file").click()
    window.tab.get_by_role("button", name="Submit", exact=True).click()
    window.tab.wait_for_url(re.compile(r"/submissions/"))
    _is_done(window.tab)
    return str(window.tab.url)


@pytest.mark.long
def test_by_keyboard_alone_from_a_file_to_a_comparison(
    visitor: Callable[..., Visitor], predictions: Callable[..., Path]
) -> None:
    window = visitor()
    tab = window.tab
    tab.goto("/")
    tab.keyboard.press("Tab")
    assert tab.locator(":focus").inner_text() == "Skip to content"
    window.follow("Submit")
    window.tab_to("Name on the board")
    tab.keyboard.type("by keyboard")
    tab.keyboard.press("Tab")
    tab.keyboard.press("ArrowRight")  # from "only me" to "everyone"
    assert tab.get_by_label("everyone").is_checked()
    window.choose_file(predictions("keyboard.jsonl", _words))
    window.follow("Check the file")
    # Checked and shown before anybody has signed in.
    assert tab.get_by_role("heading", name="keyboard.jsonl is valid").is_visible()
    window.follow("Sign in and submit")
    window.sign_in("sam", PASSWORD)
    if "/submissions/" not in tab.url:  # the upload waited over the sign-in
        window.follow("Submit", "BUTTON")
    tab.wait_for_url(re.compile(r"/submissions/"))
    _is_done(tab)  # pushed to the page, nobody reloads
    window.follow("Open the run")
    assert "by keyboard" in tab.get_by_role("heading", level=1).inner_text()
    window.follow("Board")
    row = _ranked(tab, "by keyboard")
    assert "rescored" in row.inner_text()
    row.get_by_role("link", name="by keyboard", exact=True).focus()
    with tab.expect_navigation():
        tab.keyboard.press("Enter")
    link = tab.get_by_role("link", name=re.compile("^Samples of CommonGen")).first
    link.focus()
    with tab.expect_navigation():
        tab.keyboard.press("Enter")
    assert "catches the ball in the park" in tab.get_by_role("main").inner_text()
    window.follow("Board")
    for name in ("by keyboard", "the rival"):
        box = _ranked(tab, name).get_by_role("checkbox").first
        box.focus()
        tab.keyboard.press("Space")
        assert box.is_checked()
    tab.get_by_role("button", name="Compare selected").focus()
    with tab.expect_navigation():
        tab.keyboard.press("Enter")
    assert re.search(r"/compare\?runs=[0-9A-Z]{26}(,|%2C)[0-9A-Z]{26}", tab.url)
    text = tab.get_by_role("main").inner_text()
    assert "by keyboard" in text
    assert "the rival" in text
    assert re.search(r"better|worse|no difference shown", text)
    assert window.complaints == []


@pytest.mark.long
def test_a_faulty_file_is_told_line_by_line_and_costs_nothing(
    visitor: Callable[..., Visitor], predictions: Callable[..., Path], tmp_path: Path
) -> None:
    lines = predictions("sound.jsonl", _words).read_text(encoding="utf-8").splitlines()
    first = json.loads(lines[0])
    lines[1] = lines[1].replace('"prediction"', '"predicton"')
    lines[2] = lines[2][:-1]
    lines[4] = lines[3]
    lines[5] = json.dumps({**json.loads(lines[5]), "id": "<script>alert(1)</script>"})
    wrong = tmp_path / "wrong.jsonl"
    wrong.write_text("\n".join(lines) + "\n", encoding="utf-8")
    window = visitor(bypass_csp=True)
    tab = window.tab
    tab.goto("/submit")
    tab.get_by_label("Name on the board").fill("faulty")
    window.choose_file(wrong)
    tab.get_by_role("button", name="Check the file").click()
    alert = tab.get_by_role("alert").filter(has_text="wrong.jsonl").first
    alert.wait_for()
    assert "did not cost quota" in alert.inner_text()
    told: dict[str, str] = {}
    for row in tab.get_by_role("row").all()[1:]:
        line = row.get_by_role("cell").first.inner_text()
        told[line] = told.get(line, "") + row.inner_text()
    assert "predicton" in told["2"]
    assert "prediction" in told["2"]
    assert "JSON" in told["3"]
    assert json.loads(lines[3])["id"] in told["5"]
    assert "<script>alert(1)</script>" in told["6"]  # as text
    assert tab.get_by_label("Name on the board").input_value() == "faulty"  # what was typed is kept
    assert "wrong.jsonl has" in tab.locator(".error:visible").first.inner_text()
    window.look("submit-errors")
    # The same form takes the corrected file.
    window.choose_file(predictions("sound.jsonl", _words))
    tab.get_by_role("button", name="Check again").click()
    tab.get_by_role("heading", name="sound.jsonl is valid").wait_for()
    assert str(first["id"]) in tab.get_by_role("main").inner_text()
    window.look("submit-preview")
    assert window.complaints == []


@pytest.mark.long
def test_a_private_result_is_its_owners_until_published_and_again_when_taken_back(
    visitor: Callable[..., Visitor], predictions: Callable[..., Path]
) -> None:
    window, stranger = visitor(bypass_csp=True), visitor()
    tab = window.tab
    tab.goto("/signin")
    window.sign_in("sam", PASSWORD)
    address = _submit_signed_in(
        window, predictions("private.jsonl", lambda row: f"{row['prompt'][:20]} and a dog"), "quiet one", public=False
    )
    window.look("submission-done")

    def is_listed() -> bool:
        stranger.tab.goto("/")
        return bool(stranger.tab.get_by_role("link", name="quiet one", exact=True).count())

    assert not is_listed()
    assert stranger.tab.goto(address).status == 404
    tab.get_by_role("button", name="Publish").click()
    tab.get_by_role("button", name=re.compile("^Undo")).wait_for()
    window.look("submission-published")
    assert is_listed()  # at the next request
    tab.get_by_role("button", name=re.compile("^Undo")).click()
    tab.get_by_role("button", name="Publish").wait_for()
    assert not is_listed()
    assert window.complaints == []


@pytest.mark.long
def test_without_scripts_everything_works_by_forms_and_links(
    visitor: Callable[..., Visitor], predictions: Callable[..., Path]
) -> None:
    window = visitor(java_script_enabled=False)
    tab = window.tab
    tab.goto("/submit")
    tab.get_by_label("Name on the board").fill("no scripts")
    tab.get_by_label("everyone").check()
    window.choose_file(predictions("plain.jsonl", lambda row: f"{row['prompt'][-30:]} in the park"))
    tab.get_by_role("button", name="Check the file").click()
    tab.get_by_role("button", name="Sign in and submit").click()
    tab.get_by_label("Name", exact=True).fill("sam")
    tab.get_by_label("Password", exact=True).fill(PASSWORD)
    tab.get_by_role("main").get_by_role("button", name="Sign in").first.click()
    if "/submissions/" not in tab.url:
        tab.get_by_role("button", name="Submit", exact=True).click()
    for _ in range(240):
        if tab.get_by_role("heading", name="Result").count():
            break
        tab.wait_for_timeout(1000)
        tab.get_by_role("link", name="Refresh").click()
    _is_done(tab)
    tab.goto("/")
    tab.get_by_label("Name contains").fill("no scripts")
    tab.get_by_role("button", name="Apply").click()
    assert tab.get_by_role("link", name="no scripts", exact=True).count()
    assert "the rival" not in tab.get_by_role("table").first.inner_text()
    assert window.complaints == []


@pytest.mark.long
@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1600, "light")])
def test_axe_finds_nothing_on_any_page(
    visitor: Callable[..., Visitor],
    predictions: Callable[..., Path],
    board: Board,
    width: int,
    scheme: str,
) -> None:
    window = visitor(width=width, color_scheme=scheme, bypass_csp=True)
    tab = window.tab
    tab.goto("/signin")
    window.look(f"signin-{width}-{scheme}")
    window.sign_in("hanna", PASSWORD)
    told = predictions(f"look-{width}.jsonl", lambda row: f"{row['prompt'][:40]} {width}")
    submission = _submit_signed_in(window, told, f"looked at in {scheme}", public=True)
    runs = tab.request.get("/api/v1/leaderboard?limit=1000").json()["rows"]
    mine, rival = (
        next(row["run_id"] for row in runs if row["name"] == name) for name in (f"looked at in {scheme}", "the rival")
    )
    pages = {
        "board": "/",
        "board-filtered": "/?q=nothing-is-called-this",
        "tasks": "/tasks",
        "task": "/tasks/commongen",
        "run": f"/runs/{mine}",
        "samples": f"/runs/{mine}/samples/commongen",
        "compare": f"/compare?runs={rival},{mine}",
        "submit": "/submit",
        "submit-run": "/submit?kind=run",
        "submit-model": "/submit?kind=model",
        "submission": submission,
        "queue": "/queue",
        "account": "/account",
        "host": "/host",
        "about": "/about",
    }
    for name, address in pages.items():
        answer = tab.goto(address)
        assert answer.status == 200, name
        window.look(f"{name}-{width}-{scheme}")
    assert window.complaints == []
    assert tab.goto("/runs/01NOSUCHRUN000000000000000").status == 404
    window.look(f"lost-{width}-{scheme}")
