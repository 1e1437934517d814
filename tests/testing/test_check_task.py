from __future__ import annotations

import itertools
import json
import random
from dataclasses import replace

import pytest

from grue.core.rows import Row
from grue.registry.tasks import load_folder, load_task
from grue.testing import check_task
from grue.testing.scaffold import write_task

BUILT_IN = ("cnn_dailymail", "commongen", "daily_dialog", "imdb", "iwslt2017", "narrativeqa", "totto", "wmt16")


@pytest.fixture
def quiz(tmp_path):
    """A task as ``grue tasks new`` writes it."""
    return load_folder(write_task("quiz", tmp_path))


def _with_rows(task, change):
    """The task with each row passed through ``change(row, number)``."""
    before = task.suite

    def suite(quirks):
        found = before(quirks)

        def rows(records):
            for number, row in enumerate(found.rows(records)):
                yield change(row, number)

        return replace(found, rows=rows)

    return replace(task, suite=suite)


def _with_suite(task, **changes):
    before = task.suite
    return replace(task, suite=lambda quirks: replace(before(quirks), **changes))


def _checks(task, data=None):
    return {problem.check for problem in check_task(task, data)}


def test_sound_task_has_no_problem(quiz):
    assert check_task(quiz) == []


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_tasks_keep_the_contract(name):
    assert check_task(load_task(name)) == []


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_tasks_keep_the_contract_on_real_rows(name, material):
    assert check_task(load_task(name), material / "data") == []


def test_single_repeats_are_tolerated_in_published_data_and_a_copied_split_is_not(material, tmp_path):
    folder = tmp_path / "commongen"
    folder.mkdir()
    for split in ("validation", "test"):
        (folder / f"{split}.jsonl").write_bytes((material / "data" / "common_gen" / "test.jsonl").read_bytes())
    problems = check_task(load_task("commongen"), tmp_path)
    assert {problem.check for problem in problems} == {"splits"}


def test_object_that_is_no_task_is_one_problem():
    (problem,) = check_task({"name": "quiz"})
    assert problem.check == "structure"
    assert "TASK is a dict" in problem.problem


def test_unknown_metric_and_setting_and_reward_are_found(quiz):
    from grue.core.task import MetricSpec, RewardSpec

    suite = quiz.profile("standard")
    task = _with_suite(
        quiz,
        metrics=(*suite.metrics, MetricSpec("rougeX"), MetricSpec("chrf", {"betta": 2})),
        rewards=(RewardSpec("metoer"),),
    )
    text = " ".join(str(problem) for problem in check_task(task) if problem.check == "metrics")
    assert "rougeX" in text
    assert "Did you mean 'beta'?" in text
    assert "Did you mean 'meteor'?" in text


def test_metric_that_is_known_but_absent_here_is_no_problem(quiz):
    from grue.core.task import MetricSpec

    suite = quiz.profile("standard")
    assert check_task(_with_suite(quiz, metrics=(*suite.metrics, MetricSpec("spice")))) == []


def test_empty_prompt_is_found(quiz):
    task = _with_rows(quiz, lambda row, n: replace(row, prompt=" \n") if n == 1 else row)
    (problem, *_) = [problem for problem in check_task(task) if problem.check == "prompts"]
    assert "1 of" in problem.problem


def test_ids_that_count_lines_are_found(quiz):
    assert "ids" in _checks(_with_rows(quiz, lambda row, n: replace(row, id=f"row-{n}")))


def test_one_id_for_two_rows_is_found(quiz):
    (problem, *_) = check_task(_with_rows(quiz, lambda row, n: replace(row, id="same")))
    assert problem.check == "rows"
    assert "'same'" in problem.problem


def test_random_prompt_is_found(quiz):
    # A generator that goes on between loads: what the second load sees is not what the first saw.
    dice = random.Random(5)
    task = _with_rows(quiz, lambda row, n: replace(row, prompt=f"{row.prompt} {dice.random()}"))
    assert "repeatable" in _checks(task)


def test_state_between_loads_is_found(quiz):
    calls = itertools.count()

    def suite(quirks, before=quiz.suite):
        found = before(quirks)

        def rows(records):
            batch = list(found.rows(records))
            return iter(batch[next(calls) % 2 :])

        return replace(found, rows=rows)

    problems = check_task(replace(quiz, suite=suite))
    assert any(problem.check == "repeatable" and "rows, then" in problem.problem for problem in problems)


def test_reference_missing_in_some_rows_is_found_and_missing_in_all_is_not(quiz):
    some = _with_rows(quiz, lambda row, n: replace(row, references=()) if n == 0 else row)
    assert _checks(some) == {"references"}
    assert check_task(_with_rows(quiz, lambda row, n: replace(row, references=()))) == []


def test_empty_reference_is_found(quiz):
    assert _checks(_with_rows(quiz, lambda row, n: replace(row, references=("", "a")))) == {"references"}


@pytest.mark.parametrize(
    "row",
    [
        Row(id="a", prompt="p", references=["x"]),
        Row(id="a", prompt="p", references="x"),
        Row(id="a", prompt="p", references=(1,)),
        Row(id="a", prompt="p", references=("x",), inputs={"when": {1, 2}}),
        Row(id=3, prompt="p", references=("x",)),
        {"id": "a", "prompt": "p"},
    ],
)
def test_values_of_a_wrong_type_are_found(quiz, row):
    task = _with_rows(quiz, lambda good, n: row if n == 0 else good)
    problems = check_task(task)
    assert problems
    assert all(problem.fix for problem in problems)


def test_inputs_that_a_metric_reads_must_be_there(quiz):
    from grue.core.task import MetricSpec

    suite = quiz.profile("standard")
    (problem, *_) = check_task(_with_suite(quiz, metrics=(*suite.metrics, MetricSpec("coverage"))))
    assert (problem.check, "concepts" in problem.problem) == ("inputs", True)


def test_prompt_in_two_splits_is_found(tmp_path):
    folder = write_task("quiz", tmp_path)
    train = (folder / "data" / "train.jsonl").read_text(encoding="utf-8")
    with (folder / "data" / "test.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({**json.loads(train.split("\n")[0]), "id": "other"}) + "\n")
    problems = check_task(load_folder(folder))
    assert {problem.check for problem in problems} == {"splits"}
    assert "train and test" in problems[0].problem


def test_broken_line_is_named_with_its_place(tmp_path):
    folder = write_task("quiz", tmp_path)
    with (folder / "data" / "test.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"id": "x", "question": 3}\n')
    (problem, *_) = check_task(load_folder(folder))
    assert problem.check == "rows"
    assert "test.jsonl:5" in problem.place
    assert "'question' should be a string" in problem.problem


def test_postprocess_that_raises_is_found(quiz):
    assert _checks(_with_suite(quiz, postprocess=lambda text: text.split()[0])) == {"postprocess"}
    assert _checks(_with_suite(quiz, postprocess=lambda text: None)) == {"postprocess"}


def test_task_without_rows_or_card_or_licence_is_found(tmp_path):
    folder = write_task("quiz", tmp_path)
    (folder / "card.md").unlink()
    for file in (folder / "data").iterdir():
        file.unlink()
    task = replace(load_folder(folder), licence="")
    assert _checks(task) == {"card", "rows"}


def test_data_folder_without_the_task_is_said(quiz, tmp_path):
    (tmp_path / "nothing").mkdir()
    (problem,) = check_task(quiz, tmp_path / "nothing")
    assert problem.check == "rows"
    assert "quiz" in problem.problem
