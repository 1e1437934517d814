"""A gzip stream reads as the standard library reads it, and takes no longer than its bytes are worth."""

from __future__ import annotations

import gzip
import io
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grue.runs import gunzip
from grue.runs.gunzip import gunzipped


@given(
    parts=st.lists(st.binary(max_size=400), min_size=1, max_size=5), padding=st.integers(0, 9), level=st.integers(0, 9)
)
def test_any_parts_read_as_by_the_library(parts: list[bytes], padding: int, level: int) -> None:
    packed = b"".join(gzip.compress(part, level) for part in parts) + b"\0" * padding
    assert gunzipped(io.BytesIO(packed)).read() == gzip.decompress(packed) == b"".join(parts)


@given(st.binary(max_size=120), st.integers(0, 160))
def test_whatever_is_cut_off_is_an_error(text: bytes, cut: int) -> None:
    packed = gzip.compress(text)
    end = min(cut, len(packed) - 1)
    if end == 0:
        assert gunzipped(io.BytesIO(b"")).read() == b""
        return
    with pytest.raises((EOFError, zlib.error)):
        gunzipped(io.BytesIO(packed[:end])).read()


def test_lines_longer_than_a_block_come_whole() -> None:
    text = b"x" * 300_000 + b"\n" + b"y" * 70_000
    stream = gunzipped(io.BytesIO(gzip.compress(text)))
    assert [len(line) for line in stream] == [300_001, 70_000]


def test_too_many_parts_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gunzip, "MAX_PARTS", 100)
    assert gunzipped(io.BytesIO(gzip.compress(b"") * 100)).read() == b""
    with pytest.raises(gzip.BadGzipFile, match="more than 100 parts"):
        gunzipped(io.BytesIO(gzip.compress(b"") * 101)).read()


def test_what_follows_the_last_part_is_no_text() -> None:
    with pytest.raises(zlib.error):
        gunzipped(io.BytesIO(gzip.compress(b"a") + b"rest")).read()


def test_a_bomb_is_read_as_far_as_it_is_asked_for() -> None:
    stream = gunzipped(io.BytesIO(gzip.compress(bytes(64 << 20), 9)))
    assert stream.read(1_000) == bytes(1_000)
