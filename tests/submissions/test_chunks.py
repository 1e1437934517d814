"""Checkpoints that come in pieces: resumed where they stopped, counted when their hash is right."""

from __future__ import annotations

import hashlib
import io
import os
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grue.core.errors import SubmissionError, UsageError
from grue.submissions.chunks import ChunkedUploads, OffsetError
from grue.submissions.values import UploadLimits

CONTENT = bytes(range(256)) * 40
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def chunks(tmp_path: Path) -> ChunkedUploads:
    """Uploads below a folder that is not there yet."""
    return ChunkedUploads(tmp_path / "incoming", UploadLimits(model_bytes=50_000))


def test_a_file_in_pieces_is_whole_when_its_hash_is_right(chunks: ChunkedUploads) -> None:
    begun = chunks.begin("model.safetensors", len(CONTENT), SHA256, owner="u")
    assert (begun.offset, begun.is_finished) == (0, False)
    for start in range(0, len(CONTENT), 3_000):
        added = chunks.append(begun.upload_id, start, io.BytesIO(CONTENT[start : start + 3_000]), owner="u")
        assert added.offset == min(start + 3_000, len(CONTENT))
    with pytest.raises(SubmissionError, match="not finished"):
        chunks.model_folder(begun.model, owner="u")
    assert chunks.finish(begun.upload_id, owner="u").is_finished
    assert chunks.finish(begun.upload_id, owner="u").is_finished
    folder = chunks.model_folder(begun.model, owner="u")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"model.safetensors": CONTENT}


def test_an_upload_goes_on_where_it_stopped_in_another_process(chunks: ChunkedUploads, tmp_path: Path) -> None:
    begun = chunks.begin("config.json", len(CONTENT), SHA256, owner="u")
    chunks.append(begun.upload_id, 0, io.BytesIO(CONTENT[:5_000]), owner="u")
    other = ChunkedUploads(tmp_path / "incoming", UploadLimits(model_bytes=50_000))
    again = other.begin("config.json", len(CONTENT), SHA256, owner="u", model=begun.model)
    assert (again.upload_id, again.offset) == (begun.upload_id, 5_000)
    for offset in (0, 4_999, 5_001, 10**12):
        with pytest.raises(OffsetError) as caught:
            other.append(begun.upload_id, offset, io.BytesIO(b"x"), owner="u")
        assert caught.value.offset == 5_000
    with pytest.raises(OffsetError):
        other.finish(begun.upload_id, owner="u")
    other.append(begun.upload_id, 5_000, io.BytesIO(CONTENT[5_000:]), owner="u")
    assert other.finish(begun.upload_id, owner="u").is_finished


