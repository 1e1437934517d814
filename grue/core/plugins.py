"""Entry points of installed distributions, read once while nothing is installed or removed."""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path


def points(group: str) -> tuple[EntryPoint, ...]:
    """The entry points of a group, in the order of the path.

    Reading the metadata of all distributions takes as long as a small import, and one command asks many times.
    """
    return _read(group, tuple((place, _changed(place)) for place in sys.path))


@lru_cache(maxsize=16)
def _read(group: str, path: tuple[tuple[str, int], ...]) -> tuple[EntryPoint, ...]:  # noqa: ARG001 - what it depends on
    return tuple(entry_points(group=group))


def _changed(place: str) -> int:
    """When a folder last gained or lost an entry; 0 where it is none."""
    try:
        return Path(place).stat().st_mtime_ns
    except OSError:
        return 0
