"""A form is read as it comes: whatever the sizes of its pieces, nothing beyond its bounds."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import Request

from leaderboard_site.submitting.receiving import BodyLimits, Received, receive_form
from leaderboard_site.submitting.refusals import RefusalError

LIMITS = BodyLimits(file_bytes=1000, files=2, field_bytes=50, fields=3)
BOUNDARY = "xXx"


def part(name: str, content: bytes, file: str | None = None) -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"' + (f'; filename="{file}"' if file is not None else "")
    return b"--" + BOUNDARY.encode() + b"\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n"


def body(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--" + BOUNDARY.encode() + b"--\r\n"


def request(
    content: bytes,
    cuts: Sequence[int] = (),
    *,
    content_type: str = f"multipart/form-data; boundary={BOUNDARY}",
    **more: str,
) -> Request:
    ends = [*sorted({cut for cut in cuts if cut < len(content)}), len(content)]
    pieces = [content[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> dict[str, Any]:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    headers = [(b"content-type", content_type.encode()), *((k.encode(), v.encode()) for k, v in more.items())]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)


def read(asked: Request, folder: Path, limits: BodyLimits = LIMITS) -> Received:
    return asyncio.run(receive_form(asked, folder, limits))


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=400),
    st.binary(max_size=400),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.lists(st.integers(0, 1200), max_size=12),
)
def test_files_and_fields_arrive_as_sent_however_they_are_cut(
    one: bytes, two: bytes, text: str, cuts: list[int]
) -> None:
    content = body(part("file", one, "a.jsonl"), part("name", text.encode()), part("file", two, "b"))
    with tempfile.TemporaryDirectory() as folder:
        found = read(request(content, cuts), Path(folder))
        assert [file.path.read_bytes() for file in found.files] == [one, two]
        assert [file.size_bytes for file in found.files] == [len(one), len(two)]
        assert dict(found.fields) == {"name": text}


def test_the_name_of_an_uploaded_file_is_never_a_path(tmp_path: Path) -> None:
    found = read(request(body(part("file", b"x", "../../etc/passwd"))), tmp_path)
    assert found.files[0].path.parent == tmp_path
    assert [path.name for path in tmp_path.iterdir()] == ["part-0"]


def test_a_file_field_that_was_left_empty_is_no_file(tmp_path: Path) -> None:
    assert read(request(body(part("file", b"", ""))), tmp_path).files == ()


def test_the_first_of_equal_fields_counts(tmp_path: Path) -> None:
    assert read(request(body(part("name", b"a"), part("name", b"b"))), tmp_path).fields["name"] == "a"


def test_fields_without_a_file_may_come_as_a_plain_form(tmp_path: Path) -> None:
    asked = request(b"upload=abc&name=%C3%BC+x", content_type="application/x-www-form-urlencoded")
    assert read(asked, tmp_path).fields == {"upload": "abc", "name": "ü x"}


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (body(part("file", b"x" * 1001, "a")), 413),
        (body(part("file", b"x" * 600, "a"), part("file", b"x" * 600, "b")), 413),
        (body(part("name", b"x" * 51)), 413),
        (body(*(part("file", b"x", str(number)) for number in range(3))), 422),
        (body(*(part(f"n{number}", b"x") for number in range(9))), 422),
        (body(part("name", b"\xff\xfe")), 422),
        (b"--xXx\r\nContent-Type: text/plain\r\n\r\nno name\r\n--xXx--\r\n", 422),
        (part("file", b"x", "a"), 422),
        (b"", 422),
        (b"\x00" * 300, 422),
        (b"--xXx\r\n" + b"A: b\r\n" * 200 + b"\r\n", 422),
        (b"--xXx\r\nA: " + b"b" * 20_000 + b"\r\n\r\n", 422),
    ],
)
def test_a_form_beyond_its_bounds_or_broken_is_refused(content: bytes, status: int, tmp_path: Path) -> None:
    with pytest.raises(RefusalError) as refused:
        read(request(content), tmp_path)
    assert refused.value.status_code == status


def test_the_announced_length_is_enough_to_refuse(tmp_path: Path) -> None:
    async def never() -> dict[str, Any]:
        raise AssertionError("nothing is read")

    asked = request(b"", **{"content-length": "999999999"})
    asked._receive = never  # type: ignore[assignment]
    with pytest.raises(RefusalError) as refused:
        read(asked, tmp_path)
    assert refused.value.status_code == 413


@pytest.mark.parametrize("content_type", ["", "text/plain", "multipart/form-data", "multipart/mixed; boundary=x"])
def test_anything_but_a_form_is_refused(content_type: str, tmp_path: Path) -> None:
    with pytest.raises(RefusalError) as refused:
        read(request(b"x", content_type=content_type), tmp_path)
    assert refused.value.status_code == 415


def test_a_connection_that_breaks_off_is_no_form(tmp_path: Path) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    asked = request(b"")
    asked._receive = receive  # type: ignore[assignment]
    with pytest.raises(RefusalError) as refused:
        read(asked, tmp_path)
    assert refused.value.status_code == 400