def test_what_came_before_a_broken_connection_is_kept(chunks: ChunkedUploads) -> None:
    class Breaking(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            block = super().read(100)
            if not block:
                raise ConnectionResetError
            return block

    begun = chunks.begin("config.json", len(CONTENT), SHA256)
    with pytest.raises(ConnectionResetError):
        chunks.append(begun.upload_id, 0, Breaking(CONTENT[:700]))
    assert chunks.find(begun.upload_id).offset == 700


def test_more_bytes_than_announced_are_refused(chunks: ChunkedUploads) -> None:
    begun = chunks.begin("config.json", 10, SHA256)
    with pytest.raises(SubmissionError, match="More bytes came than the 10"):
        chunks.append(begun.upload_id, 0, io.BytesIO(bytes(11)))
    assert chunks.find(begun.upload_id).offset <= 10


def test_another_content_than_announced_is_deleted(chunks: ChunkedUploads) -> None:
    begun = chunks.begin("config.json", 4, SHA256)
    chunks.append(begun.upload_id, 0, io.BytesIO(b"evil"))
    with pytest.raises(SubmissionError, match="The SHA-256 of what came is"):
        chunks.finish(begun.upload_id)
    with pytest.raises(UsageError, match="no such upload"):
        chunks.find(begun.upload_id)
    assert list(chunks.model_folder(begun.model).iterdir()) == []


def test_nobody_finds_the_upload_of_another(chunks: ChunkedUploads) -> None:
    begun = chunks.begin("config.json", 4, SHA256, owner="u")
    for owner in ("", "v"):
        with pytest.raises(UsageError, match="no such upload"):
            chunks.find(begun.upload_id, owner=owner)
        with pytest.raises(UsageError, match="no such upload"):
            chunks.begin("vocab.txt", 4, SHA256, owner=owner, model=begun.model)
        chunks.drop(begun.model, owner=owner)
    assert chunks.find(begun.upload_id, owner="u").name == "config.json"
    chunks.drop(begun.model, owner="u")
    with pytest.raises(UsageError):
        chunks.find(begun.upload_id, owner="u")


@pytest.mark.parametrize(
    "name", ["../config.json", "pytorch_model.bin", "modeling.py", "", "a/b", "config.json\0", "x" * 9_000]
)
def test_names_that_no_checkpoint_has_are_refused_before_a_byte(
    chunks: ChunkedUploads, tmp_path: Path, name: str
) -> None:
    with pytest.raises(UsageError):
        chunks.begin(name, 4, SHA256)
    assert not (tmp_path / "incoming").exists()


@pytest.mark.parametrize(
    ("size", "sha256"), [(0, SHA256), (-1, SHA256), (2**63, SHA256), (4, "x"), (4, SHA256.upper()), (4, "")]
)
def test_sizes_and_hashes_that_are_none(chunks: ChunkedUploads, size: int, sha256: str) -> None:
    with pytest.raises(UsageError):
        chunks.begin("config.json", size, sha256)


@pytest.mark.parametrize(
    "upload_id", ["", "x", "../../etc", "a" * 32, f"{'a' * 32}-{'b' * 32}", f"{'a' * 32}-../../x", "-", "é"]
)
def test_ids_that_are_none(chunks: ChunkedUploads, upload_id: str) -> None:
    with pytest.raises(UsageError, match="no such upload"):
        chunks.find(upload_id)
    with pytest.raises(UsageError, match="no such upload"):
        chunks.files(upload_id)


def test_all_files_together_are_bounded(chunks: ChunkedUploads) -> None:
    first = chunks.begin("model-00001-of-00002.safetensors", 30_000, SHA256)
    with pytest.raises(SubmissionError, match="would have 60,000 bytes in 2 files; 50,000 are allowed"):
        chunks.begin("model-00002-of-00002.safetensors", 30_000, SHA256, model=first.model)
    # Another size for the same file takes the place of the first.
    again = chunks.begin("model-00001-of-00002.safetensors", 20_000, SHA256, model=first.model)
    assert again.upload_id != first.upload_id
    chunks.begin("model-00002-of-00002.safetensors", 30_000, SHA256, model=first.model)
    assert [file.size for file in chunks.files(first.model)] == [20_000, 30_000]


def test_an_account_has_three_checkpoints_on_their_way(chunks: ChunkedUploads) -> None:
    for _ in range(3):
        chunks.begin("config.json", 4, SHA256, owner="u")
    with pytest.raises(SubmissionError, match="3 checkpoints of yours"):
        chunks.begin("config.json", 4, SHA256, owner="u")
    chunks.begin("config.json", 4, SHA256, owner="v")


def test_abandoned_checkpoints_are_collected_after_a_day(chunks: ChunkedUploads, tmp_path: Path) -> None:
    old, fresh = (chunks.begin("config.json", 4, SHA256, owner=owner) for owner in "ab")
    yesterday = time.time() - 90_000
    top = tmp_path / "incoming" / old.model
    for path in (top, *top.rglob("*")):
        os.utime(path, (yesterday, yesterday))
    assert chunks.collect() == 1
    assert chunks.find(fresh.upload_id, owner="b").offset == 0
    with pytest.raises(UsageError):
        chunks.find(old.upload_id, owner="a")
    assert chunks.collect() == 0


def test_the_same_piece_sent_twice_at_once_counts_once(chunks: ChunkedUploads) -> None:
    begun = chunks.begin("config.json", len(CONTENT), SHA256)
    outcomes: list[str] = []

    def send() -> None:
        try:
            chunks.append(begun.upload_id, 0, io.BytesIO(CONTENT[:4_000]))
            outcomes.append("added")
        except OffsetError as error:
            outcomes.append(str(error.offset))

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["4000"] * 5 + ["added"]


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, 300), max_size=8), content=st.binary(min_size=1, max_size=300))
def test_however_it_is_cut_the_file_is_the_same(
    cuts: list[int], content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    chunks = ChunkedUploads(tmp_path_factory.mktemp("in"), UploadLimits())
    begun = chunks.begin("vocab.txt", len(content), hashlib.sha256(content).hexdigest())
    ends = [*sorted({min(cut, len(content)) for cut in cuts}), len(content)]
    start = 0
    for end in ends:
        chunks.append(begun.upload_id, start, io.BytesIO(content[start:end]))
        start = end
    chunks.finish(begun.upload_id)
    assert (chunks.model_folder(begun.model) / "vocab.txt").read_bytes() == content
