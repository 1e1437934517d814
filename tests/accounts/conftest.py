"""Boards with accounts: real servers, real cookies and tokens."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.accounts.people import Place, place


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Place]]:
    """Starts a board with accounts: ``opened(base_url="https://…")``; it ends with the test."""
    with contextlib.ExitStack() as stack:
        number = iter(range(100))

        def start(**changes: Any) -> Place:
            return stack.enter_context(place(tmp_path / f"home-{next(number)}", **changes))

        yield start


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A board for all tests of a module, with limits that they do not reach."""
    home = tmp_path_factory.mktemp("accounts")
    with place(home, posts_per_minute="100000", api_per_minute="100000", sign_in_failures="10000") as found:
        yield found
