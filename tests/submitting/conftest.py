"""A served board that takes submissions on the embedded rows, accounts of each role, and files to send."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from grue.core.rows import Row
from grue.store.service import tokens, users
from grue.store.service.values import User
from grue.submissions.expected import Expected, write_expected
from grue.worker import publish_expected, run_worker
from leaderboard_site.service import Service
from tests.service.serving import Served, served

SPLIT = "test"
ROWS = {
    "commongen": [Row(f"c{number}", f"generate a sentence with: dog, ball {number}.") for number in range(4)],
    "totto": [Row(f"t{number}", f"<table> {number}") for number in range(3)],
}


@dataclass(frozen=True)
class Account:
    """An account with a token that may read and submit."""

    user: User
    token: str

    @property
    def headers(self) -> dict[str, str]:
        """What a program sends."""
        return {"Authorization": f"Bearer {self.token}"}


@dataclass
class Board:
    """A served board and what tests do with it."""

    served: Served

    @property
    def service(self) -> Service:
        return self.served.service

    @property
    def client(self) -> httpx.Client:
        return self.served.client

    @property
    def expected(self) -> Expected:
        found = self.service.expected()
        assert found is not None
        return found

    def account(self, name: str, role: str = "submitter", scopes: tuple[str, ...] = ("read", "submit")) -> Account:
        user = users.create_user(self.service.store, name, role)
        raw, _ = tokens.create_token(self.service.store, user.user_id, "tests", scopes)
        return Account(user, raw)

    def submit(self, account: Account | None, content: bytes, **fields: str) -> httpx.Response:
        data = {"name": "a system", "kind": "predictions", **fields}
        headers = account.headers if account else {}
        return self.client.post(
            "/api/v1/submissions", data=data, files={"file": ("answers.jsonl", content)}, headers=headers
        )

    def validate(self, content: bytes, **fields: str) -> httpx.Response:
        return self.client.post("/api/v1/validate", data=fields, files={"file": ("answers.jsonl", content)})


def lines(*entries: Mapping[str, Any]) -> bytes:
    """A prediction file."""
    return "".join(json.dumps(entry) + "\n" for entry in entries).encode()


def answers(expected: Mapping[str, Any], text: str = "the dog chases a ball") -> bytes:
    """A sound prediction file of all rows of tasks; ``text`` makes it one of its own."""
    return lines(
        *(
            {"task": task, "id": row.id, "prediction": f"{text} {row.id}"}
            for task, rows in expected.items()
            for row in rows
        )
    )


@contextlib.contextmanager
def small_board(home: Path, **changes: str) -> Iterator[Board]:
    """A board whose rows are the few of ``ROWS``; it has no worker."""

    def prepare(service: Service) -> None:
        write_expected(service.artifacts, service.settings.split, ROWS)

    with served(home, prepare=prepare, split=SPLIT, posts_per_minute="10000", api_per_minute="10000", **changes) as it:
        yield Board(it)


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    """A board of its own for a test."""
    with small_board(tmp_path / "home") as found:
        yield found


@pytest.fixture
def new_board(tmp_path: Path) -> Iterator[Callable[..., Board]]:
    """Makes boards with settings of one's own."""
    with contextlib.ExitStack() as stack:
        yield lambda **changes: stack.enter_context(small_board(tmp_path / "home", **changes))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """A board that several tests of a module use."""
    with small_board(tmp_path_factory.mktemp("shared") / "home") as found:
        yield found


@contextlib.contextmanager
def working_board(home: Path, **changes: str) -> Iterator[Board]:
    """A board on the embedded rows, with a worker in a thread that really scores."""

    def prepare(service: Service) -> None:
        publish_expected(service.settings, service.artifacts)

    with served(home, prepare=prepare, split=SPLIT, posts_per_minute="10000", api_per_minute="10000", **changes) as it:
        stop = threading.Event()
        worker = threading.Thread(
            target=run_worker,
            args=(it.service.settings, it.service.store),
            kwargs={"stop": stop, "name": "worker-1", "poll_seconds": 0.2},
        )
        worker.start()
        try:
            yield Board(it)
        finally:
            stop.set()
            worker.join(60)
