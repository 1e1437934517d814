"""What the built-in tasks pin, and how publishers' archives become the columns of the hub."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from grue.core.errors import TaskDataError
from grue.core.source import HubSource

TASKS = ("imdb", "commongen", "cnn_dailymail", "totto", "narrativeqa", "iwslt2017", "wmt16", "daily_dialog")


def source_of(name: str) -> HubSource:
    source = import_module(f"grue_tasks.{name}.source").SOURCE
    assert isinstance(source, HubSource)
    return source


@pytest.mark.parametrize("name", TASKS)
def test_every_pin_count_and_checksum_stands_in_the_specification(name: str, material: Path) -> None:
    source = source_of(name)
    written = (material / "spec/hub.md").read_text(encoding="utf-8")
    numbers = re.sub(r"(?<=\d) (?=\d{3})", "", written)
    assert re.fullmatch(r"[0-9a-f]{40}|sha256:[0-9a-f]{64}", source.revision)
    for fact in (source.revision.removeprefix("sha256:"), *source.sha256.values()):
        assert fact in written
    for count in (*source.counts.values(), *source.sizes.values()):
        assert re.search(rf"(?<!\d){count}(?!\d)", numbers), count
    assert source.default_split in source.files
    assert set(source.counts) == set(source.files)


def test_the_imdb_split_is_the_permutation_of_the_datasets_library() -> None:
    datasets = pytest.importorskip("datasets")
    positions = import_module("grue_tasks.imdb.source").benchmark_positions
    shuffled = datasets.Dataset.from_dict({"position": list(range(25_000))}).shuffle(seed=42)["position"]
    assert positions("train", 25_000) == sorted(shuffled[:20_000])
    assert positions("validation", 25_000) == sorted(shuffled[20_000:])
    assert positions("test", 25_000) == sorted(shuffled[:5_000])


def table(columns: list[str], rows: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([columns, *rows])
    return text.getvalue()


@pytest.fixture
def narrative_archive(tmp_path: Path) -> Callable[..., Path]:
    """An archive with the publisher's three tables."""

    def write(*, with_summaries: bool = True) -> Path:
        path = tmp_path / "narrativeqa-master.zip"
        documents = ["document_id", "set", "kind", "story_url", "story_file_size", "wiki_url", "wiki_title"]
        documents += ["story_word_count", "story_start", "story_end"]
        facts = ["gutenberg", "http://s", "10", "http://w", "Title", "7", "The", "End"]
        questions = ["document_id", "set", "question", "answer1", "answer2"]
        questions += ["question_tokenized", "answer1_tokenized", "answer2_tokenized"]
        summaries = ["document_id", "set", "summary", "summary_tokenized"]
        with zipfile.ZipFile(path, "w") as archive:
            root = "narrativeqa-master/"
            archive.writestr(
                root + "documents.csv", table(documents, [["d1", "test", *facts], ["d2", "valid", *facts]])
            )
            asked = [
                ["d1", "test", "Who, then?", "Ann.", "Anna", "Who , then ?", "Ann .", "Anna"],
                ["d2", "valid", "Why?", "So", "No", "Why ?", "So", "No"],
            ]
            archive.writestr(root + "qaps.csv", table(questions, asked))
            if with_summaries:
                told = [["d1", "test", "Ann is\na spy.", "Ann is a spy ."], ["d2", "valid", "Rain.", "Rain ."]]
                archive.writestr(root + "third_party/wikipedia/summaries.csv", table(summaries, told))
        return path

    return write


def test_narrativeqa_tables_become_the_columns_of_the_hub(narrative_archive: Callable[..., Path]) -> None:
    source = source_of("narrativeqa")
    assert source.read is not None
    (record,) = source.read("test", (narrative_archive(),))
    assert record.columns == {
        "document": {
            "id": "d1",
            "kind": "gutenberg",
            "url": "http://s",
            "file_size": 10,
            "word_count": 7,
            "start": "The",
            "end": "End",
            "summary": {
                "text": "Ann is\na spy.",
                "tokens": ["Ann", "is", "a", "spy", "."],
                "url": "http://w",
                "title": "Title",
            },
            "text": "",
        },
        "question": {"text": "Who, then?", "tokens": ["Who", ",", "then", "?"]},
        "answers": [{"text": "Ann.", "tokens": ["Ann", "."]}, {"text": "Anna", "tokens": ["Anna"]}],
    }


def test_a_missing_member_and_a_broken_archive_are_data_errors(
    narrative_archive: Callable[..., Path], tmp_path: Path
) -> None:
    read = source_of("narrativeqa").read
    assert read is not None
    with pytest.raises(TaskDataError, match="lacks this member"):
        list(read("test", (narrative_archive(with_summaries=False),)))
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(TaskDataError, match="The archive is broken"):
        list(read("test", (broken,)))


def test_a_member_larger_than_it_can_be_is_refused_while_it_is_unpacked(tmp_path: Path) -> None:
    from grue_tasks.archives import member_lines

    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("lines", b"0" * 5_000_000)
    with pytest.raises(TaskDataError, match="larger"):
        list(member_lines(path, "lines", 1_000_000))


def test_totto_records_get_the_columns_of_the_hub(tmp_path: Path) -> None:
    cell = {"value": "x", "is_header": False, "column_span": 1, "row_span": 1}
    record = {"table": [[cell]], "highlighted_cells": [[0, 0]], "example_id": -12, "table_page_title": "P"}
    record |= {"table_section_title": "S", "table_section_text": "", "table_webpage_url": "u"}
    sentences = [{"final_sentence": "One."}, {"final_sentence": "Two."}]
    path = tmp_path / "totto_data.zip"
    with zipfile.ZipFile(path, "w") as archive:
        dev = {**record, "sentence_annotations": sentences, "overlap_subset": True}
        archive.writestr("totto_data/totto_dev_data.jsonl", json.dumps(dev) + "\n")
        archive.writestr("totto_data/unlabeled_totto_test_data.jsonl", json.dumps(record) + "\n")
    read = source_of("totto").read
    assert read is not None
    (dev_record,) = read("validation", (path,))
    assert (dev_record.columns["example_id"], dev_record.columns["overlap_subset"]) == ("-12", "True")
    assert dev_record.columns["references"] == ["One.", "Two."]
    assert dev_record.columns["target"] == "One."
    (test_record,) = read("test", (path,))
    assert (test_record.columns["target"], test_record.columns["references"]) == ("", [])
    task = import_module("grue_tasks.totto").TASK
    (row,) = task.profile("standard").rows(iter([test_record]))
    assert (row.id, row.references) == ("-12", ())
