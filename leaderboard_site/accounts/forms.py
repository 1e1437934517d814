"""Fields of a posted form, bounded in size and time while they arrive."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Final
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from starlette.exceptions import HTTPException

MOST_BYTES: Final = 64 * 1024
MOST_FIELDS: Final = 200
SECONDS: Final = 30.0
_KIND: Final = "application/x-www-form-urlencoded"


class FormFields:
    """Fields by name; a field that was not sent is empty."""

    def __init__(self, pairs: Sequence[tuple[str, str]] = ()) -> None:
        self._values: Mapping[str, tuple[str, ...]] = {
            name: tuple(value for other, value in pairs if other == name) for name, _ in pairs
        }

    def text(self, name: str) -> str:
        """The first value, without blanks around it."""
        return self.raw(name).strip()

    def raw(self, name: str) -> str:
        """The first value as it was typed: passwords may begin with a blank."""
        return next(iter(self._values.get(name, ())), "")

    def all(self, name: str) -> tuple[str, ...]:
        """Every value, as boxes of one name send them."""
        return self._values.get(name, ())


async def read_form(request: Request) -> FormFields:
    """The fields of a request's body.

    Raises:
        HTTPException: 413 beyond the size, 408 where it comes too slowly, 415 for another kind of body.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = bytearray()
    try:
        async with asyncio.timeout(SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > MOST_BYTES:
                    raise HTTPException(413, f"A form holds at most {MOST_BYTES} bytes.")
    except TimeoutError:
        raise HTTPException(408, "The form took too long to arrive.") from None
    if not body:
        return FormFields()
    if kind != _KIND:
        raise HTTPException(415, f"Send the form as {_KIND}.")
    try:
        pairs = parse_qsl(bytes(body).decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise HTTPException(413, f"A form holds at most {MOST_FIELDS} fields.") from error
    # No database keeps a null character.
    return FormFields([(name, value.replace("\x00", "")) for name, value in pairs])


Form = Annotated[FormFields, Depends(read_form)]
