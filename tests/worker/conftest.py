from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.worker.scenario import Scenario


def _maker(folder: Path, stack: ExitStack) -> Callable[..., Scenario]:
    def make(**settings: object) -> Scenario:
        home = folder / f"service-{len(list(folder.iterdir()))}"
        more = {f"GRUE_{name.upper()}": str(value) for name, value in settings.items()}
        home.mkdir()
        service = Scenario(home, f"sqlite:///{home / 'db.sqlite'}", more).open()
        stack.callback(service.close)
        return service

    return make


@pytest.fixture
def scenario(tmp_path: Path) -> Iterator[Callable[..., Scenario]]:
    """Makes services on SQLite; keyword arguments are settings without their prefix."""
    with ExitStack() as stack:
        yield _maker(tmp_path, stack)


@pytest.fixture(scope="module")
def shared_scenario(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Scenario]]:
    """The same for services that several tests look at."""
    with ExitStack() as stack:
        yield _maker(tmp_path_factory.mktemp("shared"), stack)
