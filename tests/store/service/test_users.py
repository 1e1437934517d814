"""Accounts, sign-ins, tokens and invites: secrets are shown once, and end when they should."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from grue.core.errors import StoreError, UsageError
from grue.store.database import Store
from grue.store.service import audit, invites, sign_ins, tokens, users

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def everything(store: Store) -> str:
    """All texts of the tables of accounts."""
    with store.read() as connection:
        tables = ("users", "identities", "sign_ins", "tokens", "invites", "audit_log")
        return "\n".join(str(row) for name in tables for row in connection.execute(text(f"SELECT * FROM {name}")))


def test_name_is_one_whatever_its_case(store: Store) -> None:
    ann = users.create_user(store, "Ann Straße", "submitter", password_hash="$argon2id$x")
    assert users.user_by_name(store, "ANN STRASSE") == ann
    assert (ann.has_password, users.password_hash(store, ann.user_id)) == (True, "$argon2id$x")
    for taken in ("ann straße", "Ann Straße"):  # the last in letters of full width
        with pytest.raises(UsageError, match="is taken"):
            users.create_user(store, taken, "reader")
    assert users.users(store) == (ann,)


@pytest.mark.parametrize("name", ["", " ann", "ann\n", "a" * 61, "a\x00b", "\u202eann"])
def test_name_that_nobody_can_read_is_refused(store: Store, name: str) -> None:
    with pytest.raises(UsageError, match="no name of an account"):
        users.create_user(store, name, "reader")


def test_role_that_is_none_is_refused(store: Store) -> None:
    ann = users.create_user(store, "Ann", "reader")
    for wrong in ("", "admin", "Host"):
        with pytest.raises(UsageError, match="no role"):
            users.create_user(store, "Bob", wrong)
        with pytest.raises(UsageError, match="no role"):
            users.set_role(store, ann.user_id, wrong)
    users.set_role(store, ann.user_id, "host", actor="x")
    found = users.user(store, ann.user_id)
    assert found is not None
    assert found.role == "host"


def test_sign_in_ends_by_time_by_hand_and_with_its_account(store: Store) -> None:
    ann = users.create_user(store, "Ann", "reader")
    raw, other = (sign_ins.sign_in(store, ann.user_id, 60, now=NOON) for _ in range(2))
    assert raw != other
    assert len(raw) >= 43  # 256 bits
    assert sign_ins.signed_in(store, raw, now=NOON + timedelta(seconds=59)) == ann
    assert sign_ins.signed_in(store, raw, now=NOON + timedelta(seconds=60)) is None
    assert sign_ins.signed_in(store, raw + "x", now=NOON) is None
    sign_ins.sign_out(store, raw)
    assert sign_ins.signed_in(store, raw, now=NOON) is None
    assert sign_ins.signed_in(store, other, now=NOON) == ann
    sign_ins.sign_out_all(store, ann.user_id)
    assert sign_ins.signed_in(store, other, now=NOON) is None


def test_new_password_ends_all_sign_ins(store: Store) -> None:
    ann = users.create_user(store, "Ann", "reader")
    raw = sign_ins.sign_in(store, ann.user_id, 60)
    users.set_password_hash(store, ann.user_id, "$argon2id$new")
    assert sign_ins.signed_in(store, raw) is None


def test_disabled_account_has_no_sign_in_and_no_token_even_after_it_is_enabled(store: Store) -> None:
    ann = users.create_user(store, "Ann", "host")
    raw = sign_ins.sign_in(store, ann.user_id, 60)
    token, _ = tokens.create_token(store, ann.user_id, "ci", ["read"])
    users.set_disabled(store, ann.user_id, True)
    for act in (
        lambda: sign_ins.sign_in(store, ann.user_id, 60),
        lambda: tokens.create_token(store, ann.user_id, "", ["read"]),
    ):
        with pytest.raises(UsageError, match="disabled"):
            act()
    for is_disabled in (True, False):
        users.set_disabled(store, ann.user_id, is_disabled)
        assert sign_ins.signed_in(store, raw) is None
        assert tokens.user_of_token(store, token) is None


def test_token_acts_for_its_account_until_it_ends(store: Store) -> None:
    ann, bob = users.create_user(store, "Ann", "host"), users.create_user(store, "Bob", "host")
    raw, token = tokens.create_token(store, ann.user_id, "ci", {"submit", "read"}, days=1, now=NOON)
    assert raw.startswith("grue_")
    assert token.scopes == ("read", "submit")
    found = tokens.user_of_token(store, raw, now=NOON + timedelta(hours=23))
    assert found is not None
    assert found[0] == ann
    assert tokens.tokens(store, ann.user_id)[0].last_used_at == "2026-11-22T11:00:00.000000Z"
    assert tokens.user_of_token(store, raw, now=NOON + timedelta(hours=24)) is None
    assert tokens.user_of_token(store, "grue_", now=NOON) is None
    with pytest.raises(UsageError, match="has no token"):
        tokens.revoke_token(store, token.token_id, bob.user_id)
    assert tokens.user_of_token(store, raw, now=NOON) is not None
    tokens.revoke_token(store, token.token_id, ann.user_id)
    assert tokens.user_of_token(store, raw, now=NOON) is None


@pytest.mark.parametrize(("scopes", "days"), [([], None), (["admin"], None), (["read"], 0), (["read"], float("nan"))])
def test_token_for_nothing_is_refused(store: Store, scopes: list[str], days: float | None) -> None:
    ann = users.create_user(store, "Ann", "host")
    with pytest.raises(UsageError, match="A token cannot"):
        tokens.create_token(store, ann.user_id, "ci", scopes, days=days)


def test_secrets_are_stored_as_hashes_alone(store: Store) -> None:
    ann = users.create_user(store, "Ann", "host")
    secrets = [
        sign_ins.sign_in(store, ann.user_id, 60),
        tokens.create_token(store, ann.user_id, "ci", ["read"])[0],
        invites.invite(store, ann.user_id, "reader", 1)[0],
    ]
    stored = everything(store)
    assert ann.user_id in stored
    for raw in secrets:
        assert raw not in stored
        assert raw.removeprefix("grue_") not in stored


def test_invite_makes_one_account(store: Store) -> None:
    raw, invite = invites.invite(store, "command line", "submitter", 7, now=NOON)
    assert invites.open_invite(store, raw, now=NOON) == invite
    assert invites.open_invite(store, raw, now=NOON + timedelta(days=7)) is None
    users.create_user(store, "Ann", "reader")
    with pytest.raises(UsageError, match="is taken"):
        invites.use_invite(store, raw, "ANN", "$argon2id$x", now=NOON)
    bob = invites.use_invite(store, raw, "Bob", "$argon2id$x", now=NOON)
    assert (bob.role, bob.has_password) == ("submitter", True)
    assert invites.open_invite(store, raw, now=NOON) is None
    with pytest.raises(UsageError, match="was used"):
        invites.use_invite(store, raw, "Cid", "$argon2id$x", now=NOON)


def at_once(number: int, act: Any) -> list[Any]:
    """What an act answers in several threads that begin together."""
    start, answers = threading.Barrier(number), []

    def one(index: int) -> None:
        start.wait()
        try:
            answers.append(act(index))
        except (UsageError, StoreError) as error:
            answers.append(error)

    threads = [threading.Thread(target=one, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(answers) == number
    return answers


def test_invite_that_several_use_at_once_makes_one_account(store: Store) -> None:
    raw, _ = invites.invite(store, "command line", "submitter", 7)
    answers = at_once(8, lambda index: invites.use_invite(store, raw, f"user {index}", "$argon2id$x"))
    assert sum(not isinstance(answer, Exception) for answer in answers) == 1
    assert len(users.users(store)) == 1
    assert all("was used" in str(answer) for answer in answers if isinstance(answer, Exception))


def test_identity_that_comes_several_times_at_once_is_one_account(store: Store) -> None:
    users.create_user(store, "Ann", "reader")
    answers = at_once(6, lambda _: users.create_with_identity(store, " ann\n", "submitter", "https://id.example", "7"))
    assert {answer.name for answer in answers} == {"ann-2"}
    assert users.user_of_identity(store, "https://id.example", "7") == answers[0]
    assert users.user_of_identity(store, "https://other.example", "7") is None
    other = users.create_with_identity(store, "\u202e" * 3, "submitter", "https://id.example", "8")
    assert other.name == "user"


def test_each_act_is_in_the_audit_log_and_nothing_leaves_it(store: Store) -> None:
    ann = users.create_user(store, "Ann", "reader")
    users.set_role(store, ann.user_id, "host", actor="someone")
    users.set_quota(store, ann.user_id, 3, None, actor="someone")
    first = audit.audit_log(store, limit=2)
    assert [(line.actor, line.action, line.thing, line.detail) for line in first.lines] == [
        ("someone", "user.quota", ann.user_id, "scored 3, attempts as all"),
        ("someone", "user.role", ann.user_id, "host"),
    ]
    assert first.next_cursor is not None
    rest = audit.audit_log(store, limit=2, cursor=first.next_cursor)
    assert ([line.action for line in rest.lines], rest.next_cursor) == (["user.create"], None)
    for statement in ("DELETE FROM audit_log", "UPDATE audit_log SET actor = 'x'", "DELETE FROM users"):
        with pytest.raises(StoreError, match="never deleted"), store.write() as connection:
            connection.execute(text(statement))
    with pytest.raises(UsageError, match="no cursor"):
        audit.audit_log(store, cursor="1;")


def test_act_that_fails_leaves_no_line(store: Store) -> None:
    with pytest.raises(UsageError, match="no account"):
        users.set_role(store, "nobody", "host")
    with pytest.raises(UsageError, match="quota"):
        users.set_quota(store, "nobody", -1, None)
    assert audit.audit_log(store).lines == ()
