"""Records name their place in every complaint."""

from __future__ import annotations

import pytest

from grue.core.errors import TaskDataError
from grue.core.record import Record

RECORD = Record(
    {"text": "a", "label": 1, "flag": True, "words": ["x", "y"], "document": {"summary": {"text": "s"}}},
    "imdb/test.jsonl:3",
)


def test_columns_are_read_with_their_types() -> None:
    assert RECORD.string("text") == "a"
    assert RECORD.integer("label") == 1
    assert RECORD.strings("words") == ("x", "y")
    assert RECORD.string("document.summary.text") == "s"


def test_parallel_lists_are_read_as_the_objects_they_stand_for() -> None:
    columns = {"notes": {"final": ["a", "b"], "draft": ["c", "d"]}}
    members = Record(columns, "f:1").records("notes")
    assert [dict(member.columns) for member in members] == [{"final": "a", "draft": "c"}, {"final": "b", "draft": "d"}]
    assert members[1].place == "f:1, notes[1]"


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda record: record.string("txt"), "Column 'txt' is missing. Found: text, label"),
        (lambda record: record.string("label"), "Column 'label' should be a string; found int '1'"),
        (lambda record: record.integer("flag"), "Column 'flag' should be a whole number; found bool 'True'"),
        (lambda record: record.strings("text"), "Column 'text' should be a list; found str 'a'"),
        (lambda record: record.integers("words"), r"Column 'words\[0\]' should be a whole number"),
        (lambda record: record.string("document.title"), "Column 'document.title' is missing. Found: summary"),
    ],
)
def test_a_fault_names_column_and_place(read, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(TaskDataError, match=message) as caught:
        read(RECORD)
    assert caught.value.place == "imdb/test.jsonl:3"
