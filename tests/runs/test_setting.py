"""Which setting a run belongs to, and how far its numbers are ours."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grue.core.run import DataInfo, EndpointInfo, ModelInfo, TaskManifest
from grue.runs.mark import mark_of
from grue.runs.published import Submission
from grue.runs.setting import run_setting


def published(mark: str) -> Submission:
    texts = dict.fromkeys(
        ("name", "run_id", "description", "licence", "trained_on", "contamination", "command", "grue_version"), "x"
    )
    return Submission(mark=mark, **texts)


def test_setting_names_rows_split_limit_and_profile(task: TaskManifest) -> None:
    hub = replace(task, data=DataInfo(source="hub", id="a", revision="b", sha256="d" * 64, rows=500))
    assert run_setting([task]).slug == "mini-test"
    assert run_setting([task, hub]).slug == "test"
    assert run_setting([replace(hub, limit=100)]).slug == "test-100"
    assert run_setting([replace(hub, limit=500), hub]).slug == "test"
    assert run_setting([replace(hub, limit=10), replace(hub, limit=100)]).limit == 100
    assert run_setting([hub, replace(hub, split="validation")]).slug == "default-splits"
    assert run_setting([replace(hub, profile="grue-paper")]).slug == "test-grue-paper"
    assert run_setting([hub, replace(hub, profile="grue-paper")]).slug == "test-grue-paper-and-standard"


@pytest.mark.parametrize(
    ("kind", "claims", "mark"),
    [
        ("local", None, "verified"),
        ("predictions", None, "rescored"),
        ("imported", None, "imported"),
        ("endpoint", None, "self-reported"),
        ("local", "self-reported", "self-reported"),
        ("predictions", "verified", "rescored"),
    ],
)
def test_mark_never_claims_more_than_is_known(kind: str, claims: str | None, mark: str) -> None:
    behind = EndpointInfo(address="http://x", model="m") if kind == "endpoint" else None
    model = ModelInfo(name="m", source="m", kind=kind, endpoint=behind)
    assert mark_of(model, published(claims) if claims else None) == mark
