"""The identity changes with every ingredient of the numbers and with nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grue.core.run import ModelInfo, TaskManifest
from grue.runs.identity import new_run_id, run_identity, timestamp


def test_identity_is_64_hex_digits_and_stable(model: ModelInfo, task: TaskManifest) -> None:
    identity = run_identity(model, {"toy": task}, 0)
    assert len(identity) == 64
    assert int(identity, 16) >= 0
    assert identity == run_identity(replace(model), {"toy": replace(task)}, 0)


@pytest.mark.parametrize("field", ["weights_sha256", "tokenizer_sha256", "architecture", "dtype", "engine"])
def test_each_part_of_the_model_changes_it(model: ModelInfo, task: TaskManifest, field: str) -> None:
    assert run_identity(replace(model, **{field: "other"}), {"toy": task}, 0) != run_identity(model, {"toy": task}, 0)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"profile": "grue-paper"},
        {"quirks": ("single_reference",)},
        {"split": "validation"},
        {"prompts_sha256": "other"},
        {"samples": 2},
        {"generation": {"max_new_tokens": 21}},
        {"metrics": {"rouge1": "rouge1|v:2", "meteor": None}},
        {"metrics": {"rouge1": "rouge1|v:1", "meteor": "meteor|v:1"}},
        {"rewards": {"length": "length|v:1"}},
    ],
)
def test_each_part_of_a_task_changes_it(model: ModelInfo, task: TaskManifest, change: dict[str, object]) -> None:
    changed = replace(task, **change)  # type: ignore[arg-type]
    assert run_identity(model, {"toy": changed}, 0) != run_identity(model, {"toy": task}, 0)


def test_seed_rows_and_the_choice_of_tasks_change_it(model: ModelInfo, task: TaskManifest) -> None:
    base = run_identity(model, {"toy": task}, 0)
    assert run_identity(model, {"toy": task}, 1) != base
    assert run_identity(model, {"toy": task, "other": task}, 0) != base
    assert run_identity(model, {"toy": replace(task, data=replace(task.data, sha256="e" * 64))}, 0) != base


def test_name_place_and_declared_meta_do_not_change_it(model: ModelInfo, task: TaskManifest) -> None:
    moved = replace(model, name="b", source="/elsewhere", kind="hub", revision="f" * 40, meta={"licence": "MIT"})
    copied = replace(task, data=replace(task.data, source="folder", id="x", revision="y"), limit=3)
    assert run_identity(moved, {"toy": copied}, 0) == run_identity(model, {"toy": task}, 0)


def test_order_of_tasks_does_not_change_it(model: ModelInfo, task: TaskManifest) -> None:
    assert run_identity(model, {"a": task, "b": task}, 0) == run_identity(model, {"b": task, "a": task}, 0)


def test_content_of_a_prediction_file_stands_for_the_model(task: TaskManifest) -> None:
    file = ModelInfo(name="x", source="predictions", kind="predictions", weights_sha256="c" * 64)
    base = run_identity(file, {"toy": task}, 0)
    bare = replace(task, generation={})
    assert run_identity(replace(file, name="y", dtype="float16", engine="api"), {"toy": bare}, 0) == base
    assert run_identity(replace(file, weights_sha256="0" * 64), {"toy": task}, 0) != base


def test_null_systems_are_told_apart_by_name_and_seed(task: TaskManifest) -> None:
    empty = ModelInfo(name="n", source="null:empty", kind="null")
    base = run_identity(empty, {"toy": task}, 0)
    assert run_identity(replace(empty, name="other"), {"toy": task}, 0) == base
    assert run_identity(replace(empty, source="null:constant"), {"toy": task}, 0) != base
    assert run_identity(empty, {"toy": task}, 5) != base


def test_run_ids_are_ulids_and_times_are_utc() -> None:
    assert len(new_run_id()) == 26
    assert len({new_run_id() for _ in range(50)}) == 50
    assert timestamp().endswith("Z")
    assert timestamp()[10] == "T"
