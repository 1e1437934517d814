"""Where the rows are published, and how the small archive's tables become the columns of the hub.

The Parquet files repeat a whole book in every record; the archive at the same commit holds all that the task needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from grue.core.record import Record
from grue.core.source import HubSource
from grue_tasks.archives import member_csv

ARCHIVE = "data/narrativeqa-master.zip"
DOCUMENTS = "narrativeqa-master/documents.csv"
QUESTIONS = "narrativeqa-master/qaps.csv"
SUMMARIES = "narrativeqa-master/third_party/wikipedia/summaries.csv"
LIMIT_BYTES = 1 << 28
SETS = {"train": "train", "validation": "valid", "test": "test"}


def read(split: str, files: tuple[Path, ...]) -> Iterator[Record]:
    """Records in the columns of ``deepmind/narrativeqa``; the book itself (``document.text``) is left empty.

    Raises:
        TaskDataError: for a broken archive, a missing column, or a question about an unknown document.
    """
    (archive,) = files
    wanted = SETS[split]
    summaries = {
        record.string("document_id"): record
        for record in member_csv(archive, SUMMARIES, LIMIT_BYTES)
        if record.string("set") == wanted
    }
    documents = {
        record.string("document_id"): _document(record, summaries[record.string("document_id")])
        for record in member_csv(archive, DOCUMENTS, LIMIT_BYTES)
        if record.string("document_id") in summaries
    }
    for record in member_csv(archive, QUESTIONS, LIMIT_BYTES):
        if record.string("set") != wanted:
            continue
        identifier = record.string("document_id")
        if identifier not in documents:
            raise record.fault(f"Document {identifier!r} has no entry or no summary.", "Fetch the archive again.")
        yield Record(
            {
                "document": documents[identifier],
                "question": _text(record, "question"),
                "answers": [_text(record, "answer1"), _text(record, "answer2")],
            },
            record.place,
        )


def _document(record: Record, summary: Record) -> dict[str, object]:
    return {
        "id": record.string("document_id"),
        "kind": record.string("kind"),
        "url": record.string("story_url"),
        "file_size": _number(record, "story_file_size"),
        "word_count": _number(record, "story_word_count"),
        "start": record.string("story_start"),
        "end": record.string("story_end"),
        "summary": {
            **_text(summary, "summary"),
            "url": record.string("wiki_url"),
            "title": record.string("wiki_title"),
        },
        "text": "",
    }


def _text(record: Record, column: str) -> dict[str, object]:
    return {"text": record.string(column), "tokens": record.string(f"{column}_tokenized").split()}


def _number(record: Record, column: str) -> int:
    text = record.string(column)
    try:
        return int(float(text))
    except ValueError as error:
        raise record.fault(f"Column {column!r} should be a number; found {text[:40]!r}.") from error


SOURCE: HubSource | None = HubSource(
    id="deepmind/narrativeqa",
    revision="2e643e7363944af1c33a652d1c87320d0871c4e4",
    files=dict.fromkeys(SETS, (ARCHIVE,)),
    columns=("document", "question", "answers"),
    counts={"train": 32_747, "validation": 3_461, "test": 10_557},
    sha256={ARCHIVE: "d9fc92d5f53409f845ba44780e6689676d879c739589861b4805064513d1476b"},
    read=read,
    notes="Summaries, questions and answers from the small archive; the books are not downloaded.",
)
