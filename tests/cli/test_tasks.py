from __future__ import annotations

import json

import pytest

from grue.cli.main import run
from grue.testing.scaffold import write_task


def test_list_names_tasks_and_groups(capsys):
    assert run(["tasks", "list"]) == 0
    captured = capsys.readouterr()
    assert "commongen" in captured.out
    assert "Groups: grue, all" in captured.err


def test_list_as_json_is_one_document(capsys):
    assert run(["tasks", "list", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema_version"] == 1
    assert {"grue", "all"} <= set(document["groups"])
    assert {"name", "module", "distribution", "problem"} == set(document["tasks"][0])


def test_list_check_loads_all(capsys):
    assert run(["tasks", "list", "--check"]) == 0


def test_show_prints_suite_and_card(capsys):
    assert run(["tasks", "show", "commongen"]) == 0
    text = capsys.readouterr().out
    assert "Primary:    cider_d, coverage" in text
    assert "# CommonGen" in text


def test_show_as_json_follows_the_profile(capsys):
    shown = {}
    for profile in ("standard", "grue-paper"):
        assert run(["tasks", "show", "cnn_dailymail", "--profile", profile, "--json"]) == 0
        shown[profile] = json.loads(capsys.readouterr().out)
    assert shown["standard"]["decoding"]["num_beams"] == 4
    assert shown["grue-paper"]["decoding"]["temperature"] == 0.7
    assert shown["standard"]["primary"] == ["rougeLsum", "rouge2"]


@pytest.mark.parametrize("command", [["show"], ["validate"]])
def test_unknown_task_is_a_wrong_call_with_a_suggestion(capsys, command):
    assert run(["tasks", *command, "comongen"]) == 2
    assert "Did you mean 'commongen'?" in capsys.readouterr().err


def test_unknown_profile_is_a_wrong_call(capsys):
    assert run(["tasks", "show", "imdb", "--profile", "grue-papr"]) == 2
    assert "grue-paper" in capsys.readouterr().err


def test_validate_says_yes_and_no(tmp_path, capsys):
    folder = write_task("quiz", tmp_path)
    assert run(["tasks", "validate", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["valid"] is True
    (folder / "card.md").write_text("", encoding="utf-8")
    assert run(["tasks", "validate", str(folder), "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["valid"] is False
    assert [problem["check"] for problem in document["problems"]] == ["card"]
    assert run(["tasks", "validate", str(folder)]) == 1
    assert "1 problem found." in capsys.readouterr().out


def test_validate_takes_the_name_of_an_included_task(tmp_path, capsys):
    folder = write_task("quiz", tmp_path)
    assert run(["tasks", "validate", "quiz", "--include", str(folder)]) == 0
    assert "keeps the contract" in capsys.readouterr().out


def test_validate_reads_a_data_folder(material, capsys):
    assert run(["tasks", "validate", "totto", "--data", str(material / "data")]) == 0
    assert run(["tasks", "validate", "totto", "--data", str(material / "nowhere")]) == 2


def test_folder_that_is_not_there_is_a_wrong_call(tmp_path, capsys):
    assert run(["tasks", "validate", str(tmp_path / "nowhere")]) == 2
    assert "No such folder" in capsys.readouterr().err
    assert run(["tasks", "validate", str(tmp_path)]) == 2
    assert "holds no task" in capsys.readouterr().err


def test_folder_that_raises_is_answered_with_no(tmp_path, capsys):
    folder = tmp_path / "boiling"
    folder.mkdir()
    (folder / "__init__.py").write_text("1 / 0\n", encoding="utf-8")
    assert run(["tasks", "validate", str(folder)]) == 1
    captured = capsys.readouterr()
    assert "ZeroDivisionError" in captured.out
    assert "Traceback" not in captured.err
