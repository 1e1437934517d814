"""Splits, subsets and fingerprints, against hashes computed by hand and the real rows of the test material."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from grue.core.task import Task
from grue.data.location import DataLocation, locate
from grue.data.split import load_split

TASKS = ("imdb", "commongen", "cnn_dailymail", "totto", "narrativeqa", "iwslt2017", "wmt16", "daily_dialog")


def built_in(name: str) -> Task:
    task = import_module(f"grue_tasks.{name}").TASK
    assert isinstance(task, Task)
    return task


def test_fingerprints_are_the_hashes_of_the_written_form(tmp_path: Path, make_task: Callable[..., Task]) -> None:
    (tmp_path / "toy").mkdir()
    lines = ['{"id": "b", "text": "zwei ü"}', '{"id": "a", "text": "one"}']
    (tmp_path / "toy/test.jsonl").write_text("\ufeff" + "\r\n".join(lines), encoding="utf-8")
    task = make_task()
    found = load_split(task, task.profile("standard"), None, locate(str(tmp_path), "hub"), home=tmp_path)
    prompts = "a\tone\nb\tzwei ü\n"
    data = 'a\tone\t["reference"]\t{}\nb\tzwei ü\t["reference"]\t{}\n'
    assert found.prompts_sha256 == hashlib.sha256(prompts.encode()).hexdigest()
    assert found.info.sha256 == hashlib.sha256(data.encode()).hexdigest()
    assert (found.info.source, found.info.id, found.info.revision, found.info.rows) == ("folder", None, None, 2)


def test_a_subset_takes_the_smallest_salted_hashes_and_is_nested(
    tmp_path: Path, make_task: Callable[..., Task]
) -> None:
    (tmp_path / "toy").mkdir()
    ids = [f"row{number}" for number in range(30)]
    (tmp_path / "toy/test.jsonl").write_text("\n".join(json.dumps({"id": name, "text": name}) for name in ids))
    task = make_task()

    def chosen(limit: int | None) -> list[str]:
        location = DataLocation("folder", tmp_path)
        found = load_split(task, task.profile("standard"), "test", location, home=tmp_path, limit=limit)
        assert found.info.rows == 30
        return [row.id for row in found.rows]

    ranked = sorted(ids, key=lambda name: hashlib.sha256(f"grue-subset-1:{name}".encode()).hexdigest())
    assert chosen(7) == sorted(ranked[:7])
    assert set(chosen(7)) < set(chosen(12))
    assert chosen(99) == chosen(None) == sorted(ids)


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("split", ["validation", "test"])
def test_every_task_reads_the_real_rows(name: str, split: str, material: Path, tmp_path: Path) -> None:
    task = built_in(name)
    found = load_split(task, task.profile("standard"), split, locate(str(material / "data"), "hub"), home=tmp_path)
    folder = {"commongen": "common_gen", "wmt16": "wmt_news"}.get(name, name)
    text = (material / f"data/{folder}/{split}.jsonl").read_text(encoding="utf-8")
    records = [json.loads(line) for line in text.strip("\n").split("\n")]
    expected = len(records)
    if name == "commongen":
        expected = len({record["concept_set_idx"] for record in records})
    if name == "daily_dialog":
        expected = sum(max(0, len(record["dialog"]) - 5) for record in records)
    assert found.info.rows == len(found.rows) == expected
    assert [row.id for row in found.rows] == sorted(row.id for row in found.rows)


def test_a_withheld_split_of_another_name_has_no_references(material: Path, tmp_path: Path) -> None:
    task = built_in("commongen")
    location = locate(str(material / "data"), "hub")
    found = load_split(task, task.profile("standard"), "test_noref", location, home=tmp_path)
    assert len(found.rows) == 1497
    assert not any(row.references for row in found.rows)


@pytest.mark.parametrize("name", TASKS)
def test_embedded_rows_are_read_from_the_package(name: str, tmp_path: Path) -> None:
    task = built_in(name)
    found = load_split(task, task.profile("standard"), None, locate("mini", "hub"), home=tmp_path)
    assert found.split == "test"
    assert found.info.source == "mini"
    assert len(found.rows) >= 40


@pytest.mark.parametrize("folder", ["imdb", "IMDB", "stanfordnlp_imdb", "stanfordnlp__imdb", "stanfordnlp/imdb"])
def test_a_folder_named_like_the_hub_set_is_read(folder: str, tmp_path: Path) -> None:
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / "test.jsonl").write_text('{"text": "a b c d", "label": 1}\n')
    task = built_in("imdb")
    found = load_split(task, task.profile("standard"), None, locate(str(tmp_path), "hub"), home=tmp_path)
    assert [row.prompt for row in found.rows] == ["a b"]
