"""Archives outside the hub: bounded, checked before they are opened, resumed after a break."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grue.core.errors import TaskDataError
from grue.core.record import Record
from grue.core.source import HubSource
from grue.core.task import Task
from grue.data import archive
from grue.data.archive import archive_file, archive_path
from grue.data.fetch import fetch
from grue.data.hub_records import hub_records
from grue.data.location import DataLocation
from grue.data.split import load_split

CONTENT = bytes(range(256)) * 40


@pytest.fixture(autouse=True)
def _online(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(archive, "_failed", {})


def source_of(hub: Any, *, sha256: str = "", size: int = len(CONTENT)) -> HubSource:
    checksum = sha256 or hashlib.sha256(CONTENT).hexdigest()
    return HubSource(
        id="publisher",
        revision=f"sha256:{checksum}",
        files={"test": ("a.zip",)},
        columns=(),
        sha256={"a.zip": checksum},
        sizes={"a.zip": size},
        url=f"{hub.address}/archive/a.zip",
    )


def test_an_archive_is_downloaded_once(hub: Any, tmp_path: Path) -> None:
    hub.files["a.zip"] = CONTENT
    path = archive_file(source_of(hub), "a.zip", home=tmp_path)
    assert path.read_bytes() == CONTENT
    assert archive_file(source_of(hub), "a.zip", home=tmp_path, offline=True) == path
    assert len(hub.requests) == 1


def test_a_download_that_broke_off_goes_on_with_the_same_call(
    hub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.files["a.zip"] = CONTENT
    hub.breaks["a.zip"] = 3000
    with pytest.raises(TaskDataError, match="cannot be downloaded"):
        archive_file(source_of(hub), "a.zip", home=tmp_path)
    # Within one process an address that failed is not tried again; another process does.
    with pytest.raises(TaskDataError, match="not asked for"):
        archive_file(source_of(hub), "a.zip", home=tmp_path)
    assert len(hub.requests) == 1
    monkeypatch.setattr(archive, "_failed", {})
    assert archive_file(source_of(hub), "a.zip", home=tmp_path).read_bytes() == CONTENT
    assert [asked for _, _, asked in hub.requests] == ["", "bytes=3000-"]


def test_another_checksum_is_refused_and_nothing_kept(hub: Any, tmp_path: Path) -> None:
    hub.files["a.zip"] = CONTENT
    source = source_of(hub, sha256="0" * 64)
    with pytest.raises(TaskDataError, match="the pin says 0000"):
        archive_file(source, "a.zip", home=tmp_path)
    assert list(archive_path(source, "a.zip", tmp_path).parent.iterdir()) == []


def test_a_larger_archive_is_cut_short(hub: Any, tmp_path: Path) -> None:
    hub.files["a.zip"] = CONTENT
    source = source_of(hub, size=len(CONTENT) - 1)
    with pytest.raises(TaskDataError, match="larger than"):
        archive_file(source, "a.zip", home=tmp_path)
    assert list(archive_path(source, "a.zip", tmp_path).parent.iterdir()) == []


def test_offline_and_missing_archives_say_what_to_do(hub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TaskDataError, match="404"):
        archive_file(source_of(hub), "a.zip", home=tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(TaskDataError) as caught:
        archive_file(source_of(hub), "a.zip", home=tmp_path)
    assert "grue data fetch" in caught.value.fix
    assert len(hub.requests) == 1


def read(split: str, files: tuple[Path, ...]) -> Iterator[Record]:
    """Four records, whatever the file holds."""
    (path,) = files
    for number in range(4):
        yield Record({"id": f"{split}{number}", "text": "x"}, f"{path} row {number + 1}")


def keep(split: str, records: Sequence[Record]) -> Sequence[Record]:
    """All but the first."""
    return records[1:]


def test_a_published_split_is_read_kept_counted_and_named(
    hub: Any, tmp_path: Path, make_task: Callable[..., Task]
) -> None:
    hub.files["a.zip"] = CONTENT
    source = replace(
        source_of(hub),
        files={"validation": ("a.zip",), "test": ("a.zip",)},
        columns=("id", "text"),
        counts={"validation": 4, "test": 5},
        read=read,
        keep=keep,
        default_split="validation",
    )
    task = make_task(source=source)
    (fetched,) = fetch([task], None, home=tmp_path)
    assert (fetched.split, fetched.rows) == ("validation", 3)
    found = load_split(task, task.profile("standard"), None, DataLocation("hub"), home=tmp_path, offline=True)
    assert found.split == "validation"
    assert [row.id for row in found.rows] == ["validation1", "validation2", "validation3"]
    assert (found.info.source, found.info.id, found.info.revision) == ("hub", "publisher", source.revision)
    assert found.info.rows == 3
    with pytest.raises(TaskDataError, match="4 records; the publisher documents 5"):
        list(hub_records("toy", source, "test", home=tmp_path))
    lacking = replace(source, columns=("answer",))
    with pytest.raises(TaskDataError, match="Column 'answer' is missing"):
        list(hub_records("toy", lacking, "validation", home=tmp_path))
