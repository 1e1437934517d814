from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from grue.core.errors import TaskContractError, UsageError
from grue.registry.tasks import expand, list_tasks, load_folder, load_task

BUILT_IN = ("cnn_dailymail", "commongen", "daily_dialog", "imdb", "iwslt2017", "narrativeqa", "totto", "wmt16")


def _folder(parent: Path, name: str, code: str = "TASK = None\n") -> Path:
    folder = parent / name
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(code, encoding="utf-8")
    return folder


def test_built_in_tasks_are_listed():
    found = {entry.name: entry for entry in list_tasks()}
    assert set(BUILT_IN) <= set(found)
    assert all(found[name].problem is None for name in BUILT_IN)


def test_listing_and_expanding_names_import_no_task():
    code = (
        "import sys; from grue.registry.tasks import expand, list_tasks; list_tasks(); expand('all'); expand('imdb');"
        "print([n for n in sys.modules if n.startswith(('grue_tasks', 'torch', 'datasets', 'pandas'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_loading_one_task_imports_no_other():
    code = (
        "import sys; from grue.registry.tasks import load_task; load_task('totto');"
        "print(sorted(n for n in sys.modules if n.startswith('grue_tasks.') and 'commongen' in n or 'imdb' in n))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_task_loads(name):
    assert load_task(name).name == name


def test_unknown_task_is_answered_with_the_nearest():
    with pytest.raises(UsageError) as caught:
        load_task("comongen")
    assert "Did you mean 'commongen'?" in caught.value.cause
    assert "grue tasks list" in caught.value.fix


def test_grue_is_the_papers_seven_and_all_are_optional():
    selection = expand("grue")
    assert selection.names == (
        "imdb",
        "commongen",
        "cnn_dailymail",
        "totto",
        "narrativeqa",
        "iwslt2017",
        "daily_dialog",
    )
    assert selection.optional == set(selection.names)


def test_task_named_beside_its_group_is_not_optional():
    selection = expand(" grue , wmt16,imdb, ")
    assert selection.names[-1] == "wmt16"
    assert len(selection.names) == 8
    assert selection.optional == set(selection.names) - {"wmt16", "imdb"}


def test_all_holds_every_task():
    assert set(BUILT_IN) <= set(expand("all").names)


def test_hyphens_are_read_as_underscores():
    assert expand("daily-dialog").names == ("daily_dialog",)


@pytest.mark.parametrize(("text", "words"), [("", "No task"), (" , ", "No task"), ("imdb,gru", "Unknown task 'gru'")])
def test_selection_that_names_nothing_known_is_refused(text, words):
    with pytest.raises(UsageError, match=words):
        expand(text)


def test_included_folder_must_be_there_and_hold_a_task(tmp_path):
    with pytest.raises(UsageError, match="no such folder"):
        list_tasks([tmp_path / "nowhere"])
    with pytest.raises(UsageError, match="holds no task"):
        list_tasks([tmp_path])
    with pytest.raises(UsageError, match="cannot be a task's name"):
        list_tasks([_folder(tmp_path, "My-Task")])


def test_included_folders_are_listed_without_being_run(tmp_path):
    _folder(tmp_path, "first", "raise RuntimeError('never run')\n")
    _folder(tmp_path, "second", "raise RuntimeError('never run')\n")
    assert {"first", "second"} <= {entry.name for entry in list_tasks([tmp_path])}


def test_included_task_that_raises_is_named_with_its_folder_and_error(tmp_path):
    folder = _folder(tmp_path, "boiling", "1 / 0\n")
    with pytest.raises(TaskContractError) as caught:
        load_task("boiling", [folder])
    assert str(folder) in caught.value.cause
    assert "ZeroDivisionError" in caught.value.cause
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_included_task_with_a_syntax_error_is_a_fault_of_the_plugin(tmp_path):
    with pytest.raises(TaskContractError, match="SyntaxError"):
        load_task("crooked", [_folder(tmp_path, "crooked", "TASK = (\n")])


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import sys\nsys.exit(3)\n", "SystemExit"),
        ("from grue.core.decoding import Decoding\nDecoding(max_new_tokens=0)\n", "max_new_tokens=0 is out of range"),
    ],
)
def test_whatever_a_plugin_raises_is_said_with_its_name(tmp_path, code, words):
    with pytest.raises(TaskContractError, match=words) as caught:
        load_task("rash", [_folder(tmp_path, "rash", code)])
    assert "'rash'" in caught.value.cause


def test_folder_without_a_task_value_says_so(tmp_path):
    with pytest.raises(TaskContractError, match="has no TASK"):
        load_folder(_folder(tmp_path, "hollow", "X = 1\n"))


def test_folder_of_several_tasks_is_not_one_task(tmp_path):
    _folder(tmp_path, "first")
    _folder(tmp_path, "second")
    with pytest.raises(UsageError, match="several tasks: first, second"):
        load_folder(tmp_path)


def test_included_package_imports_its_own_modules(tmp_path):
    code = "from .words import WORDS\nTASK = WORDS\n"
    folder = _folder(tmp_path, "inner", code)
    (folder / "words.py").write_text("WORDS = ('a',)\n", encoding="utf-8")
    with pytest.raises(TaskContractError, match="TASK is a tuple"):
        load_folder(folder)
