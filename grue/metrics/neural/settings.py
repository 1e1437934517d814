"""Reading the settings that metrics with a judge share."""

from __future__ import annotations

from grue.core.task import Setting


def whole_or_none(value: Setting | None) -> int | None:
    """A setting that is a whole number, or nothing."""
    return None if value is None else int(value)


def text_or_none(value: Setting | None) -> str | None:
    """A setting that is text, or nothing."""
    return None if value is None else str(value)
