"""Metrics of Hugging Face evaluate, by the path of a script written here and by a hub name without network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

pytestmark = pytest.mark.long

SCRIPT = """
import datasets
import evaluate


class {class_name}(evaluate.Metric):
    def _info(self):
        return evaluate.MetricInfo(
            description="test", citation="", inputs_description="",
            features=datasets.Features({features}),
        )

    def _compute(self, predictions, references=None):
        {body}
"""
LISTS = '{"predictions": datasets.Value("string"), "references": datasets.Sequence(datasets.Value("string"))}'
SINGLE = '{"predictions": datasets.Value("string"), "references": datasets.Value("string")}'
ALONE = '{"predictions": datasets.Value("string")}'
ROWS = [
    {"prediction": "a cat", "references": ["a dog", "a cat"]},
    {"prediction": "a dog", "references": ["a cat"]},
    {"prediction": "an owl", "references": []},
]
HITS = 'return {"hits": float(sum(p in r for p, r in zip(predictions, references)))}'
# Folder, script, what it asks for, what it answers.
SCRIPTS = [
    ("a", "hits", LISTS, HITS),
    ("b", "hits", LISTS, HITS + "  # the same answer, another source"),
    (
        "a",
        "firsts",
        SINGLE,
        'return {"score": float(sum(p == r for p, r in zip(predictions, references))), "other": 9.0}',
    ),
    (
        "a",
        "counts",
        ALONE,
        'return {"words": sum(len(p.split()) for p in predictions), "rows": len(predictions), "t": "x"}',
    ),
    ("a", "broken", ALONE, "return {"),
]
CALLS: dict[str, tuple[str, dict[str, str]]] = {
    "hits": ("{folder}/a/hits.py", {}),
    "hits of another source": ("{folder}/b/hits.py", {}),
    "firsts": ("{folder}/a/firsts.py", {}),
    "counts": ("{folder}/a/counts.py", {}),
    "counts by key": ("{folder}/a/counts.py", {"key": "rows"}),
    "broken": ("{folder}/a/broken.py", {}),
    "no file": ("{folder}/a/none.py", {}),
    "no such name": ("no_such_metric_anywhere", {}),
}
PROGRAM = """
import json, sys
import grue
calls, rows = json.loads(sys.argv[1]), json.loads(sys.argv[2])
answers = {}
for key, (name, settings) in calls.items():
    try:
        metric = grue.metric("evaluate:" + name, **settings)
        score = metric.compute([row["prediction"] for row in rows], [row["references"] for row in rows])
        answers[key] = {**score.to_json(), "per_sample": score.per_sample}
    except ValueError as error:
        answers[key] = {"error": str(error)}
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """All calls in one process of their own, so that the library's caches lie in the test's folder."""
    folder = tmp_path_factory.mktemp("scripts")
    for place, name, features, body in SCRIPTS:
        (folder / place).mkdir(exist_ok=True)
        text = SCRIPT.format(class_name=name.title(), features=features, body=body)
        (folder / place / f"{name}.py").write_text(text)
    calls = {key: (name.format(folder=folder), settings) for key, (name, settings) in CALLS.items()}
    environment = {**os.environ, "HF_HOME": str(folder / "hf"), "HF_HUB_OFFLINE": "1"}
    arguments = [sys.executable, "-c", PROGRAM, json.dumps(calls), json.dumps(ROWS)]
    done = subprocess.run(arguments, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


Answers = dict[str, dict[str, Any]]


def test_a_local_script_is_scored_on_all_rows_with_references(answers: Answers) -> None:
    answer = answers["hits"]
    assert (answer["value"], answer["n"], answer["scale"], answer["per_sample"]) == (1.0, 2, None, None)
    assert answer["signature"].startswith("evaluate:hits|key:auto-v1|script:")


def test_another_source_is_another_signature(answers: Answers) -> None:
    assert answers["hits of another source"]["value"] == answers["hits"]["value"]
    assert answers["hits of another source"]["signature"] != answers["hits"]["signature"]


def test_a_script_that_takes_one_reference_gets_the_first(answers: Answers) -> None:
    assert answers["firsts"]["value"] == 0.0


def test_a_script_without_references_sees_every_row_and_a_key_can_be_chosen(answers: Answers) -> None:
    assert "choose one with --set evaluate.key" in answers["counts"]["error"]
    chosen = answers["counts by key"]
    assert (chosen["value"], chosen["n"]) == (3.0, 3)
    assert "key:rows" in chosen["signature"]


def test_what_cannot_be_loaded_is_absent_with_a_reason(answers: Answers) -> None:
    wanted = {
        "no such name": "neither in the local cache nor to be had from the hub",
        "no file": "there is no script at",
        "broken": "evaluate cannot load",
    }
    for call, reason in wanted.items():
        assert answers[call]["value"] is None
        assert answers[call]["signature"] is None
        assert reason in answers[call]["reason"], call
