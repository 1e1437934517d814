from __future__ import annotations

from dataclasses import replace

import pytest

from grue.core.decoding import Decoding
from grue.core.errors import TaskContractError
from grue.core.task import MetricSpec, Quirk, RewardSpec, Suite, Task, Truncation
from grue.registry.contract import check_structure


def _suite(**changes):
    suite = Suite(
        rows=lambda records: iter(()),
        truncation=Truncation("left", 8),
        decoding=Decoding(max_new_tokens=4),
        metrics=(MetricSpec("f1"),),
        primary=("f1",),
    )
    return replace(suite, **changes)


def _task(suite=None, **changes):
    task = Task(
        name="quiz",
        version=1,
        title="Quiz",
        summary="Answers.",
        suite=lambda quirks: _suite() if suite is None else suite,
        package="quiz",
    )
    return replace(task, **changes)


def _raise(quirks):
    raise KeyError("beams")


def test_sound_task_comes_back_unchanged():
    task = _task()
    assert check_structure(task, "quiz", "somebody 1.0") is task


@pytest.mark.parametrize(
    ("task", "words"),
    [
        (None, "TASK is None"),
        ("quiz", "TASK is a str"),
        (_task(name="other"), "its name is 'other', but its entry point or folder is named 'quiz'"),
        (_task(version=0), "version is 0"),
        (_task(version=True), "version is True"),
        (_task(version="1"), "version is '1'"),
        (_task(title=" "), "title is ' '"),
        (_task(package=None), "package is None"),
        (_task(source="org/name"), "source is a str, not a HubSource or None"),
        (_task(repeated_ids="drop"), "repeated_ids is 'drop'"),
        (_task(quirks=("beams",)), "quirks holds a str"),
        (_task(quirks=(Quirk("a", "A."), Quirk("a", "B."))), "quirks repeat a key"),
        (replace(_task(), suite=5), "suite is a int"),
        (replace(_task(), suite=_raise), "for profile 'standard' raised KeyError: 'beams'"),
        (_task(suite={}), "returned a dict, not a Suite"),
        (_task(suite=_suite(rows=[])), "rows is a list, not a function"),
        (_task(suite=_suite(rows=None)), "rows is None, not a function"),
        (_task(suite=_suite(postprocess="strip")), "postprocess is a str, not a function"),
        (_task(suite=_suite(decoding={"max_new_tokens": 3})), "decoding is a dict, not a Decoding"),
        (_task(suite=_suite(truncation=Truncation("middle", 4))), "truncation.side is 'middle'"),
        (_task(suite=_suite(truncation=Truncation("left", 0))), "truncation.max_tokens is 0"),
        (_task(suite=_suite(metrics=("f1",))), "metrics holds a str where a MetricSpec belongs"),
        (_task(suite=_suite(metrics=(MetricSpec("f1"), MetricSpec("f1")))), "metrics name 'f1' twice"),
        (_task(suite=_suite(metrics=[MetricSpec("f1")])), "metrics is a list, not a tuple"),
        (_task(suite=_suite(rewards=(RewardSpec("ter"), RewardSpec("ter")))), "rewards name 'ter' twice"),
        (_task(suite=_suite(primary=())), "primary is empty"),
        (_task(suite=_suite(primary="f1")), "primary is a str"),
        (_task(suite=_suite(primary=("rougeL",))), "primary metric 'rougeL' is not among its metrics (f1)"),
    ],
)
def test_breach_is_named_with_plugin_and_expectation(task, words):
    with pytest.raises(TaskContractError) as caught:
        check_structure(task, "quiz", "somebody 1.0")
    assert words in caught.value.cause
    assert "somebody 1.0" in caught.value.cause
    assert "grue tasks validate" in caught.value.fix


def test_decoding_out_of_range_in_a_suite_is_the_plugins_fault():
    task = replace(_task(), suite=lambda quirks: _suite(decoding=Decoding(max_new_tokens=0)))
    with pytest.raises(TaskContractError, match="max_new_tokens=0"):
        check_structure(task, "quiz", "somebody 1.0")
