"""What makes two runs one entry."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grue.core.run import Manifest, ModelInfo, TaskManifest
from grue.runs.entry import entry_key


def test_seed_name_and_time_leave_the_entry_as_it_is(manifest: Manifest) -> None:
    other = replace(
        manifest,
        run_id="01J00000000000000000000000",
        seed=7,
        created_at="2020-01-01T00:00:00Z",
        identity="i" * 64,
        model=replace(manifest.model, name="another name", source="/elsewhere", meta={"licence": "MIT"}),
    )
    assert entry_key(other) == entry_key(manifest)


@pytest.mark.parametrize(
    "change",
    [
        {"generation": {"max_new_tokens": 21}},
        {"samples": 2},
        {"version": 2},
        {"split": "validation"},
        {"prompts_sha256": "q" * 64},
        {"metrics": {"rouge1": "rouge1|v:2", "meteor": None}},
        {"profile": "grue-paper"},
    ],
)
def test_all_else_that_determines_numbers_makes_another_entry(manifest: Manifest, change: dict[str, object]) -> None:
    tasks = {name: replace(task, **change) for name, task in manifest.tasks.items()}  # type: ignore[arg-type]
    assert entry_key(replace(manifest, tasks=tasks)) != entry_key(manifest)


@pytest.mark.parametrize("field", ["weights_sha256", "tokenizer_sha256", "architecture", "engine", "dtype"])
def test_another_checkpoint_or_engine_is_another_entry(manifest: Manifest, field: str) -> None:
    model = replace(manifest.model, **{field: "other"})
    assert entry_key(replace(manifest, model=model)) != entry_key(manifest)


def test_null_systems_and_prediction_files_are_told_apart_by_name_and_content(
    manifest: Manifest, task: TaskManifest
) -> None:
    null = [ModelInfo(name=name, source=name, kind="null") for name in ("null:empty", "null:constant")]
    files = [ModelInfo(name="x", source="predictions", kind="predictions", weights_sha256=c * 64) for c in "ab"]
    keys = {entry_key(replace(manifest, model=model)) for model in (*null, *files)}
    assert len(keys) == 4


def test_tasks_in_another_order_are_the_same_entry(manifest: Manifest, task: TaskManifest) -> None:
    one = replace(manifest, tasks={"a": task, "b": task})
    other = replace(manifest, tasks={"b": task, "a": task})
    assert entry_key(one) == entry_key(other)
