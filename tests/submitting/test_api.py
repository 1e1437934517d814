"""``/api/v1/submissions``: who may submit, what it costs, and what an owner does with it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from grue.store.service import jobs
from grue.store.service.submissions import set_task_closed, submission, usage
from tests.submitting.conftest import ROWS, Account, Board, answers


def used(board: Board, account: Account) -> tuple[int, int]:
    found = usage(board.service.store, account.user.user_id, board.service.limits)
    return found.scored, found.attempts


def post(board: Board, account: Account, address: str) -> httpx.Response:
    return board.client.post(f"/api/v1/submissions/{address}", headers=account.headers)


def test_a_submission_is_queued_and_can_be_followed(shared: Board) -> None:
    account = shared.account("follows")
    answer = shared.submit(account, answers(ROWS), name="a <b>name</b>", url="https://example.org/x", licence="MIT")
    assert answer.status_code == 201
    made = answer.json()
    assert made["status"] == "queued"
    assert made["url"] == f"{shared.served.address}/submissions/{made['id']}"
    found = shared.client.get(f"/api/v1/submissions/{made['id']}", headers=account.headers).json()
    assert (found["name"], found["link"], found["licence"]) == ("a <b>name</b>", "https://example.org/x", "MIT")
    assert found["tasks"] == ["commongen", "totto"]
    assert found["place"] >= 1
    assert found["run_id"] is None


def test_what_was_sent_is_stored_as_it_came(shared: Board) -> None:
    account = shared.account("stores")
    content = answers(ROWS, "stored")
    made = submission(shared.service.store, shared.submit(account, content).json()["id"])
    assert made is not None
    with shared.service.artifacts.open(made.upload) as file:
        assert file.read() == content


def test_without_a_token_nothing_is_read(shared: Board) -> None:
    assert shared.submit(None, answers(ROWS)).status_code == 401


@pytest.mark.parametrize(("role", "scopes"), [("reader", ("read", "submit")), ("submitter", ("read",))])
def test_a_role_or_token_that_may_not_submit_is_refused(shared: Board, role: str, scopes: tuple[str, ...]) -> None:
    account = shared.account(f"{role} {len(scopes)}", role, scopes)
    assert shared.submit(account, answers(ROWS)).status_code == 403


def test_an_invalid_file_costs_an_attempt_and_no_scored_submission(shared: Board) -> None:
    account = shared.account("invalid")
    answer = shared.submit(account, b"{}\n")
    assert answer.status_code == 422
    assert answer.json()["errors"]
    assert used(shared, account) == (0, 1)


def test_a_submission_costs_one_of_each(shared: Board) -> None:
    account = shared.account("pays")
    assert shared.submit(account, answers(ROWS, "pays")).status_code == 201
    assert used(shared, account) == (1, 1)


def test_beyond_the_quota_it_is_said_when_to_come_back(new_board: Callable[..., Board]) -> None:
    board = new_board(scored_per_day="1")
    account = board.account("ada")
    assert board.submit(account, answers(ROWS, "one")).status_code == 201
    answer = board.submit(account, answers(ROWS, "two"))
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 24 * 3600
    assert used(board, account) == (1, 2)
    # What was refused left nothing behind.
    assert len(list((board.service.settings.home / "artifacts" / "uploads").rglob("predictions.jsonl"))) == 1


def test_attempts_run_out_too(new_board: Callable[..., Board]) -> None:
    board = new_board(attempts_per_day="2")
    account = board.account("ada")
    assert [board.submit(account, b"{}\n").status_code for _ in range(3)] == [422, 422, 429]


def test_of_fifty_posts_at_once_one_takes_the_last_place(new_board: Callable[..., Board]) -> None:
    board = new_board(scored_per_day="3", attempts_per_day="1000", jobs_waiting="1000")
    account = board.account("ada")
    assert [board.submit(account, answers(ROWS, f"first {n}")).status_code for n in range(2)] == [201, 201]

    def one(number: int) -> int:
        content = answers(ROWS, f"post {number}")
        files = {"file": ("a.jsonl", content)}
        data = {"name": f"post {number}", "kind": "predictions"}
        address = f"{board.served.address}/api/v1/submissions"
        return httpx.post(address, data=data, files=files, headers=account.headers, timeout=120).status_code

    with ThreadPoolExecutor(50) as pool:
        statuses = list(pool.map(one, range(50)))
    assert sorted(statuses) == [201] + [429] * 49
    assert len(jobs.queue(board.service.store).jobs) == 3


def test_the_same_content_is_not_scored_twice_while_it_runs(shared: Board) -> None:
    account = shared.account("twice")
    first = shared.submit(account, answers(ROWS, "twice"))
    again = shared.submit(account, b"".join(reversed(answers(ROWS, "twice").splitlines(keepends=True))), name="other")
    assert again.status_code == 409
    assert again.json()["submission"] == first.json()["id"]
    assert again.json()["url"] == f"/submissions/{first.json()['id']}"
    assert used(shared, account)[0] == 1
    # Somebody else's equal file is their own affair.
    assert shared.submit(shared.account("somebody"), answers(ROWS, "twice")).status_code == 201


def test_a_closed_task_takes_no_submission(new_board: Callable[..., Board]) -> None:
    board = new_board()
    set_task_closed(board.service.store, "totto", True, "host")
    account = board.account("ada")
    answer = board.submit(account, answers(ROWS))
    assert answer.status_code == 409
    assert "totto" in answer.json()["detail"]
    assert board.submit(account, answers({"commongen": ROWS["commongen"]})).status_code == 201


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": ""}, {"name"}),
        ({"name": "   "}, {"name"}),
        ({"name": "x" * 201}, {"name"}),
        ({"name": "a\x00b"}, {"name"}),
        ({"url": "javascript:alert(1)"}, {"url"}),
        ({"url": "https://"}, {"url"}),
        ({"public": "perhaps"}, {"public"}),
        ({"description": "x" * 5001, "name": ""}, {"description", "name"}),
        ({"kind": ""}, {"kind"}),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_checked(shared: Board, fields: dict[str, str], wrong: set[str]) -> None:
    account = shared.account(f"wrong {sorted(fields.items())}"[:60])
    answer = shared.submit(account, answers(ROWS), **fields)
    assert answer.status_code == 422
    assert {one["field"] for one in answer.json()["errors"]} == wrong
    assert used(shared, account) == (0, 0)


@pytest.mark.parametrize("name", ["x", "x" * 200, "<script>alert(1)</script>", "名前 🦊", "../../etc", "a\nb"])
def test_any_text_is_a_name(shared: Board, name: str) -> None:
    account = shared.account(f"names {len(name)} {name!r}"[:40])
    made = shared.submit(account, answers(ROWS, name), name=name)
    assert made.status_code == 201
    found = shared.client.get(f"/api/v1/submissions/{made.json()['id']}", headers=account.headers)
    assert found.json()["name"] == name


def test_a_private_submission_is_not_there_for_others(shared: Board) -> None:
    owner, other, host = (
        shared.account("owner"),
        shared.account("other"),
        shared.account("host", "host", ("host", "read")),
    )
    made = shared.submit(owner, answers(ROWS, "private")).json()["id"]
    statuses = {
        who: shared.client.get(f"/api/v1/submissions/{made}", headers=account.headers if account else {}).status_code
        for who, account in {"owner": owner, "other": other, "host": host, "nobody": None}.items()
    }
    assert statuses == {"owner": 200, "other": 404, "host": 200, "nobody": 404}
    for action in ("publish", "cancel", "withdraw", "unpublish"):
        assert post(shared, other, f"{made}/{action}").status_code == 404
    page = shared.client.get(f"/submissions/{made}", headers={**other.headers, "Accept": "text/html"})
    assert page.status_code == 404
    assert shared.client.get(f"/submissions/{made}/events", headers=other.headers).status_code == 404


def test_a_host_may_cancel_but_not_publish_what_is_somebodys(shared: Board) -> None:
    owner, host = shared.account("their owner"), shared.account("their host", "host", ("host", "read", "submit"))
    made = shared.submit(owner, answers(ROWS, "theirs")).json()["id"]
    assert post(shared, host, f"{made}/publish").status_code == 403
    assert post(shared, host, f"{made}/cancel").json()["status"] == "cancelled"


def test_own_submissions_page_by_cursor(shared: Board) -> None:
    account = shared.account("pages")
    made = [shared.submit(account, answers(ROWS, f"page {number}")).json()["id"] for number in range(3)]
    seen: list[str] = []
    cursor: str | None = None
    while True:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = shared.client.get("/api/v1/submissions", params=query, headers=account.headers).json()
        seen += [one["id"] for one in page["submissions"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == made[::-1]
    assert shared.client.get("/api/v1/submissions").status_code == 401
    wrong = shared.client.get("/api/v1/submissions", params={"limit": "1001"}, headers=account.headers)
    assert wrong.status_code == 422


def test_a_cancelled_submission_stays_cancelled(shared: Board) -> None:
    account = shared.account("cancels")
    made = shared.submit(account, answers(ROWS, "cancels")).json()["id"]
    assert post(shared, account, f"{made}/cancel").json()["status"] == "cancelled"
    assert post(shared, account, f"{made}/cancel").status_code == 409
    assert post(shared, account, f"{made}/publish").status_code == 409


def test_a_withdrawn_submission_says_so_and_leaves_the_queue(shared: Board) -> None:
    account = shared.account("withdraws")
    made = shared.submit(account, answers(ROWS, "withdraws"), public="yes").json()["id"]
    found = post(shared, account, f"{made}/withdraw").json()
    assert found["withdrawn_at"]
    assert found["status"] == "cancelled"
    assert made not in [one.submission.submission_id for one in jobs.queue(shared.service.store).jobs]


def test_an_action_that_is_none_is_not_found(shared: Board) -> None:
    account = shared.account("acts")
    made = shared.submit(account, answers(ROWS, "acts")).json()["id"]
    assert post(shared, account, f"{made}/explode").status_code == 404
    assert post(shared, account, "01ZZZZZZZZZZZZZZZZZZZZZZZZ/cancel").status_code == 404
    assert post(shared, account, "..%2F..%2Fx/cancel").status_code in (404, 405)
