"""``/submit`` without any script: check, errors, preview, sign-in in between, confirmation."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import httpx
import pytest

from grue.store.service import sign_ins
from grue.store.service.submissions import submissions_of, usage
from leaderboard_site.submitting.pending import PendingUploads
from tests.site.parsed import Html
from tests.submitting.conftest import ROWS, Account, Board, answers, lines

BAD = lines({"task": "commongen", "id": "c9", "prediction": "x"}) + b"<script>alert(1)</script>\n"
SAID = {
    "name": "my <b>system</b>",
    "public": "yes",
    "description": "Two\nlines.",
    "url": "https://example.org/paper",
    "licence": "Apache-2.0",
    "trained_on": "web text",
    "contamination": "none known",
}


@pytest.fixture
def browser(shared: Board) -> Iterator[httpx.Client]:
    """A client with cookies of its own that asks for pages and follows where it is sent."""
    headers = {"Accept": "text/html"}
    with httpx.Client(base_url=shared.served.address, headers=headers, follow_redirects=True, timeout=60) as client:
        yield client


def sign_in(board: Board, client: httpx.Client, name: str, role: str = "submitter") -> Account:
    account = board.account(name, role)
    client.cookies.set("grue", sign_ins.sign_in(board.service.store, account.user.user_id, 600))
    return account


def check(client: httpx.Client, content: bytes, **fields: str) -> httpx.Response:
    data = {"name": "a system", "public": "no", **fields}
    return client.post("/submit", data=data, files={"file": ("answers.jsonl", content)})


def upload_of(answer: httpx.Response) -> str:
    return Html(answer.text).one("input", name="upload").attributes["value"]


def test_the_form_has_a_label_for_every_field_and_says_what_is_kept(browser: httpx.Client) -> None:
    for kind in ("predictions", "run", "model"):
        page = Html(browser.get("/submit", params={"kind": kind}).text)
        assert not page.unbalanced
        labels = {element.attributes.get("for") for element in page.find("label")}
        ids = [one.attributes["id"] for one in (*page.find("input"), *page.find("textarea")) if "id" in one.attributes]
        assert ids
        assert set(ids) <= labels
        text = page.one("main").text
        assert "until you withdraw" in text
        assert "deletes its texts after 30 days" in text
    tabs = [one.text for one in page.find("a", aria_current="page")]
    assert "Checkpoint" in tabs


def test_nothing_on_the_pages_is_inline_script_or_style(browser: httpx.Client) -> None:
    for answer in (browser.get("/submit"), check(browser, BAD), check(browser, answers(ROWS)), browser.get("/queue")):
        page = Html(answer.text)
        assert not page.find("style")
        assert all(one.attributes.get("src", "").startswith("/static/") for one in page.find("script"))
        for one in page.elements:
            assert "style" not in one.attributes
            assert not [name for name in one.attributes if name.startswith("on")]


def test_a_faulty_file_gives_a_table_of_errors_and_keeps_what_was_typed(browser: httpx.Client) -> None:
    page = Html(check(browser, BAD, **SAID).text)
    alert = page.one("div", role="alert")
    assert "6 errors in answers.jsonl, nothing was submitted" in alert.text
    assert "did not cost quota" in alert.text
    table = page.find("table")[0]
    assert "All 6 errors." in table.text
    assert [one.text for one in page.find("th", scope="col")] == ["Line", "Row id", "What is wrong", "Fix"]
    assert page.one("input", id="name").attributes["value"] == SAID["name"]
    assert page.one("textarea", id="description").text == SAID["description"]
    for name in ("url", "licence"):
        assert page.one("input", id=name).attributes["value"] == SAID[name]
    assert "checked" in page.one("input", name="public", value="yes").attributes
    field = page.one("input", id="file")
    assert field.attributes["aria-invalid"] == "true"
    assert page.one("p", id="file-e").text == "answers.jsonl has 6 errors, listed above."
    assert "file-e" in field.attributes["aria-describedby"].split()


def test_a_wrong_field_is_said_beside_it(browser: httpx.Client) -> None:
    page = Html(check(browser, answers(ROWS), name="x" * 201, url="ftp://x").text)
    assert "201 characters" in page.one("p", id="name-e").text
    assert "https://" in page.one("p", id="url-e").text
    # What is wrong must not be hidden in the part that is folded.
    assert "open" in page.one("details", class_="more").attributes


def test_a_sound_file_shows_what_will_be_scored_before_any_account(browser: httpx.Client) -> None:
    entries = [
        {"task": "commongen", "id": f"c{n}", "prediction": "" if n == 3 else "one two <i>three</i>"} for n in range(4)
    ]
    answer = check(browser, lines(*entries), **SAID)
    assert re.fullmatch(r"/submit\?upload=[\w-]{20,}", answer.url.raw_path.decode())
    page = Html(answer.text)
    text = page.one("main").text
    assert "answers.jsonl is valid" in text
    assert "4 predictions for 1 of 2 tasks. 1 is empty, which is allowed and counted." in text
    row = next(one for one in page.find("tr") if "CommonGen" in one.text).text
    assert "4 of 4" in row
    assert "cider_d, coverage" in row
    assert "2.2" in row or "2.3" in row  # nine words in four predictions: 2.25
    assert "not in this file" in text
    assert "generate a sentence with: dog, ball 0." in text
    assert "one two <i>three</i>" in text
    assert page.one("button", class_="primary").text == "Sign in and submit"
    assert not submissions_of_nobody(answer)


def submissions_of_nobody(answer: httpx.Response) -> bool:
    return "/submissions/" in answer.text


def test_an_upload_survives_the_sign_in(shared: Board, browser: httpx.Client) -> None:
    upload = upload_of(check(browser, answers(ROWS, "round trip"), **SAID))
    sent = browser.post("/submit/confirm", data={"upload": upload}, follow_redirects=False)
    assert sent.status_code == 303
    target = httpx.URL(sent.headers["location"])
    assert target.path == "/signin"
    assert target.params["next"] == f"/submit?upload={upload}"
    account = sign_in(shared, browser, "round trip")
    back = browser.get(target.params["next"])
    page = Html(back.text)
    assert page.one("button", class_="primary").text == "Submit"
    assert "20 of 20 scored submissions left today" in page.one("main").text
    done = browser.post("/submit/confirm", data={"upload": upload})
    assert done.url.path.startswith("/submissions/")
    assert "my <b>system</b>, predictions" in Html(done.text).one("h1").text
    listed = submissions_of(shared.service.store, account.user.user_id).submissions
    assert [(one.name, one.is_public, one.contamination) for one in listed] == [(SAID["name"], True, "none known")]
    found = usage(shared.service.store, account.user.user_id, shared.service.limits)
    assert (found.scored, found.attempts) == (1, 1)


def test_confirming_twice_submits_once(shared: Board, browser: httpx.Client) -> None:
    account = sign_in(shared, browser, "twice confirmed")
    upload = upload_of(check(browser, answers(ROWS, "confirmed twice")))
    first, second = (browser.post("/submit/confirm", data={"upload": upload}) for _ in range(2))
    assert first.url == second.url
    assert browser.get("/submit", params={"upload": upload}).url == first.url
    assert len(submissions_of(shared.service.store, account.user.user_id).submissions) == 1


def test_an_upload_is_for_the_browser_that_sent_it(shared: Board, browser: httpx.Client) -> None:
    upload = upload_of(check(browser, answers(ROWS, "mine")))
    with httpx.Client(base_url=shared.served.address, headers={"Accept": "text/html"}) as other:
        sign_in(shared, other, "thief")
        assert other.get("/submit", params={"upload": upload}).status_code == 404
        assert other.post("/submit/confirm", data={"upload": upload}).status_code == 404
        other.cookies.set("upload", f"{'a' * 32}.{'0' * 64}")
        assert other.get("/submit", params={"upload": upload}).status_code == 404
    assert browser.get("/submit", params={"upload": upload}).status_code == 200


@pytest.mark.parametrize("upload", ["", "..", "../../etc/passwd", "a" * 32, "x/y", "%00"])
def test_an_upload_that_is_none_is_not_found(browser: httpx.Client, upload: str) -> None:
    assert browser.post("/submit/confirm", data={"upload": upload}).status_code == 404


def test_an_upload_is_gone_after_an_hour(shared: Board, browser: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = upload_of(check(browser, answers(ROWS, "late")))
    folder = shared.service.settings.home / "pending" / upload
    said = json.loads((folder / "upload.json").read_text())
    (folder / "upload.json").write_text(json.dumps(said | {"created_at": said["created_at"] - 3601}))
    page = browser.get("/submit", params={"upload": upload})
    assert page.status_code == 404
    assert "kept for an hour" in page.text
    import os

    os.utime(folder, (0, 0))
    PendingUploads(folder.parent, 1 << 40).sweep()
    assert not folder.exists()


def test_a_reader_is_told_whom_to_ask(shared: Board, browser: httpx.Client) -> None:
    sign_in(shared, browser, "only reads", "reader")
    page = Html(check(browser, answers(ROWS, "reader")).text)
    assert not page.find("button", class_="primary")
    assert "ask the host for the role of a submitter" in page.one("main").text


def test_a_used_up_quota_is_said_on_the_preview(new_board: Callable[..., Board]) -> None:
    board = new_board(scored_per_day="0")
    with httpx.Client(base_url=board.served.address, headers={"Accept": "text/html"}, follow_redirects=True) as client:
        sign_in(board, client, "ada")
        upload = upload_of(check(client, answers(ROWS)))
        answer = client.post("/submit/confirm", data={"upload": upload})
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0
        assert "Nothing was submitted" in answer.text
        # It is still there to be submitted tomorrow, or at least within the hour.
        assert upload_of(answer) == upload


def test_files_of_a_checkpoint_are_not_taken_from_strangers(browser: httpx.Client) -> None:
    page = browser.get("/submit", params={"kind": "model"})
    assert "sign in first" in page.text
    files = [("file", ("model.safetensors", b"x"))]
    answer = browser.post("/submit", params={"kind": "model"}, data={"name": "x", "public": "no"}, files=files)
    assert answer.status_code == 422
    assert "Too many files" in answer.text


def test_a_post_from_another_site_is_turned_away(shared: Board) -> None:
    answer = shared.client.post(
        "/submit", data={"name": "x"}, files={"file": ("a", b"{}")}, headers={"Origin": "https://evil.example"}
    )
    assert answer.status_code == 403


def test_the_template_is_a_sound_file(shared: Board) -> None:
    found = shared.client.get("/submit/template.jsonl")
    assert found.headers["content-disposition"] == 'attachment; filename="test.jsonl"'
    assert [json.loads(line)["id"] for line in found.text.splitlines()] == [
        r.id for rows in ROWS.values() for r in rows
    ]
    assert shared.validate(found.content).json()["tasks"]["totto"] == {
        "rows": 3, "expected": 3, "empty": 3, "samples": 1, "mean_words": 0.0,
    }  # fmt: skip


def test_the_file_name_is_shown_escaped_and_means_nothing(shared: Board) -> None:
    name = "<img src=x onerror=alert(1)>.jsonl"
    answer = shared.client.post("/submit", data={"name": "x", "public": "no"}, files={"file": (name, BAD)})
    assert "<img src=x" not in answer.text
    assert "&lt;img src=x onerror" in answer.text
