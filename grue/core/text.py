"""Canonical JSON, content ids and nearest names: small laws that files and messages share."""

from __future__ import annotations

import difflib
import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"


# Circles are not looked for, which takes a quarter of the time: a value of that type has none.
_CANONICAL = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
)


def canonical_json(value: Json) -> str:
    """JSON with sorted keys, no blanks and unescaped UTF-8, so that equal values give equal bytes.

    Raises:
        ValueError: for NaN or an infinite number, which JSON does not know.
    """
    return _CANONICAL.encode(value)


def sha256_text(text: str) -> str:
    """SHA-256 of the UTF-8 bytes, as 64 hex digits."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def content_id(value: Json) -> str:
    """The first 16 hex digits of the SHA-256 of the canonical JSON: the id of a row without one."""
    return sha256_text(canonical_json(value))[:16]


def finite_or_none(value: float) -> float | None:
    """The number itself, or ``None`` where it is NaN or infinite and so must not reach a JSON file."""
    return float(value) if math.isfinite(value) else None


def nearest(name: str, known: Iterable[str]) -> str:
    """``" Did you mean 'x'?"`` for the closest known name, or an empty string."""
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" Did you mean {matches[0]!r}?" if matches else ""
