from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grue.cli.main import run
from grue.core.errors import TaskContractError
from grue.data.location import DataLocation
from grue.data.split import load_split
from grue.registry.tasks import expand, list_tasks, load_task
from grue.testing import check_task

RIDDLES = Path(__file__).parent / "grue-riddles" / "src" / "grue_riddles" / "riddles"


def _grue(site: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A real process that finds the plugin as an installed distribution, and nothing else of the tests."""
    code = "from grue.cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(site), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
    )


def test_installed_tasks_are_listed_without_being_imported(installed):
    entries = {entry.name: entry for entry in list_tasks()}
    assert {"riddles", "riddles_unfinished", "riddles_careless", "imdb"} <= set(entries)
    assert entries["riddles"].distribution == "grue-riddles 1.2.0"
    assert entries["riddles"].module == "grue_riddles.riddles:TASK"
    assert not any(name.startswith("grue_riddles") for name in sys.modules)


def test_installed_task_keeps_the_contract_and_has_its_rows_and_card(installed, tmp_path):
    task = load_task("riddles")
    assert task.version == 3
    assert check_task(task) == []
    data = load_split(task, task.profile("standard"), None, DataLocation("mini"), home=tmp_path)
    assert data.info.rows == 5
    assert {row.prompt for row in data.rows} >= {"Riddle: I have keys but open no door. Answer:"}
    assert "grue_riddles.unfinished" not in sys.modules


def test_plugin_that_raises_at_import_fails_alone_and_is_named(installed):
    with pytest.raises(TaskContractError) as caught:
        load_task("riddles_unfinished")
    assert "grue-riddles 1.2.0" in caught.value.cause
    assert "a_package_that_nobody_has" in caught.value.cause
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)
    assert load_task("riddles").name == "riddles"


def test_plugin_that_raises_while_building_rows_is_named_with_the_record(installed, tmp_path):
    task = load_task("riddles_careless")
    with pytest.raises(TaskContractError) as caught:
        load_split(task, task.profile("standard"), "test", DataLocation("mini"), home=tmp_path)
    assert "riddles_careless" in caught.value.cause
    assert "KeyError" in caught.value.cause
    assert "answers" in caught.value.cause
    assert caught.value.place.endswith("test.jsonl:2")
    assert isinstance(caught.value.__cause__, KeyError)
    (problem, *_) = check_task(task)
    assert problem.check == "rows"
    assert "KeyError" in problem.problem


def test_check_shows_broken_plugins_and_goes_on(installed, capsys):
    assert run(["tasks", "list", "--check", "--json"]) == 1
    entries = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)["tasks"]}
    assert "a_package_that_nobody_has" in entries["riddles_unfinished"]["problem"]
    assert entries["riddles"]["problem"] is None
    assert entries["wmt16"]["problem"] is None


def test_group_of_a_plugin_gives_optional_tasks(installed):
    selection = expand("puzzles,riddles")
    assert selection.names == ("riddles", "commongen")
    assert selection.optional == {"commongen"}


def test_name_claimed_twice_is_refused_when_asked_for_and_only_then(installed, rival):
    entries = {entry.name: entry for entry in list_tasks()}
    assert "grue-riddles 1.2.0" in entries["riddles"].problem
    assert rival in entries["riddles"].problem
    with pytest.raises(TaskContractError) as caught:
        load_task("riddles")
    assert "grue-riddles 1.2.0" in caught.value.cause
    assert rival in caught.value.cause
    assert load_task("commongen").name == "commongen"
    assert "riddles" not in expand("all").names


def test_included_folder_works_as_an_installed_task_does(tmp_path):
    folder = tmp_path / "tasks" / "riddles"
    shutil.copytree(RIDDLES, folder)
    for include in (folder, folder.parent):
        task = load_task("riddles", [include])
        assert check_task(task) == []
    assert [entry.name for entry in list_tasks([folder])].count("riddles") == 1
    assert "riddles" not in {entry.name for entry in list_tasks()}


def test_included_folder_of_an_installed_name_is_a_conflict(installed):
    with pytest.raises(TaskContractError, match="--include"):
        load_task("riddles", [RIDDLES])


def test_process_lists_shows_and_validates_the_installed_task(site, tmp_path):
    shown = _grue(site, "tasks", "show", "riddles", "--json", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout)["version"] == 3
    assert _grue(site, "tasks", "validate", "riddles", cwd=tmp_path).returncode == 0
    broken = _grue(site, "tasks", "validate", "riddles_unfinished", cwd=tmp_path)
    assert broken.returncode == 1
    assert "a_package_that_nobody_has" in broken.stdout
    assert "Traceback" not in broken.stderr


def test_installed_task_is_evaluated_by_the_command(site, tmp_path):
    done = _grue(
        site, "eval", "-m", "null:copy-input", "-t", "riddles", "--data", "mini", "-o", "run", "--json", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "run" / "results.json").read_text(encoding="utf-8"))
    found = results["tasks"]["riddles"]
    assert found["n"] == {"expected": 5, "scored": 5, "failed": 0}
    # A copied riddle never equals its answer.
    assert found["metrics"]["exact_match"]["value"] == 0
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["tasks"]["riddles"]["version"] == 3


def test_broken_plugin_stops_the_call_before_anything_runs(site, tmp_path):
    done = _grue(
        site, "eval", "-m", "null:empty", "-t", "riddles_careless", "--data", "mini", "-o", "run", cwd=tmp_path
    )
    assert done.returncode == 2
    assert "riddles_careless" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()
