"""Tokens for commands and programs: random, scoped, revocable; stored as hashes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from grue.core.errors import UsageError
from grue.store.database import Store
from grue.store.service.audit import write_line
from grue.store.service.clock import later, moment, new_id, new_secret, secret_hash, stamp
from grue.store.service.models import TokenModel, UserModel
from grue.store.service.users import locked_user, user_from
from grue.store.service.values import SCOPES, Token, User

PREFIX = "grue_"
MOST_LETTERS = 100
_DAY = 86400
# The time of use is written at most so often, that reading stays reading.
_USE_SECONDS = 300


def create_token(
    store: Store,
    user_id: str,
    label: str,
    scopes: Iterable[str],
    *,
    days: float | None = None,
    actor: str | None = None,
    now: datetime | None = None,
) -> tuple[str, Token]:
    """Make a token; its secret is handed out here alone.

    Args:
        store: An open store.
        user_id: The account that it acts for.
        label: What its owner knows it by.
        scopes: Of ``read``, ``submit`` and ``host``; the account's role bounds them too.
        days: How long it holds; ``None`` until it is revoked.
        actor: Who makes it; its owner where nothing is said.
        now: The time to take instead of the real one.

    Raises:
        UsageError: for an account that is none or disabled, no scope or one that is none, or a label that is too long.
    """
    wanted = set(scopes)
    if not wanted or wanted - set(SCOPES):
        said = ", ".join(sorted(wanted - set(SCOPES))) or "nothing"
        raise UsageError(f"A token cannot be for {said[:60]}.", f"Scopes are {', '.join(SCOPES)}.")
    if len(label) > MOST_LETTERS:
        raise UsageError(f"The label has {len(label)} characters.", f"Take at most {MOST_LETTERS}.")
    if days is not None and not 0 < days <= 36500:
        raise UsageError(f"A token cannot hold for {days} days.", "Take more than 0 and at most 36,500.")
    raw = PREFIX + new_secret()
    with store.change() as connection:
        time = moment(connection, now)
        if locked_user(connection, user_id)["is_disabled"]:
            raise UsageError("The account is disabled.", "Enable it first.")
        values: dict[str, Any] = {
            "token_id": new_id(time),
            "user_id": user_id,
            "label": label,
            "scopes": " ".join(scope for scope in SCOPES if scope in wanted),
            "created_at": stamp(time),
            "expires_at": None if days is None else later(time, days * _DAY),
            "last_used_at": None,
            "revoked_at": None,
        }
        connection.execute(insert(TokenModel).values(**values, secret_sha256=secret_hash(raw)))
        write_line(connection, time, actor or user_id, "token.create", values["token_id"], values["scopes"])
    return raw, _token(values)


def user_of_token(store: Store, raw: str, *, now: datetime | None = None) -> tuple[User, Token] | None:
    """Account and token of a secret, while that holds and the account is not disabled."""
    if not raw.startswith(PREFIX):
        return None
    of_token = select(TokenModel.__table__).where(TokenModel.secret_sha256 == secret_hash(raw))
    with store.read() as connection:
        time = moment(connection, now)
        row = connection.execute(of_token).mappings().first()
        if row is None or row["revoked_at"] is not None:
            return None
        if row["expires_at"] is not None and row["expires_at"] <= stamp(time):
            return None
        owner = connection.execute(select(UserModel.__table__).where(UserModel.user_id == row["user_id"])).mappings()
        of = user_from(owner.one())
    if of.is_disabled:
        return None
    token = _token(row)
    if token.last_used_at is None or token.last_used_at <= later(time, -_USE_SECONDS):
        with store.change() as connection:
            own = TokenModel.token_id == token.token_id
            connection.execute(update(TokenModel).where(own).values(last_used_at=stamp(time)))
    return of, token


def tokens(store: Store, user_id: str) -> tuple[Token, ...]:
    """An account's tokens, newest first; revoked ones among them."""
    query = select(TokenModel.__table__).where(TokenModel.user_id == user_id).order_by(TokenModel.token_id.desc())
    with store.read() as connection:
        return tuple(_token(row) for row in connection.execute(query).mappings())


def revoke_token(
    store: Store, token_id: str, user_id: str, *, actor: str | None = None, now: datetime | None = None
) -> None:
    """Revoke a token of an account; one that is revoked stays so.

    Raises:
        UsageError: where the account has no such token.
    """
    own = (TokenModel.token_id == token_id, TokenModel.user_id == user_id)
    with store.change() as connection:
        time = moment(connection, now)
        if connection.execute(select(TokenModel.token_id).where(*own)).first() is None:
            raise UsageError(f"The account has no token {token_id[:40]!r}.", "Its page lists all.")
        still = TokenModel.revoked_at.is_(None)
        done = connection.execute(update(TokenModel).where(*own, still).values(revoked_at=stamp(time)))
        if done.rowcount:
            write_line(connection, time, actor or user_id, "token.revoke", token_id)


def _token(row: Mapping[Any, Any]) -> Token:
    plain = {name: row[name] for name in Token.__slots__ if name != "scopes"}
    return Token(**plain, scopes=tuple(row["scopes"].split()))
