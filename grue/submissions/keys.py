"""Keys of the artifact store: short relative paths of plain names, whoever made them up."""

from __future__ import annotations

import re

from grue.core.errors import StoreError

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}")
_MAX_PARTS = 12


def checked_key(key: str) -> str:
    """The key, where it is one.

    Raises:
        StoreError: for one that is absolute, climbs, or holds other signs than letters, digits and ``._-``.
    """
    parts = key.split("/")
    if len(parts) > _MAX_PARTS or not all(_PART.fullmatch(part) for part in parts):
        shown = key[:200].encode("utf-8", "backslashreplace").decode()
        raise StoreError(f"{shown!r} is no key of an artifact.", "Keys are relative paths of plain names.")
    return key
