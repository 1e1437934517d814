"""Rankings with what was drawn before: the same as without, and no row read twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from grue.comparison import standings_rows
from grue.comparison.row_cache import RowCache
from grue.comparison.standings import BoardData, rank_board
from grue.comparison.standings_runs import BoardRun, board_run
from grue.comparison.standings_settings import settings
from grue.runs.read import read_run
from tests.site.ranked_boards import ranked_runs, scored_run


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[BoardRun]:
    folder = ranked_runs(tmp_path_factory.mktemp("runs"))
    scored_run(folder, "04NEW", "new", 0.66)
    return [board_run(read_run(path)) for path in sorted(folder.iterdir())]


def _ranked(runs: list[BoardRun], cache: RowCache | None = None) -> BoardData:
    return rank_board(settings(runs)[0], list(runs[0].tasks), cache)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Run ids whose rows are read, one a reading."""
    found: list[str] = []
    real: Callable[..., object] = standings_rows.all_metric_rows

    def reading(stored: object, *more: object) -> object:
        found.append(Path(stored.path).name)  # type: ignore[attr-defined]
        return real(stored, *more)

    monkeypatch.setattr(standings_rows, "all_metric_rows", reading)
    return found


def test_a_ranking_after_another_is_that_of_a_board_ranked_at_once(runs: list[BoardRun]) -> None:
    cache = RowCache()
    _ranked([run for run in runs if run.id != "04NEW"], cache)
    found, expected = _ranked(runs, cache), _ranked(runs)
    assert found.places == expected.places
    for name, board in expected.tasks.items():
        assert found.tasks[name].entries == board.entries
        for key, draws in board.resampled.items():
            np.testing.assert_allclose(found.tasks[name].resampled[key], draws, rtol=1e-12)


def test_only_a_new_runs_rows_are_read(runs: list[BoardRun], reads: list[str]) -> None:
    cache = RowCache()
    _ranked([run for run in runs if run.id != "04NEW"], cache)
    assert len(set(reads)) > 3
    reads.clear()
    _ranked(runs, cache)
    assert set(reads) == {"04NEW"}
    reads.clear()
    _ranked(runs, cache)
    assert not reads


def test_what_belongs_to_no_run_is_forgotten(runs: list[BoardRun], reads: list[str]) -> None:
    cache = RowCache()
    _ranked(runs, cache)
    others = [run for run in runs if run.id != "04NEW"]
    cache.forget_all_but({str(run.stored.results["checksum"]) for run in others})
    reads.clear()
    _ranked(runs, cache)
    assert set(reads) == {"04NEW"}
