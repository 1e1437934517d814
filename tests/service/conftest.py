"""Services that run, for tests of every part of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.service.serving import Served, served
from tests.site.boards import sample_runs


@pytest.fixture
def service_app() -> Iterator[Callable[..., Served]]:
    """Starts a service: ``service_app(tmp_path, runs=FOLDER, split="test", …)``; it ends with the test."""
    with contextlib.ExitStack() as stack:

        def start(home: Path, **more: Any) -> Served:
            return stack.enter_context(served(home, **more))

        yield start


@pytest.fixture(scope="session")
def board_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of run directories with everything that a board can have."""
    return sample_runs(tmp_path_factory.mktemp("board") / "runs")


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory, board_runs: Path) -> Iterator[Served]:
    """A served board for all tests of a module that only read it."""
    with served(tmp_path_factory.mktemp("served"), board_runs) as found:
        yield found
