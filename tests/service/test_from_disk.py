"""The static board, opened from disk, shows the rows and ranks that the service shows; in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from leaderboard_site.export import build_board
from tests.service.serving import Served, served
from tests.service.varied_runs import varied_runs
from tests.site.ranked_boards import ranked_runs

pytestmark = pytest.mark.browser

# What is read in a ranking, by row and cell; to pin and to choose a run is what only a server can do.
RANKING = """() => [...document.querySelectorAll('table.leaderboard tr')].map(row => [...row.cells]
    .filter(cell => cell.textContent.trim() && !cell.querySelector('input') && cell.textContent.trim() != 'Select')
    .map(cell => { const copy = cell.cloneNode(true); copy.querySelectorAll('button').forEach(one => one.remove());
                   return copy.textContent.replace(/\\s+/g, ' ').trim() }))"""


@pytest.fixture(scope="module", params=[ranked_runs, varied_runs], ids=["ranked", "varied"])
def boards(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Served]]:
    """One set of runs as a static board and behind a server."""
    folder = tmp_path_factory.mktemp("boards")
    runs = request.param(folder / "runs")
    build_board([runs], folder / "board")
    with served(folder / "home", runs) as found:
        yield folder / "board", found


def test_rows_and_ranks_are_those_of_the_service(boards: tuple[Path, Served], browser: Any) -> None:
    board, found = boards
    tab = browser.new_page()

    def ranking(address: str) -> list[list[str]]:
        tab.goto(address)
        shown: list[list[str]] = tab.evaluate(RANKING)
        return shown

    tasks = sorted(path.name for path in (board / "tasks").iterdir() if (path / "index.html").exists())
    pages = {"index.html": "/", **{f"tasks/{task}/index.html": f"/tasks/{task}" for task in tasks}}
    n_ranked = 0
    for on_disk, served_at in pages.items():
        from_disk = ranking((board / on_disk).as_uri())
        assert from_disk == ranking(found.address + served_at), on_disk
        n_ranked += sum(bool(row) and re.match(r"\d", row[0]) is not None for row in from_disk)
    tab.close()
    assert len(pages) >= 3
    assert n_ranked >= 8
