"""Links by which one account each is made, for boards without an identity provider."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from grue.core.errors import UsageError
from grue.store.database import Store
from grue.store.service.audit import write_line
from grue.store.service.clock import later, moment, new_id, new_secret, secret_hash, stamp
from grue.store.service.models import IdentityModel, InviteModel
from grue.store.service.users import free_name, insert_user
from grue.store.service.values import ROLES, Invite, User

_DAY = 86400


def invite(store: Store, created_by: str, role: str, days: float, *, now: datetime | None = None) -> tuple[str, Invite]:
    """Make an invite; its secret is handed out here alone.

    Raises:
        UsageError: for a role that is none, or no time.
    """
    if role not in ROLES:
        raise UsageError(f"There is no role {role[:40]!r}.", f"Roles are {', '.join(ROLES)}.")
    if not 0 < days <= 365:
        raise UsageError(f"An invite cannot hold for {days} days.", "Take more than 0 and at most 365.")
    raw = new_secret()
    with store.change() as connection:
        time = moment(connection, now)
        values: dict[str, Any] = {
            "invite_id": new_id(time),
            "role": role,
            "created_by": created_by,
            "created_at": stamp(time),
            "expires_at": later(time, days * _DAY),
            "used_by": None,
        }
        connection.execute(insert(InviteModel).values(**values, secret_sha256=secret_hash(raw)))
        write_line(connection, time, created_by, "invite.create", values["invite_id"], role)
    return raw, _invite(values)


def open_invite(store: Store, raw: str, *, now: datetime | None = None) -> Invite | None:
    """The invite of a secret, while nobody used it and it has not run out."""
    query = select(InviteModel.__table__).where(InviteModel.secret_sha256 == secret_hash(raw))
    with store.read() as connection:
        row = connection.execute(query.where(*_is_open(moment(connection, now)))).mappings().first()
    return None if row is None else _invite(row)


def use_invite(
    store: Store,
    raw: str,
    name: str,
    password_hash: str | None,
    *,
    identity: tuple[str, str] | None = None,
    now: datetime | None = None,
) -> User:
    """Make the account of an invite, once; where the name is no good the invite stays open.

    Args:
        store: An open store.
        raw: The secret of the invite.
        name: Of the account; a number is added to one that is taken where it comes from an identity provider.
        password_hash: ``None`` for an account that signs in by its provider alone.
        identity: Issuer and subject that will sign in to the account.
        now: The time to take instead, for tests.

    Raises:
        UsageError: where the invite was used or ran out, or the name is taken or none.
    """
    query = select(InviteModel.__table__).where(InviteModel.secret_sha256 == secret_hash(raw)).with_for_update()
    # The only writer, so that a name that is free stays so.
    with store.write() as connection:
        time = moment(connection, now)
        row = connection.execute(query.where(*_is_open(time))).mappings().first()
        if row is None:
            raise UsageError("The invite was used, or ran out.", "Ask a host of the board for a new one.")
        free = name if identity is None else free_name(connection, name)
        made = insert_user(connection, time, free, row["role"], password_hash, f"invite {row['invite_id']}")
        if identity is not None:
            values = {"issuer": identity[0], "subject": identity[1], "user_id": made.user_id}
            connection.execute(insert(IdentityModel).values(values))
        own = InviteModel.invite_id == row["invite_id"]
        connection.execute(update(InviteModel).where(own).values(used_by=made.user_id))
    return made


def _is_open(time: datetime) -> tuple[Any, ...]:
    return (InviteModel.used_by.is_(None), InviteModel.expires_at > stamp(time))


def _invite(row: Mapping[Any, Any]) -> Invite:
    return Invite(**{name: row[name] for name in Invite.__slots__})
