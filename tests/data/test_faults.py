"""Bad data folders: each fault gives the place, the cause and a fix, before anything runs."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from grue.core.errors import GrueError, TaskContractError, TaskDataError, UsageError
from grue.core.rows import Row
from grue.core.task import Task
from grue.data.location import DataLocation, TaskAbsentError, locate
from grue.data.split import SplitData, load_split

GOOD = b'{"id": "a", "text": "one"}\n'
MakeTask = Callable[..., Task]


@pytest.fixture
def load(tmp_path: Path, make_task: MakeTask) -> Callable[..., SplitData]:
    """Writes bytes as the toy task's file and loads it."""

    def run(content: bytes, name: str = "test.jsonl", task: Task | None = None, split: str | None = None) -> SplitData:
        (tmp_path / "toy").mkdir(exist_ok=True)
        (tmp_path / "toy" / name).write_bytes(content)
        used = task or make_task()
        return load_split(used, used.profile("standard"), split, DataLocation("folder", tmp_path), home=tmp_path)

    return run


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (GOOD + b'{"id": "b", "text": \n', 2, ["Broken JSON", "character"]),
        (GOOD + b'{"id": "b"} {"id": "c"}\n', 2, ["Broken JSON", "Extra data"]),
        (GOOD + b"[1, 2]\n", 2, ["a list, not an object"]),
        (GOOD + b"null\n", 2, ["null, not an object"]),
        (
            GOOD + b'{"id": "b", "text": "caf\xe9"}\n',
            2,
            ["Invalid UTF-8", "0xe9", "byte 25 of the line, 51 of the file"],
        ),
        (GOOD + b'{"id": "b", "text": "\\ud83d"}\n', 2, ["half a surrogate pair", "U+D83D"]),
        (GOOD + b'{"id": "b", "text": "x", "n": NaN}\n', 2, ["NaN"]),
        (GOOD + b'{"id": "b", "text": "x", "n": -Infinity}\n', 2, ["-Infinity"]),
        (GOOD + b'{"id": "b", "text": "x", "n": 1e999}\n', 2, ["1e999 is too large"]),
        (GOOD + b'{"id": "b", "n": ' + b"9" * 5000 + b"}\n", 2, ["number"]),
        (GOOD + b'{"id": ' + b"[" * 200_000 + b"\n", 2, ["nested too deeply"]),
        (GOOD + b'{"id": "b"}\n', 2, ["Column 'text' is missing", "Found: id"]),
        (GOOD + b'{"id": "b", "text": 7}\n', 2, ["Column 'text' should be a string", "int '7'"]),
        (GOOD + b'\n\n{"id": "a", "text": "again"}\n', 4, ["The id 'a' is there twice", "test.jsonl:1 and "]),
    ],
)
def test_a_broken_line_is_named(load: Callable[..., SplitData], content: bytes, line: int, words: list[str]) -> None:
    with pytest.raises(TaskDataError) as caught:
        load(content)
    assert caught.value.place.endswith(f"toy/test.jsonl:{line}")
    for word in words:
        assert word in caught.value.cause
    assert caught.value.fix or "should be" in caught.value.cause


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_a_file_without_records_is_a_fault(load: Callable[..., SplitData], content: bytes) -> None:
    with pytest.raises(TaskDataError, match="holds no records"):
        load(content)


def test_records_that_make_no_row_are_a_fault(load: Callable[..., SplitData], make_task: MakeTask) -> None:
    with pytest.raises(TaskDataError, match="makes no row"):
        load(GOOD, task=make_task(rows=lambda records: iter([r for r in records if False])))


def test_a_truncated_gzip_file_is_a_fault(load: Callable[..., SplitData]) -> None:
    whole = gzip.compress(GOOD * 1)
    assert [row.id for row in load(whole, "test.jsonl.gz").rows] == ["a"]
    with pytest.raises(TaskDataError, match="broken or cut off"):
        load(whole[:-6], "test.jsonl.gz")
    with pytest.raises(TaskDataError, match="broken or cut off"):
        load(GOOD, "test.jsonl.gz")


def test_parquet_is_read_and_a_corrupt_one_refused(
    load: Callable[..., SplitData], parquet_bytes: Callable[..., bytes]
) -> None:
    whole = parquet_bytes({"id": ["b", "a"], "text": ["two", "one"]})
    assert [(row.id, row.prompt) for row in load(whole, "test.parquet").rows] == [("a", "one"), ("b", "two")]
    for broken in (whole[:-20], whole[:30], b"no parquet", b""):
        with pytest.raises(TaskDataError) as caught:
            load(broken, "test.parquet")
        assert "test.parquet" in caught.value.place
    # The footer is whole, the pages are not.
    with pytest.raises(TaskDataError):
        load(whole[:4] + b"\xff" * 60 + whole[64:], "test.parquet")


def test_parquet_faults_name_the_row(load: Callable[..., SplitData], parquet_bytes: Callable[..., bytes]) -> None:
    with pytest.raises(TaskDataError) as caught:
        load(parquet_bytes({"id": ["a", "b"], "text": ["one", None]}), "test.parquet")
    assert caught.value.place.endswith("test.parquet row 2")
    assert "null" in caught.value.cause
    with pytest.raises(TaskDataError, match="holds no records"):
        load(parquet_bytes({"id": [], "text": []}), "test.parquet")


