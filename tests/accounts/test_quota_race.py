"""Parallel posts with one place left: exactly one is accepted, over HTTP, on SQLite and on PostgreSQL."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from grue.core.rows import Row
from grue.store.service import jobs, submissions, tokens, users
from grue.submissions.expected import write_expected
from leaderboard_site.service import Service
from tests.databases import Databases
from tests.service.serving import Served, served

N_POSTS = 50
LEFT = 1
_TLS = ssl.create_default_context()


@pytest.fixture
def board(databases: Databases, tmp_path: Path) -> Iterator[Callable[..., Served]]:
    def prepare(service: Service) -> None:
        write_expected(service.artifacts, service.settings.split, {"commongen": [Row("c0", "generate a sentence.")]})

    with contextlib.ExitStack() as stack:

        def start(**limits: str) -> Served:
            more = {"database_url": databases.new(), "posts_per_minute": "10000", **limits}
            return stack.enter_context(served(tmp_path / "home", prepare=prepare, **more))

        yield start


def posted(board: Served, token: str, number: int, gate: threading.Barrier | None = None) -> httpx.Response:
    """One submission, of content of its own."""
    line = {"task": "commongen", "id": "c0", "prediction": f"a sentence, number {number}"}
    with httpx.Client(base_url=board.address, timeout=120, verify=_TLS) as client:
        if gate is not None:
            gate.wait(60)
        return client.post(
            "/api/v1/submissions",
            data={"name": f"system {number}", "kind": "predictions"},
            files={"file": ("a.jsonl", json.dumps(line).encode() + b"\n")},
            headers={"Authorization": f"Bearer {token}"},
        )


def raced(board: Served, token: str) -> list[httpx.Response]:
    gate = threading.Barrier(N_POSTS)
    with ThreadPoolExecutor(N_POSTS) as pool:
        return list(pool.map(lambda number: posted(board, token, number, gate), range(N_POSTS)))


def account(board: Served) -> tuple[str, str]:
    user = users.create_user(board.service.store, "sam", "submitter")
    return user.user_id, tokens.create_token(board.service.store, user.user_id, "x", ("read", "submit"))[0]


@pytest.mark.parametrize(
    ("limits", "what"),
    [
        ({"scored_per_day": "3", "jobs_waiting": "99"}, "scored"),
        ({"jobs_waiting": "3", "scored_per_day": "99"}, "waiting"),
    ],
)
def test_of_fifty_posts_with_one_place_left_one_is_accepted(
    board: Callable[..., Served], limits: dict[str, str], what: str
) -> None:
    it = board(attempts_per_day="1000", **limits)
    user_id, token = account(it)
    before = [posted(it, token, 1000 + number).status_code for number in range(3 - LEFT)]
    assert before == [201] * 2
    answers = raced(it, token)
    assert Counter(answer.status_code for answer in answers) == {201: 1, 429: N_POSTS - 1}
    for answer in answers:
        if answer.status_code == 429:
            assert int(answer.headers["retry-after"]) >= 1
            assert answer.headers["content-type"] == "application/problem+json"
    used = submissions.usage(it.service.store, user_id, it.service.limits)
    assert (used.scored, used.waiting) == (3, 3)
    assert len(jobs.queue(it.service.store).jobs) == 3, what


def test_of_fifty_posts_with_one_attempt_left_one_is_looked_at(board: Callable[..., Served]) -> None:
    it = board(attempts_per_day="3", scored_per_day="99", jobs_waiting="99")
    user_id, token = account(it)
    for number in range(2):
        assert posted(it, token, 1000 + number).status_code == 201
    answers = raced(it, token)
    assert Counter(answer.status_code for answer in answers) == {201: 1, 429: N_POSTS - 1}
    assert submissions.usage(it.service.store, user_id, it.service.limits).attempts == 3
