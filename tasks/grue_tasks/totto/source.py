"""Where the rows are published: the publisher's archive, since the hub holds a loading script alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from grue.core.record import Record
from grue.core.source import HubSource
from grue_tasks.archives import member_json

ARCHIVE = "totto_data.zip"
SHA256 = "0aab72597057394514fd9659745fd2b318d1a64bf0b2ca1b2c339abe0692fdf2"
LIMIT_BYTES = 1 << 31
MEMBERS = {
    "train": "totto_data/totto_train_data.jsonl",
    "validation": "totto_data/totto_dev_data.jsonl",
    "test": "totto_data/unlabeled_totto_test_data.jsonl",
}


def read(split: str, files: tuple[Path, ...]) -> Iterator[Record]:
    """Records in the columns of ``GEM/totto``: ids and overlap as strings, sentences also as target and references.

    Raises:
        TaskDataError: for a broken archive or record.
    """
    (archive,) = files
    for record in member_json(archive, MEMBERS[split], LIMIT_BYTES):
        columns = dict(record.columns)
        columns["example_id"] = str(record.value("example_id"))
        columns["overlap_subset"] = str(columns.get("overlap_subset", "none"))
        columns["sentence_annotations"] = columns.get("sentence_annotations") or []
        whole = Record(columns, record.place)
        sentences = [entry.string("final_sentence") for entry in whole.records("sentence_annotations")]
        yield Record({**columns, "target": sentences[0] if sentences else "", "references": sentences}, record.place)


SOURCE: HubSource | None = HubSource(
    id="storage.googleapis.com/totto-public/totto_data.zip",
    revision=f"sha256:{SHA256}",
    files=dict.fromkeys(MEMBERS, (ARCHIVE,)),
    columns=("table", "highlighted_cells", "table_page_title", "table_section_title", "sentence_annotations"),
    counts={"train": 120_761, "validation": 7_700, "test": 7_700},
    sha256={ARCHIVE: SHA256},
    sizes={ARCHIVE: 187_724_372},
    url="https://storage.googleapis.com/totto-public/totto_data.zip",
    read=read,
    default_split="validation",
    notes="The publisher's archive. The references of the test split are withheld.",
)
