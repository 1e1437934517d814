"""The built wheel holds all that an installed grue needs, and works outside a checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(target), str(wheel)]
    subprocess.run(command, check=True, capture_output=True)
    return target


def run(installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command of the installed package, from the root folder."""
    code = (
        "import sys, grue; from grue.cli.main import run; "
        "print(grue.__file__, file=sys.stderr); sys.exit(run(sys.argv[1:]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(installed), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd="/", env=environment, capture_output=True, text=True, check=False
    )
    assert done.stderr.startswith(str(installed)), "another grue was imported"
    return done


def test_the_wheel_holds_every_packaged_file_of_the_checkout(wheel: Path) -> None:
    tracked = subprocess.check_output(
        ["git", "ls-files", "grue", "tasks/grue_tasks", "leaderboard_site"], cwd=ROOT, text=True
    ).splitlines()
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    missing = {name.removeprefix("tasks/") for name in tracked} - packed
    assert not missing
    assert sum(name.endswith("data/test.jsonl") for name in packed) == 8
    assert not {name for name in packed if name.startswith(("tests/", "submissions/", "bench/"))}


def test_the_installed_wheel_finds_its_tasks_rows_and_templates(installed: Path, tmp_path: Path) -> None:
    tasks = run(installed, "tasks", "list", "--json")
    assert tasks.returncode == 0, tasks.stderr
    assert len(json.loads(tasks.stdout)["tasks"]) == 8
    run_folder = tmp_path / "runs" / "copy"
    scored = run(installed, "eval", "-m", "null:copy-input", "-t", "iwslt2017", "--data", "mini", "-o", str(run_folder))
    assert scored.returncode == 0, scored.stderr
    board = run(
        installed, "leaderboard", "build", "--results", str(tmp_path / "runs"), "--out", str(tmp_path / "board")
    )
    assert board.returncode == 0, board.stderr
    assert "null:copy-input" in (tmp_path / "board" / "index.html").read_text(encoding="utf-8")
