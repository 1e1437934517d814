"""Which cases of a parametrized test wait for the long tests."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import pytest


def long_except(names: Iterable[str], quick: Collection[str]) -> list[Any]:
    """Names to run a test with; all but the quick ones wait for the long tests."""
    return [name if name in quick else pytest.param(name, marks=pytest.mark.long) for name in names]
