"""The stylesheet and scripts of our own, read once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file, with a hash that tells its content apart."""

    content: bytes
    content_type: str
    version: str


@cache
def static_files() -> Mapping[str, StaticFile]:
    """File name -> file, of the kinds that pages use."""
    found = {}
    for path in sorted((files("leaderboard_site") / "static").iterdir(), key=lambda path: path.name):
        suffix = f".{path.name.rpartition('.')[2]}"
        if suffix in _TYPES:
            content = path.read_bytes()
            found[path.name] = StaticFile(content, _TYPES[suffix], hashlib.sha256(content).hexdigest()[:12])
    return found


def versions() -> dict[str, str]:
    """File name -> hash of its content."""
    return {name: file.version for name, file in static_files().items()}
