"""Accounts: made by the command line, by an invite, or by an identity provider; disabled, never deleted."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from grue.core.errors import UsageError
from grue.store.database import Store
from grue.store.service.audit import COMMAND_LINE, write_line
from grue.store.service.clock import moment, new_id, stamp
from grue.store.service.inserting import insert_if_absent
from grue.store.service.models import IdentityModel, SignInModel, TokenModel, UserModel
from grue.store.service.values import ROLES, User

MOST_LETTERS = 60
_FIX = f"Choose a name of 1 to {MOST_LETTERS} visible characters."


def create_user(
    store: Store,
    name: str,
    role: str,
    *,
    password_hash: str | None = None,
    actor: str = COMMAND_LINE,
    now: datetime | None = None,
) -> User:
    """Make an account.

    Raises:
        UsageError: where the name is taken, whatever its case, or is none; or for a role that is none.
    """
    with store.change() as connection:
        return insert_user(connection, moment(connection, now), name, role, password_hash, actor)


def user(store: Store, user_id: str) -> User | None:
    """An account by its id."""
    return _one(store, UserModel.user_id == user_id)


def user_by_name(store: Store, name: str) -> User | None:
    """An account by its name, whatever its case."""
    return _one(store, UserModel.name_key == name_key(name))


def users(store: Store) -> tuple[User, ...]:
    """All accounts by name."""
    with store.read() as connection:
        rows = connection.execute(select(UserModel.__table__).order_by(UserModel.name_key)).mappings()
        return tuple(user_from(row) for row in rows)


def password_hash(store: Store, user_id: str) -> str | None:
    """The hash of an account's password; ``None`` where it has none."""
    query = select(UserModel.password_hash).where(UserModel.user_id == user_id)
    with store.read() as connection:
        found: str | None = connection.execute(query).scalar()
    return found


def set_role(store: Store, user_id: str, role: str, *, actor: str = COMMAND_LINE, now: datetime | None = None) -> None:
    """Let an account do more or less.

    Raises:
        UsageError: for an account or a role that is none.
    """
    _check_role(role)
    with store.change() as connection:
        _set(connection, user_id, role=role)
        write_line(connection, moment(connection, now), actor, "user.role", user_id, role)


def set_disabled(
    store: Store, user_id: str, is_disabled: bool, *, actor: str = COMMAND_LINE, now: datetime | None = None
) -> None:
    """Disable an account, which ends its sign-ins and tokens for good, or enable it again.

    Raises:
        UsageError: for an account that is none.
    """
    with store.change() as connection:
        time = moment(connection, now)
        _set(connection, user_id, is_disabled=is_disabled)
        if is_disabled:
            connection.execute(delete(SignInModel).where(SignInModel.user_id == user_id))
            own = (TokenModel.user_id == user_id, TokenModel.revoked_at.is_(None))
            connection.execute(update(TokenModel).where(*own).values(revoked_at=stamp(time)))
        write_line(connection, time, actor, "user.disable" if is_disabled else "user.enable", user_id)


def set_password_hash(
    store: Store, user_id: str, password_hash: str | None, *, actor: str = COMMAND_LINE, now: datetime | None = None
) -> None:
    """Set or take away a password; whoever is signed in to the account is signed out.

    Raises:
        UsageError: for an account that is none.
    """
    with store.change() as connection:
        _set(connection, user_id, password_hash=password_hash)
        connection.execute(delete(SignInModel).where(SignInModel.user_id == user_id))
        write_line(connection, moment(connection, now), actor, "user.password", user_id)


def set_quota(
    store: Store,
    user_id: str,
    scored_per_day: int | None,
    attempts_per_day: int | None,
    *,
    actor: str = COMMAND_LINE,
    now: datetime | None = None,
) -> None:
    """Give an account quotas of its own; ``None`` for those of the settings.

    Raises:
        UsageError: for an account that is none, or a number below 0.
    """
    for number in (scored_per_day, attempts_per_day):
        if number is not None and not 0 <= number <= 1_000_000:
            raise UsageError(f"A quota of {number} a day is none.", "Take 0 to 1,000,000, or nothing.")
    with store.change() as connection:
        _set(connection, user_id, scored_per_day=scored_per_day, attempts_per_day=attempts_per_day)
        said = f"scored {_said(scored_per_day)}, attempts {_said(attempts_per_day)}"
        write_line(connection, moment(connection, now), actor, "user.quota", user_id, said)


