"""Browsers that are signed in, each by a random secret in its cookie."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert, select

from grue.core.errors import UsageError
from grue.store.database import Store
from grue.store.service.clock import later, moment, new_secret, secret_hash, stamp
from grue.store.service.models import SignInModel, UserModel
from grue.store.service.users import locked_user, user_from
from grue.store.service.values import User


def sign_in(store: Store, user_id: str, seconds: float, *, now: datetime | None = None) -> str:
    """Sign an account in; the secret is handed out here alone.

    Raises:
        UsageError: for an account that is none, or is disabled.
    """
    raw = new_secret()
    with store.change() as connection:
        time = moment(connection, now)
        if locked_user(connection, user_id)["is_disabled"]:
            raise UsageError("The account is disabled.", "Ask a host of the board.")
        connection.execute(delete(SignInModel).where(SignInModel.expires_at <= stamp(time)))
        values = {
            "secret_sha256": secret_hash(raw),
            "user_id": user_id,
            "created_at": stamp(time),
            "expires_at": later(time, seconds),
        }
        connection.execute(insert(SignInModel).values(values))
    return raw


def signed_in(store: Store, raw: str, *, now: datetime | None = None) -> User | None:
    """The account of a secret, while that holds and the account is not disabled."""
    with store.read() as connection:
        query = (
            select(UserModel.__table__)
            .join(SignInModel, SignInModel.user_id == UserModel.user_id)
            .where(
                SignInModel.secret_sha256 == secret_hash(raw),
                SignInModel.expires_at > stamp(moment(connection, now)),
                UserModel.is_disabled.is_(False),
            )
        )
        row = connection.execute(query).mappings().first()
    return None if row is None else user_from(row)


def sign_out(store: Store, raw: str) -> None:
    """End one sign-in; one that is none changes nothing."""
    with store.change() as connection:
        connection.execute(delete(SignInModel).where(SignInModel.secret_sha256 == secret_hash(raw)))


def sign_out_all(store: Store, user_id: str) -> None:
    """End all sign-ins of an account."""
    with store.change() as connection:
        connection.execute(delete(SignInModel).where(SignInModel.user_id == user_id))