def test_one_split_in_two_files_is_refused(load: Callable[..., SplitData], parquet_bytes: Callable[..., bytes]) -> None:
    load(GOOD)
    with pytest.raises(TaskDataError, match=r"test\.jsonl and test\.parquet"):
        load(parquet_bytes({"id": ["a"], "text": ["x"]}), "test.parquet")


def test_two_spellings_of_validation_are_one_split_twice(load: Callable[..., SplitData]) -> None:
    load(GOOD, "val.jsonl", split="val")
    with pytest.raises(TaskDataError, match=r"val\.jsonl and validation\.jsonl"):
        load(GOOD, "validation.jsonl", split="validation")


def test_an_unknown_split_lists_those_there(load: Callable[..., SplitData]) -> None:
    load(GOOD)
    load(GOOD, "challenge.jsonl", split="challenge")
    with pytest.raises(UsageError) as caught:
        load(GOOD, "dev.jsonl", split="tets")
    assert "Did you mean 'test'?" in caught.value.cause
    assert caught.value.fix == "Splits there: validation, test, challenge."


@pytest.mark.parametrize("asked", ["val", "dev", "validation"])
@pytest.mark.parametrize("name", ["val.jsonl", "dev.jsonl", "validation.jsonl"])
def test_val_and_dev_are_validation(load: Callable[..., SplitData], asked: str, name: str) -> None:
    assert load(GOOD, name, split=asked).split == "validation"


def test_folders_that_cannot_serve_are_refused(tmp_path: Path, make_task: MakeTask) -> None:
    with pytest.raises(UsageError, match=r"no folder 'minni'\. Did you mean 'mini'"):
        locate("minni", "hub")
    with pytest.raises(UsageError, match="GRUE_DATA"):
        locate(None, str(tmp_path / "nowhere"))
    with pytest.raises(TaskDataError, match="is empty"):
        locate(str(tmp_path), "hub")
    (tmp_path / "riddles").mkdir()
    (tmp_path / "file.txt").write_text("x")
    with pytest.raises(UsageError, match="is a file"):
        locate(str(tmp_path / "file.txt"), "hub")
    task = make_task()
    location = locate(str(tmp_path), "hub")
    for absent in (location, DataLocation("mini"), DataLocation("hub")):
        with pytest.raises(TaskAbsentError):
            load_split(task, task.profile("standard"), None, absent, home=tmp_path)
    with pytest.raises(TaskAbsentError, match="It holds: riddles"):
        load_split(task, task.profile("standard"), None, location, home=tmp_path)
    (tmp_path / "toy").mkdir()
    with pytest.raises(TaskAbsentError, match="no rows file"):
        load_split(task, task.profile("standard"), None, location, home=tmp_path)


def test_a_plugin_that_raises_is_named_with_the_record(load: Callable[..., SplitData], make_task: MakeTask) -> None:
    def rows(records: Any) -> Iterator[Row]:
        for record in records:
            yield Row(record.string("id"), record.columns["no such key"])

    with pytest.raises(TaskContractError) as caught:
        load(GOOD, task=make_task(rows))
    assert "Task 'toy' raised KeyError" in caught.value.cause
    assert "no such key" in caught.value.cause
    assert caught.value.place.endswith("test.jsonl:1")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("text", "a str, not a Row"),
        (Row("", "p"), "non-empty string"),
        (Row("a\ud800", "p"), "surrogate"),
        (Row("a", "\ud800"), "the prompt of row 'a' holds half a surrogate pair"),
        (Row("a", 7), "the prompt of row 'a' is a int"),  # type: ignore[arg-type]
        (Row("a", "p", ["x"]), "no tuple of strings"),  # type: ignore[arg-type]
        (Row("a", "p", inputs={"n": float("nan")}), "no JSON values"),
        (Row("a", "p", inputs={"n": {1, 2}}), "no JSON values"),  # type: ignore[dict-item]
    ],
)
def test_a_row_that_breaks_the_contract_is_refused(
    load: Callable[..., SplitData], make_task: MakeTask, row: object, words: str
) -> None:
    with pytest.raises(TaskContractError, match=words):
        load(GOOD, task=make_task(lambda records: ((r, row)[1] for r in records)))


def test_numbered_repeats_that_meet_another_id_are_refused(load: Callable[..., SplitData], make_task: MakeTask) -> None:
    lines = [json.dumps({"id": name, "text": "x"}) for name in ("a", "a", "b", "b", "b")]
    task = make_task(repeated_ids="number")
    found = load("\n".join(lines).encode(), task=task)
    assert [row.id for row in found.rows] == ["a", "a-2", "b", "b-2", "b-3"]
    lines.append(json.dumps({"id": "b-2", "text": "x"}))
    with pytest.raises(GrueError, match="'b-2' is there twice"):
        load("\n".join(lines).encode(), task=task)
