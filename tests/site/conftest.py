"""Boards that are built once, and what reads their pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from leaderboard_site.export import BoardReport, build_board
from tests.site.boards import sample_runs, scored_runs
from tests.site.fake_runs import FakeTask, write_run
from tests.site.parsed import Html
from tests.site.ranked_boards import ranked_runs


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """Writes a run directory into ``tmp_path / "runs"``; arguments as for ``write_run`` after the folder."""

    def make(run_id: str, name: str, tasks: Mapping[str, FakeTask], **more: Any) -> Path:
        return write_run(tmp_path / "runs", run_id, name, tasks, **more)

    return make


@pytest.fixture
def fake_task() -> type[FakeTask]:
    """The class of a task of a run."""
    return FakeTask


@dataclass
class WriteFake:
    """What writes runs into a folder of one's own."""

    run: Callable[..., Path] = write_run
    task: type[FakeTask] = FakeTask


@pytest.fixture(scope="session")
def write_fake() -> WriteFake:
    """``run(folder, run_id, name, tasks)`` and ``task(values)``, for boards that several tests read."""
    return WriteFake()


@pytest.fixture(scope="session")
def read_html() -> Callable[[Path], Html]:
    """Parses a file of the board; a board that stays as it is is parsed once."""
    parsed: dict[tuple[Path, int], Html] = {}

    def read(path: Path) -> Html:
        key = (path, path.stat().st_mtime_ns)
        if key not in parsed:
            parsed[key] = Html(path.read_text(encoding="utf-8"))
        return parsed[key]

    return read


@dataclass
class Site:
    """A board with everything that a board can have, and the runs it was built from."""

    runs: Path
    board: Path
    report: BoardReport


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A board built once for all tests that only read it."""
    folder = tmp_path_factory.mktemp("site")
    runs = sample_runs(folder / "runs")
    report = build_board([runs], folder / "board")
    return Site(runs, folder / "board", report)


@pytest.fixture(scope="session")
def scored_site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A board of runs with scores, validity reports and explanations."""
    folder = tmp_path_factory.mktemp("scored")
    runs = scored_runs(folder / "runs")
    return Site(runs, folder / "board", build_board([runs], folder / "board"))


@pytest.fixture(scope="session")
def ranked_site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A board of runs whose rows are given."""
    folder = tmp_path_factory.mktemp("ranked")
    runs = ranked_runs(folder / "runs")
    return Site(runs, folder / "board", build_board([runs], folder / "board"))
