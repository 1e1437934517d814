"""``grue verify`` on runs whose numbers or rows were edited."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import grue
from grue.core.rows import data_sha256
from grue.runs.rows import row_of
from tests.verification.conftest import SAMPLED, Copy, Lines, Verify, edit_json, edit_samples, rehash, reidentify

pytestmark = pytest.mark.long


def test_edited_score_is_found_with_and_without_its_checksum(copy: Copy, verify: Verify) -> None:
    path = copy("demo:seq2seq")

    def edit(document: dict[str, Any]) -> None:
        document["tasks"][SAMPLED]["metrics"]["meteor"]["value"] = 0.99

    edit_json(path, "results.json", edit)
    answer = verify(path)
    assert answer.code == 1
    assert "checksum does not fit" in answer.failures("documents")[0]["message"]
    rehash(path)
    answer = verify(path)
    assert answer.code == 1
    (failure,) = answer.findings("failed")
    assert failure["place"].endswith(f"results.json: tasks.{SAMPLED}.metrics.meteor.value")
    assert failure["message"].startswith("is 0.99, the texts give 0.")


@pytest.mark.parametrize(
    ("key", "edit"),
    [
        ("metrics.meteor.ci95", lambda task: task["metrics"]["meteor"].update(ci95=[0.0, 1.0])),
        ("metrics.meteor.n", lambda task: task["metrics"]["meteor"].update(n=800)),
        ("metrics.meteor.value", lambda task: task["metrics"]["meteor"].update(value=None, ci95=None, signature=None)),
        ("metrics.meteor.signature", lambda task: task["metrics"]["meteor"].update(signature="meteor|v:9")),
        ("n.scored", lambda task: task["n"].update(scored=9)),
        ("rates.empty", lambda task: task["rates"].update(empty=0.5)),
        ("cost.generated_tokens", lambda task: task["cost"].update(generated_tokens=1)),
        ("scores.quality.value", lambda task: task["scores"]["quality"].update(value=100.0)),
        ("scores.floor.meteor", lambda task: task["scores"]["floor"].update(meteor=0.0)),
    ],
)
def test_every_number_of_a_task_is_compared(copy: Copy, verify: Verify, key: str, edit: Callable[[Any], None]) -> None:
    path = copy("demo:seq2seq" if key.startswith("cost") else "null:random-reference")
    edit_json(path, "results.json", lambda document: edit(document["tasks"][SAMPLED]))
    rehash(path)
    answer = verify(path)
    assert answer.code == 1
    assert any(finding["place"].endswith(f"tasks.{SAMPLED}.{key}") for finding in answer.findings("failed"))


def test_score_of_the_run_and_reports_are_compared(copy: Copy, verify: Verify) -> None:
    path = copy("null:random-reference")
    edit_json(path, "results.json", lambda document: document["scores"]["grue"].update(value=88.0))
    edit_json(path, "validity.json", lambda document: document["tasks"][SAMPLED].update(n=7))
    rehash(path)
    failed = verify(path).findings("failed")
    assert [finding["place"].rsplit("/", 1)[1] for finding in failed] == [
        "results.json: scores.grue.value",
        f"validity.json: tasks.{SAMPLED}.n",
    ]


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda lines: lines[0].update(references=["something easy"]), "data.sha256"),
        (lambda lines: lines[0].update(id="zzz"), "not in the order of id and sample"),
        (lambda lines: lines.pop(), "holds 7 rows"),
        (lambda lines: lines.append(dict(lines[-1])), "a row is there twice"),
        (
            lambda lines: lines[0].update(inputs=json.dumps({**json.loads(lines[0]["inputs"]), "prompt": "?"})),
            "prompts_sha256",
        ),
    ],
)
def test_other_rows_than_the_manifest_says_are_named(
    copy: Copy, verify: Verify, edit: Callable[[Lines], None], message: str
) -> None:
    path = copy("null:random-reference")
    edit_samples(path, SAMPLED, edit)
    edit_samples(path, SAMPLED, lambda lines: lines.pop() if "7 rows" in message else None, "statistics")
    rehash(path)
    answer = verify(path)
    assert answer.code == 1
    assert any(message in finding["message"] for finding in answer.failures("rows"))


def test_rows_forged_with_their_fingerprints_are_told_by_the_data(copy: Copy, verify: Verify, tmp_path: Path) -> None:
    path = copy("null:random-reference")
    held: Lines = []

    def edit(lines: Lines) -> None:
        lines[0]["references"] = [lines[0]["prediction"]]
        held.extend(lines)

    edit_samples(path, SAMPLED, edit)

    def fit(document: dict[str, Any]) -> None:
        document["tasks"][SAMPLED]["data"]["sha256"] = data_sha256(map(row_of, held))
        document["tasks"][SAMPLED]["data"]["source"] = "folder"

    edit_json(path, "manifest.json", fit)
    reidentify(path)
    rehash(path)
    forged = tmp_path / "forged"
    grue.score(path, output=forged)
    unasked = verify(forged)
    assert not unasked.failures("rows")
    assert "--data does that" in next(f["message"] for f in unasked.findings("not_asked") if f["check"] == "data")
    answer = verify(forged, "--data", "mini")
    assert answer.code == 1
    assert [finding["place"].rsplit(": ", 1)[1] for finding in answer.failures("data")] == [
        f"tasks.{SAMPLED}.data.sha256",
        f"id {held[0]['id']}",
    ]
