"""``POST /api/v1/validate``: anybody's file, checked at once, with every error and its fix."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable

import pytest

from tests.submitting.conftest import ROWS, Board, answers, lines

BROKEN = (
    lines(
        {"task": "commongen", "id": "c0", "prediction": "a dog"},
        {"task": "commongen", "id": "c1", "predicton": "a dog"},
        {"task": "commongen", "id": "c9", "prediction": "a dog"},
        {"task": "commongen", "id": "c0", "prediction": "again"},
    )
    + b"{\n"
)
# By hand: line 2 has one key too many and one too few, line 3 an id that is none, line 4 repeats line 1, line 5 is no
# JSON; rows c2 and c3 are missing (c1 is there, though wrong).
PROBLEMS = [(2, "c1"), (2, "c1"), (3, "c9"), (4, "c0"), (5, None), (None, "c2"), (None, "c3")]


def test_a_sound_file_is_valid_and_counted(shared: Board) -> None:
    found = shared.validate(answers({"commongen": ROWS["commongen"]})).json()
    assert found["valid"] is True
    assert found["rows"] == 4
    assert found["tasks"] == {
        "commongen": {"rows": 4, "expected": 4, "empty": 0, "samples": 1, "mean_words": 6.0},
    }


def test_the_same_content_has_the_same_hash_in_any_form(shared: Board) -> None:
    content = answers(ROWS)
    turned = b"".join(reversed(content.splitlines(keepends=True)))
    hashes = {shared.validate(form).json()["content_sha256"] for form in (content, turned, gzip.compress(content))}
    assert len(hashes) == 1
    assert hashes != {shared.validate(answers(ROWS, "other")).json()["content_sha256"]}


def test_every_error_comes_with_line_id_and_fix(shared: Board) -> None:
    answer = shared.validate(BROKEN)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert [(one["line"], one["id"]) for one in found["errors"]] == PROBLEMS
    assert found["error_count"] == len(PROBLEMS)
    assert all(one["problem"] and one["fix"] for one in found["errors"])
    assert found["status"] == 422


def test_a_hundred_errors_are_listed_and_all_counted(shared: Board) -> None:
    found = shared.validate(b"{\n" * 250).json()
    assert len(found["errors"]) == 100
    assert found["error_count"] >= 250


def test_the_file_may_be_the_whole_body(shared: Board) -> None:
    answer = shared.client.post(
        "/api/v1/validate", content=answers(ROWS), headers={"Content-Type": "application/jsonl"}
    )
    assert answer.json()["rows"] == 7


@pytest.mark.parametrize("kind", ["run", "predictions"])
def test_what_is_no_archive_is_refused_as_one(shared: Board, kind: str) -> None:
    answer = shared.validate(b"\x1f\x8b\x08nonsense", kind=kind)
    assert answer.status_code == 422
    assert answer.json()["errors"]


@pytest.mark.parametrize(
    ("fields", "field"), [({"kind": "checkpoint"}, "kind"), ({"kind": "model", "model": "org/name"}, "model")]
)
def test_a_field_that_is_wrong_is_named(shared: Board, fields: dict[str, str], field: str) -> None:
    answer = shared.validate(answers(ROWS), **fields)
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == [field]


def test_no_file_is_said_to_be_missing(shared: Board) -> None:
    answer = shared.client.post("/api/v1/validate", files={"kind": (None, "predictions")})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["problem"] == "No file came."


def test_a_file_beyond_the_limit_is_too_large(new_board: Callable[..., Board]) -> None:
    board = new_board(upload_mb="1")
    answer = board.validate(b" " * (8 << 20))
    assert answer.status_code == 413
    assert answer.json()["status"] == 413


def test_a_bomb_is_an_error_of_the_file_and_the_server_goes_on(new_board: Callable[..., Board]) -> None:
    board = new_board(unpacked_mb="2")
    answer = board.validate(gzip.compress(b" " * (64 << 20)))
    assert answer.status_code == 422
    assert board.validate(answers(ROWS)).status_code == 200


def test_an_attempt_of_nobody_costs_no_account(shared: Board) -> None:
    account = shared.account("validating")
    shared.validate(answers(ROWS))
    with_token = shared.client.post("/api/v1/validate", files={"file": ("a", answers(ROWS))}, headers=account.headers)
    assert with_token.status_code == 200
    from grue.store.service.submissions import usage

    used = usage(shared.service.store, account.user.user_id, shared.service.limits)
    assert (used.attempts, used.scored) == (1, 0)


def test_a_token_that_is_none_is_refused(shared: Board) -> None:
    answer = shared.client.post(
        "/api/v1/validate", files={"file": ("a", b"{}")}, headers={"Authorization": "Bearer grue_nonsense0000000"}
    )
    assert answer.status_code == 401


def test_without_rows_it_is_said_what_the_host_has_to_do(new_board: Callable[..., Board]) -> None:
    board = new_board()
    board.service.artifacts.delete("rows/test/index.json")
    board.service._expected = (float("-inf"), None)
    answer = board.validate(answers(ROWS))
    assert answer.status_code == 409
    assert "grue worker" in answer.json()["detail"]
    page = board.client.get("/submit")
    assert page.status_code == 200
    assert "does not take submissions yet" in page.text
    assert '<form class="sheet' not in page.text


def test_a_line_of_huge_numbers_and_broken_text_is_an_error(shared: Board) -> None:
    hostile = [
        b'{"task": "commongen", "id": "c0", "prediction": ' + b"9" * 100_000 + b"}\n",
        b'{"task": "commongen", "id": "c0", "prediction": "\xff\xfe"}\n',
        json.dumps({"task": "commongen", "id": "c0", "prediction": "\ud800"}).encode(),
        b"[" * 100_000,
        b"\xef\xbb\xbf" + b"\x00" * 1000,
    ]
    for content in hostile:
        assert shared.validate(content).status_code == 422
