"""What goes wrong between here and an endpoint: what is worth asking again, what fails a row, what ends a task."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from grue.core.errors import CheckpointError
from grue.engine.endpoint.address import KEY_VARIABLE, Address, Key
from grue.engine.endpoint.answer import error_code, error_message

ATTEMPTS = 8
TIMEOUT_ATTEMPTS = 3
# Refusals for the rate alone say nothing of the row; only a row that is refused while others pass gets here.
RATE_ATTEMPTS = 32
FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 60.0
# So long nothing but refusals for the rate, and the task ends.
LONGEST_REFUSAL_SECONDS = 900.0
# A server that asks for more is asked again by the next start of the command.
LONGEST_ASKED_WAIT_SECONDS = 600.0

_WORTH_ASKING_AGAIN = (408, 409, 425, 429)
_ENDS_THE_TASK = (401, 403, 404, 405, 410)
# Rate-limit statuses that no waiting mends.
_NO_CREDIT = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")


class Fault(Exception):  # noqa: N818 - most are mended by asking again
    """An attempt that failed and may succeed later.

    Args:
        reason: What happened, in a phrase.
        wait_seconds: How long the server asks to wait; ``None`` where it does not say.
        is_rate_limit: Whether all requests should slow down.
        is_timeout: Whether nothing came in time.
    """

    def __init__(
        self,
        reason: str,
        *,
        wait_seconds: float | None = None,
        is_rate_limit: bool = False,
        is_timeout: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait_seconds = wait_seconds
        self.is_rate_limit = is_rate_limit
        self.is_timeout = is_timeout


class RowRefusedError(Exception):
    """The server will not answer this row, however often it is asked."""


def raise_for(status: int, headers: Mapping[str, str], body: bytes, *, address: Address, key: Key) -> None:
    """Judge a status; nothing happens for a success.

    Raises:
        Fault: where asking again may help.
        RowRefusedError: where this request is wrong for the server.
        CheckpointError: where no request will be answered.
    """
    if 200 <= status < 300:
        return
    said = key.hide(error_message(body))
    reason = f"{_named(status)}{': ' + said if said else ''}"
    place = str(address)
    if 300 <= status < 400:
        target = urlsplit(headers.get("location", "")).netloc.rpartition("@")[2]
        raise CheckpointError(
            f"The endpoint answers {_named(status)}{' to ' + target if target else ''}, which is not followed.",
            "Give the address it stands for as --base-url.",
            place=place,
        )
    if status == 429 and error_code(body) in _NO_CREDIT:
        raise CheckpointError(
            f"The account has no credit: {reason}.", "Top it up; the same command then goes on.", place=place
        )
    if status in _WORTH_ASKING_AGAIN or status >= 500:
        wait = asked_wait(headers.get("retry-after"))
        if wait is not None and wait > LONGEST_ASKED_WAIT_SECONDS:
            raise CheckpointError(
                f"The endpoint asks to wait for {wait:.0f} s: {reason}.",
                "Start the same command then; it goes on where it stopped.",
                place=place,
            )
        is_rate_limit = status == 429 or (status == 503 and wait is not None)
        raise Fault(reason, wait_seconds=wait, is_rate_limit=is_rate_limit)
    if status in _ENDS_THE_TASK:
        raise CheckpointError(f"The endpoint answers {reason}.", _fix(status), place=place)
    raise RowRefusedError(reason)


def asked_wait(text: str | None, now: datetime | None = None) -> float | None:
    """Seconds of a ``Retry-After`` header, which holds a number or a date; ``None`` where it is neither."""
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            then = parsedate_to_datetime(text)
        except ValueError:
            return None
        then = then if then.tzinfo else then.replace(tzinfo=UTC)
        seconds = (then - (now or datetime.now(UTC))).total_seconds()
    return max(0.0, seconds) if seconds == seconds else None


def wait_before(attempt: int, asked_seconds: float | None) -> float:
    """Seconds before the next attempt: what the server asks, else doubled each time; with jitter.

    Args:
        attempt: Attempts that failed so far.
        asked_seconds: From ``Retry-After``.
    """
    if asked_seconds is not None:
        return asked_seconds * random.uniform(1.0, 1.1)
    return min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** (attempt - 1)) * random.uniform(0.5, 1.0)


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _fix(status: int) -> str:
    if status in (401, 403):
        return f"Set {KEY_VARIABLE} to a key that may use this model."
    return "Check the model's name, that --base-url ends as the server wants it (mostly /v1), and --chat-template off."
