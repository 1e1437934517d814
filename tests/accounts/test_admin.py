"""`grue admin`: accounts and decisions from the command line."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from grue.store.database import Store, open_store
from grue.store.rebuild import rebuild
from grue.store.service import hosts, invites, users, visibility
from grue.store.service.tokens import user_of_token
from leaderboard_site.accounts.passwords import check_password
from tests.commands import Answer
from tests.service.serving import served
from tests.site.boards import sample_runs

PASSWORD = "four dull words here"
Command = Callable[..., Answer]


@pytest.fixture(autouse=True)
def _database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRUE_HOME", str(tmp_path))
    monkeypatch.setenv("GRUE_DATABASE_URL", f"sqlite:///{tmp_path}/grue.db")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/grue.db") as found:
        yield found


@pytest.fixture
def add(grue: Command, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Answer]:
    def added(name: str, role: str, password: str | None = PASSWORD) -> Answer:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
        flags = [] if password is None else ["--password-stdin"]
        return grue("admin", "user", "add", name, "--role", role, *flags, "--json")

    return added


def test_the_first_host_is_made_and_signs_in(add: Callable[..., Answer], tmp_path: Path) -> None:
    made = add("hana", "host")
    assert (made.code, made.document["role"], made.document["has_password"]) == (0, "host", True)
    assert PASSWORD not in made.out + made.err
    database = f"sqlite:///{tmp_path}/grue.db"
    with served(tmp_path / "home", database_url=database) as board:
        answer = board.client.post("/signin", data={"name": "hana", "password": PASSWORD})
        assert answer.status_code == 303
        cookies = {"grue": answer.cookies["grue"]}
        assert httpx.get(f"{board.address}/host", cookies=cookies).status_code == 200


def test_a_name_is_taken_once_whatever_its_case(add: Callable[..., Answer]) -> None:
    assert add("hana", "host").code == 0
    again = add("HANA", "reader")
    assert (again.code, "taken" in again.err) == (2, True)


@pytest.mark.parametrize(("role", "password"), [("king", PASSWORD), ("reader", "short")])
def test_a_wrong_role_or_password_makes_nothing(
    add: Callable[..., Answer], store: Store, role: str, password: str
) -> None:
    assert add("x", role, password).code == 2
    assert users.users(store) == ()


def test_a_token_acts_for_its_account_with_what_the_role_may(
    add: Callable[..., Answer], grue: Command, store: Store
) -> None:
    for name, role, scopes in (
        ("rita", "reader", ("read",)),
        ("sam", "submitter", ("read", "submit")),
        ("hana", "host", ("read", "submit", "host")),
    ):
        add(name, role, None)
        answer = grue("admin", "token", name)
        found = user_of_token(store, answer.out.strip())
        assert found is not None
        assert (found[0].name, found[1].scopes) == (name, scopes)
    document = grue("admin", "token", "sam", "--scope", "read", "--days", "1", "--label", "nightly", "--json").document
    assert document["schema_version"] == 1
    assert (document["scopes"], document["label"]) == (["read"], "nightly")
    assert document["expires_at"] is not None
    unknown = grue("admin", "token", "smm")
    assert (unknown.code, "Did you mean 'sam'?" in unknown.err) == (2, True)


def test_accounts_are_listed_disabled_and_changed(add: Callable[..., Answer], grue: Command, store: Store) -> None:
    add("hana", "host")
    add("sam", "submitter")
    token = grue("admin", "token", "sam").out.strip()
    assert grue("admin", "user", "disable", "SAM").code == 0
    assert user_of_token(store, token) is None
    assert grue("admin", "user", "role", "sam", "reader", "--json").document["role"] == "reader"
    listed = grue("admin", "user", "list", "--json").document["users"]
    assert [(one["name"], one["role"], one["is_disabled"]) for one in listed] == [
        ("hana", "host", False),
        ("sam", "reader", True),
    ]
    assert "disabled" in grue("admin", "user", "list").out
    assert grue("admin", "user", "enable", "sam", "--json").document["is_disabled"] is False


def test_a_password_is_set_from_standard_input_alone(
    add: Callable[..., Answer], grue: Command, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id = add("sam", "submitter").document["user_id"]
    assert grue("admin", "user", "password", "sam").code == 2
    monkeypatch.setattr("sys.stdin", io.StringIO(" another long one \r\n"))
    assert grue("admin", "user", "password", "sam", "--password-stdin").code == 0
    assert check_password(users.password_hash(store, user_id), " another long one ")


def test_an_invite_is_a_link(grue: Command, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    link = grue("admin", "invite", "--role", "reader").out.strip()
    assert link.startswith("http://127.0.0.1:8000/invites/")
    found = invites.open_invite(store, link.rpartition("/")[2])
    assert found is not None
    assert found.role == "reader"
    monkeypatch.setenv("GRUE_BASE_URL", "https://board.example")
    document = grue("admin", "invite", "--days", "1", "--json").document
    assert document["link"].startswith("https://board.example/invites/")
    assert document["role"] == "submitter"
    assert grue("admin", "invite", "--role", "king").code == 2


def test_quotas_are_set_shown_and_given_back(add: Callable[..., Answer], grue: Command) -> None:
    add("sam", "submitter", None)
    assert "scored today: 0 of 20" in grue("admin", "quota", "sam").out
    limits = grue("admin", "quota", "sam", "--scored", "3", "--json").document["limits"]
    assert (limits["scored_per_day"], limits["attempts_per_day"]) == (3, 200)
    limits = grue("admin", "quota", "sam", "--attempts", "9", "--json").document["limits"]
    assert (limits["scored_per_day"], limits["attempts_per_day"]) == (3, 9)
    limits = grue("admin", "quota", "sam", "--scored", "settings", "--json").document["limits"]
    assert limits["scored_per_day"] == 20
    assert grue("admin", "quota", "sam", "--scored", "many").code == 2


def test_tasks_and_runs_are_closed_and_hidden(grue: Command, store: Store, tmp_path: Path) -> None:
    assert grue("admin", "close-task", "commongen", "--json").document == {
        "schema_version": 1,
        "task": "commongen",
        "is_closed": True,
    }
    assert hosts.closed_tasks(store) == {"commongen"}
    assert grue("admin", "close-task", "comongen").code == 2
    assert grue("admin", "open-task", "commongen").code == 0
    assert hosts.closed_tasks(store) == frozenset()
    rebuild(store, [sample_runs(tmp_path / "runs")])
    assert grue("admin", "hide", "01CAUSAL", "--reason", "a test").code == 0
    assert visibility.hidden_runs(store) == {"01CAUSAL": "a test"}
    assert grue("admin", "hide", "none", "--reason", "a test").code == 2
    assert grue("admin", "unhide", "01CAUSAL", "--json").document["is_hidden"] is False
    assert visibility.hidden_runs(store) == {}


def test_what_was_done_stands_in_the_audit_log(add: Callable[..., Answer], grue: Command) -> None:
    add("hana", "host")
    grue("admin", "close-task", "commongen")
    grue("admin", "token", "hana")
    document = grue("admin", "audit", "--json").document
    assert [(line["actor"], line["action"]) for line in document["lines"]] == [
        ("command line", "token.create"),
        ("command line", "task.close"),
        ("command line", "user.create"),
    ]
    page = grue("admin", "audit", "--limit", "2", "--json").document
    rest = grue("admin", "audit", "--cursor", page["next_cursor"], "--json").document
    assert [line["action"] for line in rest["lines"]] == ["user.create"]
    assert "hana" in grue("admin", "audit").out
    assert json.loads(grue("admin", "user", "list", "--json").out)["schema_version"] == 1
