"""Bodies as they are sent: plain, gzip and brotli, each made once."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass

import brotli

ENCODINGS = ("br", "gzip")
_WORTH_BYTES = 512
_BROTLI_QUALITY = 5
_GZIP_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Body:
    """A body in one encoding, with the strong tag of these very bytes; ``encoding`` is empty for the plain one."""

    encoding: str
    content: bytes
    etag: str


def encoded(content: bytes, encoding: str) -> Body:
    """A body in an encoding; a short one stays plain."""
    tag = hashlib.sha256(content).hexdigest()[:24]
    if len(content) < _WORTH_BYTES or encoding not in ENCODINGS:
        return Body("", content, f'"{tag}"')
    if encoding == "br":
        packed = brotli.compress(content, quality=_BROTLI_QUALITY)
    else:
        packed = gzip.compress(content, _GZIP_LEVEL, mtime=0)
    return Body(encoding, packed, f'"{tag}-{encoding}"')


def accepted(header: str) -> str:
    """The best encoding that a client takes: ``br``, ``gzip`` or empty for plain.

    Args:
        header: Its ``Accept-Encoding``; an encoding with weight 0 is refused.
    """
    weights: dict[str, float] = {}
    for part in header.lower().split(","):
        name, _, parameters = part.strip().partition(";")
        weights[name.strip()] = _weight(parameters)
    for encoding in ENCODINGS:
        if weights.get(encoding, weights.get("*", 0.0)) > 0:
            return encoding
    return ""


def _weight(parameters: str) -> float:
    key, _, value = parameters.strip().partition("=")
    try:
        return float(value) if key.strip() == "q" else 1.0
    except ValueError:
        return 0.0