def user_of_identity(store: Store, issuer: str, subject: str) -> User | None:
    """The account that an identity provider's subject signs in to."""
    query = (
        select(UserModel.__table__)
        .join(IdentityModel, IdentityModel.user_id == UserModel.user_id)
        .where(IdentityModel.issuer == issuer, IdentityModel.subject == subject)
    )
    with store.read() as connection:
        row = connection.execute(query).mappings().first()
    return None if row is None else user_from(row)


def create_with_identity(
    store: Store, name: str, role: str, issuer: str, subject: str, *, now: datetime | None = None
) -> User:
    """Make the account of an identity; two that come at once get the same one.

    Args:
        store: An open store.
        name: What the provider calls the person; a number is added where it is taken.
        role: Of a new account.
        issuer: Address of the provider.
        subject: The provider's id of the person.
        now: The time to take instead of the real one.
    """
    _check_role(role)
    with store.write() as connection:
        time = moment(connection, now)
        of_it = select(IdentityModel.user_id).where(IdentityModel.issuer == issuer, IdentityModel.subject == subject)
        known = connection.execute(of_it).scalar()
        if known is not None:
            return user_from(locked_user(connection, known))
        made = insert_user(connection, time, free_name(connection, name), role, None, issuer)
        values = {"issuer": issuer, "subject": subject, "user_id": made.user_id}
        connection.execute(insert(IdentityModel).values(values))
        return made


def insert_user(
    connection: Connection, time: datetime, name: str, role: str, password_hash: str | None, actor: str
) -> User:
    """Make an account inside the caller's transaction.

    Raises:
        UsageError: as ``create_user``.
    """
    _check_role(role)
    _check_name(name)
    values: dict[str, Any] = {
        "user_id": new_id(time),
        "name": name,
        "name_key": name_key(name),
        "role": role,
        "password_hash": password_hash,
        "is_disabled": False,
        "scored_per_day": None,
        "attempts_per_day": None,
        "created_at": stamp(time),
    }
    if not insert_if_absent(connection, UserModel, values):
        raise UsageError(f"The name {name!r} is taken.", "Choose another name.")
    write_line(connection, time, actor, "user.create", values["user_id"], role)
    return user_from(values)


def locked_user(connection: Connection, user_id: str) -> Mapping[Any, Any]:
    """The row of an account, which nobody else changes before the transaction ends.

    Raises:
        UsageError: for an account that is none.
    """
    query = select(UserModel.__table__).where(UserModel.user_id == user_id).with_for_update()
    row = connection.execute(query).mappings().first()
    if row is None:
        raise UsageError(f"There is no account {user_id[:40]!r}.", "'grue admin user list' shows all.")
    return row


def user_from(row: Mapping[Any, Any]) -> User:
    """An account from its row."""
    plain = {name: row[name] for name in User.__slots__ if name not in ("has_password", "is_disabled")}
    return User(**plain, has_password=row["password_hash"] is not None, is_disabled=bool(row["is_disabled"]))


def name_key(name: str) -> str:
    """What two names share that people would take for one."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _one(store: Store, condition: ColumnElement[bool]) -> User | None:
    with store.read() as connection:
        row = connection.execute(select(UserModel.__table__).where(condition)).mappings().first()
    return None if row is None else user_from(row)


def _set(connection: Connection, user_id: str, **values: object) -> None:
    locked_user(connection, user_id)
    connection.execute(update(UserModel).where(UserModel.user_id == user_id).values(**values))


def free_name(connection: Connection, wanted: str) -> str:
    """A name that nobody has, as near as may be to what a provider calls the person."""
    visible = "".join(letter if letter.isprintable() else " " for letter in wanted)
    plain = " ".join(visible.split())[: MOST_LETTERS - 6].strip() or "user"
    number = 1
    while True:
        name = plain if number == 1 else f"{plain}-{number}"
        if connection.execute(select(UserModel.user_id).where(UserModel.name_key == name_key(name))).first() is None:
            return name
        number += 1


def _check_name(name: str) -> None:
    if not 1 <= len(name) <= MOST_LETTERS or not name.isprintable() or name != name.strip():
        raise UsageError(f"{name[:MOST_LETTERS]!r} is no name of an account.", _FIX)


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise UsageError(f"There is no role {role[:40]!r}.", f"Roles are {', '.join(ROLES)}.")


def _said(number: int | None) -> str:
    return "as all" if number is None else str(number)
