"""The board from the store is the board from the folders, byte for byte, on both databases."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import grue
from grue.cli.main import run as run_command
from grue.store.database import open_store
from grue.store.decisions import supersede
from grue.store.rebuild import rebuild


def files_of(folder: Path) -> dict[str, str]:
    """Hash of every file by its path."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real runs: three seeds of a null system, and two prediction files of which the second corrects the first."""
    folder = tmp_path_factory.mktemp("real")
    same = {"tasks": "commongen", "data": "mini", "metrics": "coverage,rougeL", "model_metrics": False}
    for seed in (1, 2, 3):
        run = grue.evaluate(
            "null:random-reference", limit=6, seed=seed, output=folder / f"random-{seed}", name=f"r {seed}", **same
        )
    ids = sorted(set(run.samples("commongen")["id"]))
    for name, text in (("wrong", "a dog runs"), ("right", "a dog catches the ball")):
        lines = [json.dumps({"task": "commongen", "id": row, "prediction": text}) for row in ids]
        file = folder / f"{name}.jsonl"
        file.write_text("\n".join(lines))
        grue.score(file, limit=6, output=folder / name, name=name, **same)
    return folder


def test_board_is_the_same_from_folders_and_both_databases_even_after_they_were_deleted(
    real: Path, tmp_path: Path, databases_of: Callable[..., Any], postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    boards: dict[str, dict[str, str]] = {}
    for kind in ("sqlite", "postgresql"):
        made = databases_of(kind)
        url = made.new()
        monkeypatch.setenv("GRUE_DATABASE_URL", url)
        assert run_command(["db", "rebuild", "--results", str(real), "--quiet"]) == 0
        if kind == "sqlite":
            with open_store(url) as store:
                supersede(store, *both_files(store), "the wrong file was scored")
            rebuild_again = ["db", "rebuild", "--results", str(real)]
            assert run_command(rebuild_again) == 0
        assert run_command(["leaderboard", "build", "--out", str(tmp_path / kind)]) == 0
        boards[kind] = files_of(tmp_path / kind)
        made.again(url)
        assert run_command(["db", "rebuild", "--results", str(real)]) == 0
        assert run_command(["leaderboard", "build", "--out", str(tmp_path / f"{kind}-again")]) == 0
        boards[f"{kind} again"] = files_of(tmp_path / f"{kind}-again")
    assert run_command(["leaderboard", "build", "--results", str(real), "--out", str(tmp_path / "folders")]) == 0
    expected = files_of(tmp_path / "folders")
    assert len(expected) > 10
    for name, found in boards.items():
        assert found == expected, name
    text = "".join(path.read_text() for path in (tmp_path / "folders").rglob("*.html"))
    assert "Superseded, so without a rank: the wrong file was scored" in text


def both_files(store: Any) -> tuple[str, str]:
    """Ids of the wrong and the right prediction file's run."""
    from grue.store import queries

    found = {run.name: run.run_id for run in queries.runs(store).runs}
    return found["wrong"], found["right"]


def test_run_that_changed_since_it_was_indexed_is_left_out_and_named(
    real: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import shutil

    from grue.core.run import checksum
    from grue.runs.files import write_json
    from grue.runs.read import read_run

    copy = shutil.copytree(real, tmp_path / "runs")
    monkeypatch.setenv("GRUE_DATABASE_URL", f"sqlite:///{tmp_path}/x.sqlite")
    with open_store() as store:
        rebuild(store, [copy])
    stored = dict(read_run(copy / "right").results)
    stored["status"] = "partial"
    del stored["checksum"]
    write_json(copy / "right" / "results.json", {**stored, "checksum": checksum(stored)})
    shutil.rmtree(copy / "random-1")
    assert run_command(["leaderboard", "build", "--out", str(tmp_path / "board")]) == 3
    said = capsys.readouterr().err
    assert "right: results.json: checksum is" in said
    assert "random-1" in said
    assert said.count("grue db rebuild") == 2


def test_board_of_an_empty_store_says_how_to_fill_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GRUE_DATABASE_URL", f"sqlite:///{tmp_path}/x.sqlite")
    assert run_command(["leaderboard", "build", "--out", str(tmp_path / "board")]) == 2
    assert "grue db rebuild" in capsys.readouterr().err
    assert not (tmp_path / "board").exists()


def test_board_of_the_store_does_not_replace_a_folder_that_holds_its_runs(
    real: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GRUE_DATABASE_URL", f"sqlite:///{tmp_path}/x.sqlite")
    assert run_command(["db", "rebuild", "--results", str(real)]) == 0
    assert run_command(["leaderboard", "build", "--out", str(real)]) == 2
    assert "holds the results" in capsys.readouterr().err
