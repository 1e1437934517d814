"""Times and ids of what is born in the database. Times are text of one width, so that they sort as text."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, text
from ulid import ULID


def moment(connection: Connection, now: datetime | None) -> datetime:
    """The time that counts: that of the database's server, as clocks of workers' hosts differ.

    Args:
        connection: An open connection.
        now: The time to take instead, for tests.
    """
    if now is not None:
        return now
    if connection.dialect.name == "postgresql":
        found: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        return found.astimezone(UTC)
    return datetime.now(UTC)


def stamp(time: datetime) -> str:
    """RFC 3339 in UTC to the microsecond."""
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def later(time: datetime, seconds: float) -> str:
    """The time some seconds later, as text; negative ones mean earlier."""
    return stamp(time + timedelta(seconds=seconds))


def seconds_between(earlier: str, time: datetime) -> float:
    """Seconds from a time that is text until another."""
    return (time - datetime.fromisoformat(earlier)).total_seconds()


def day_of(time: datetime) -> str:
    """The day in UTC, whose quota is used."""
    return time.astimezone(UTC).date().isoformat()


def next_day(time: datetime) -> datetime:
    """When the next day begins in UTC."""
    return time.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def new_id(time: datetime) -> str:
    """A fresh ULID: 26 characters that sort by time."""
    return str(ULID.from_datetime(time))


def new_secret() -> str:
    """256 random bits, fit for addresses and cookies."""
    return secrets.token_urlsafe(32)


def secret_hash(secret: str) -> str:
    """What is stored of a secret. It is random, so that one round is enough."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
