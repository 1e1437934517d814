from __future__ import annotations

import json
import subprocess
import sys

import pytest

from grue.cli.main import run
from grue.core.errors import UsageError
from grue.testing.scaffold import write_task


def test_new_task_passes_validate_and_its_own_test(tmp_path, capsys):
    assert run(["tasks", "new", "my_quiz", "--dir", str(tmp_path)]) == 0
    folder = tmp_path / "my_quiz"
    assert {path.name for path in folder.iterdir()} == {"__init__.py", "card.md", "data", "tests"}
    capsys.readouterr()
    assert run(["tasks", "validate", str(folder)]) == 0
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_nothing_is_overwritten(tmp_path):
    folder = write_task("my_quiz", tmp_path)
    (folder / "card.md").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="is there already"):
        write_task("my_quiz", tmp_path)
    assert (folder / "card.md").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", ["My", "my-quiz", "1st", "", "a b", "../up", "class"])
def test_name_that_cannot_be_a_tasks_is_refused(tmp_path, name):
    with pytest.raises(UsageError, match="cannot be a task's name"):
        write_task(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_name_of_a_known_task_is_refused(tmp_path, capsys):
    assert run(["tasks", "new", "imdb", "--dir", str(tmp_path)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_json_names_the_files(tmp_path, capsys):
    assert run(["tasks", "new", "my_quiz", "--dir", str(tmp_path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["name"] == "my_quiz"
    assert len(document["files"]) == 6
