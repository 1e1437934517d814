"""A served board with one account of each kind, and what a browser or a program of theirs sends along."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from grue.store.service import sign_ins, submissions, tokens, users
from grue.store.service.values import NewSubmission, Submission, User
from leaderboard_site.accounts.passwords import hash_password
from leaderboard_site.service import Service
from tests.service.serving import Served, served

# One for all clients: to make it takes longer than most requests.
_TLS = ssl.create_default_context()
PASSWORD = "four dull words here"
ROLES = {"hana": "host", "sam": "submitter", "olga": "submitter", "rita": "reader", "dora": "submitter"}


@dataclass(frozen=True)
class Place:
    """A board that runs, with hana (host), sam and olga (submitters), rita (reader) and dora (disabled)."""

    served: Served
    people: Mapping[str, User]
    clients: contextlib.ExitStack

    @property
    def service(self) -> Service:
        return self.served.service

    @property
    def address(self) -> str:
        return self.served.address

    def browser(self, name: str | None = None, **headers: str) -> httpx.Client:
        """A client with a session cookie; it follows no redirects."""
        if name is None:
            return self.client(headers=headers)
        raw = sign_ins.sign_in(self.service.store, self.people[name].user_id, 3600)
        return self.client(headers=headers, cookies={"grue": raw})

    def program(self, name: str, *scopes: str) -> httpx.Client:
        """A client with a new token."""
        raw = self.token(name, *scopes)
        return self.client(headers={"Authorization": f"Bearer {raw}"})

    def client(self, **more: Any) -> httpx.Client:
        """Any client; it is closed with the board."""
        client = httpx.Client(base_url=self.address, timeout=30, verify=_TLS, **more)
        self.clients.callback(client.close)
        return client

    def token(self, name: str, *scopes: str) -> str:
        """A new token."""
        store = self.service.store
        return tokens.create_token(store, self.people[name].user_id, "test", scopes or ("read", "submit"))[0]

    def submitted(self, who: str, content: str = "", **changes: Any) -> Submission:
        """A queued submission."""
        new = replace(new_submission(self.people[who].user_id), content_sha256=content or f"{who} content", **changes)
        return submissions.submit(self.service.store, new, self.service.limits)


def new_submission(user_id: str) -> NewSubmission:
    """A prediction file of one task."""
    return NewSubmission(
        user_id=user_id,
        name="two words",
        kind="predictions",
        upload="uploads/x/predictions.jsonl",
        model="",
        revision="",
        split="test",
        tasks=("commongen",),
        is_public=False,
        description="",
        url="",
        licence="",
        trained_on="",
        contamination="",
        rows=2,
        content_sha256="",
        is_hidden=False,
    )


@cache
def password_hash() -> str:
    """Of ``PASSWORD``, made once."""
    return hash_password(PASSWORD)


@contextlib.contextmanager
def place(
    home: Path, runs: Path | None = None, prepare: Callable[[Service], None] | None = None, **changes: str
) -> Iterator[Place]:
    """Serve a board with accounts; ``changes`` are fields of the settings."""
    with served(home, runs, prepare, **changes) as found:
        store = found.service.store
        people = {
            name: users.create_user(store, name, role, password_hash=password_hash()) for name, role in ROLES.items()
        }
        with contextlib.ExitStack() as clients:
            yield Place(found, people, clients)
