"""Text as it came, in databases that cannot hold all of it."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator

_MARK = "\x01json:"


def plain_text() -> Text:
    """A column for names that we make: letters, digits and marks, compared byte by byte in both databases."""
    return Text().with_variant(Text(collation="C"), "postgresql")


class AnyText(TypeDecorator[str]):
    """A column for any Python text.

    PostgreSQL refuses U+0000, and no database takes a lone surrogate; a run's name may hold both. Such text is stored
    as JSON behind a mark; all other text as it stands.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Text, compared byte by byte."""
        return dialect.type_descriptor(Text(collation="C") if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """What is stored."""
        if value is None or not _is_special(value):
            return value
        return _MARK + json.dumps(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """What was given."""
        if value is None or not value.startswith(_MARK):
            return value
        text: str = json.loads(value.removeprefix(_MARK))
        return text


def _is_special(text: str) -> bool:
    if "\x00" in text or text.startswith(_MARK):
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
