"""From the form to the board, with a worker that really scores the embedded rows."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest

from grue.store.service import sign_ins
from tests.site.parsed import Html
from tests.submitting.conftest import Board, answers, working_board

SECONDS = 180


def ended(board: Board, client: httpx.Client, address: str) -> dict[str, object]:
    """What the API says of a submission when it has ended."""
    for _ in range(SECONDS * 4):
        found: dict[str, object] = client.get(f"/api/v1{address}").json()
        if found["status"] in ("done", "failed", "cancelled"):
            return found
        time.sleep(0.25)
    raise AssertionError(f"still {found['status']}")


def on_board(board: Board) -> list[str]:
    rows = board.client.get("/api/v1/leaderboard").json()["rows"]
    return [row["name"] for row in rows if not row["yardstick"]]


def submit_by_form(board: Board, client: httpx.Client, name: str, public: str) -> str:
    """Check, preview, confirm; the path of the submission."""
    content = answers({"commongen": board.expected.tasks["commongen"]}, name)
    data = {"name": name, "public": public, "description": "<b>said</b>"}
    checked = client.post("/submit", data=data, files={"file": ("answers.jsonl", content)})
    upload = Html(checked.text).one("input", name="upload").attributes["value"]
    return client.post("/submit/confirm", data={"upload": upload}).url.path


def test_a_file_goes_from_the_form_to_the_board_and_back(tmp_path: Path) -> None:
    with working_board(tmp_path / "home") as board:
        account = board.account("ada")
        headers = {"Accept": "text/html"}
        with httpx.Client(base_url=board.served.address, headers=headers, follow_redirects=True, timeout=120) as client:
            client.cookies.set("grue", sign_ins.sign_in(board.service.store, account.user.user_id, 900))
            public = submit_by_form(board, client, "for all", "yes")
            private = submit_by_form(board, client, "mine <i>alone</i>", "no")
            assert ended(board, client, public)["status"] == "done"
            found = ended(board, client, private)
            assert found["status"] == "done"

            # The public one is on the board at once, the private one with its owner alone.
            assert on_board(board) == ["for all"]
            page = Html(client.get(private).text)
            assert page.one("p", role="status").text == "Finished. The result is private."
            result = page.one("section", aria_labelledby="result").text
            assert "CommonGen" in result
            assert "would be" in result
            run = f"/runs/{found['run_id']}"
            assert client.get(run).status_code == 200
            assert board.client.get(run).status_code == 404

            # Published, undone, published again, withdrawn: each holds at the next request.
            client.post(f"{private}/publish")
            assert sorted(on_board(board)) == ["for all", "mine <i>alone</i>"]
            assert board.client.get(run).status_code == 200
            client.post(f"{private}/unpublish")
            assert on_board(board) == ["for all"]
            client.post(f"{private}/publish")
            client.post(f"{private}/withdraw")
            assert on_board(board) == ["for all"]
            assert board.client.get(run).status_code == 404
            assert "Withdrawn" in Html(client.get(private).text).one("p", role="status").text
            assert board.client.get(f"/api/v1{private}").status_code == 404


@pytest.mark.long
def test_of_a_hidden_split_only_rounded_scores_are_seen_and_in_their_time(tmp_path: Path) -> None:
    with working_board(tmp_path / "home", hidden_splits="test", hidden_release_hours="24") as board:
        account = board.account("ada")
        content = answers({"commongen": board.expected.tasks["commongen"]}, "hidden")
        assert (
            "generate a sentence"
            not in board.client.post(
                "/submit", data={"name": "x", "public": "no"}, files={"file": ("a", content)}, follow_redirects=True
            ).text
        )
        paths = []
        for number in range(2):
            text = answers({"commongen": board.expected.tasks["commongen"]}, f"hidden {number}")
            paths.append(f"/submissions/{board.submit(account, text).json()['id']}")
        with httpx.Client(base_url=board.served.address, headers=account.headers, timeout=120) as client:
            first, second = (ended(board, client, path) for path in paths)
            assert (first["status"], second["status"]) == ("done", "done")
            shown = client.get(paths[0], headers={"Accept": "text/html"}).text
            assert "labels are private" in shown
            assert "/samples/" not in shown
            scores = first["scores"]
            assert isinstance(scores, dict)
            value = scores["commongen"]["cider_d"]
            # CIDEr-D has a scale of 10: one place of 100 is one of two of its own.
            assert value == round(value, 2)
            # The account's second result waits for a day.
            assert second["scores"] is None
            assert second["run_id"] is None
            page = Html(client.get(paths[1], headers={"Accept": "text/html"}).text)
            assert page.one("p", role="status").text.startswith("Scored. The scores of this split appear on")
