"""Reads a form with files from the network straight to disk: bounded in size and in parts.

Starlette's own parser does not bound files, and keeps each first megabyte in memory; ours refuses at the first byte
beyond a bound and holds one write buffer a request. Slow senders are ended by the server's bounds of bodies.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from anyio import to_thread
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from leaderboard_site.numbers import bytes_
from leaderboard_site.submitting.refusals import RefusalError

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

_BUFFER = 1 << 20
_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyLimits:
    """What a body may hold.

    Attributes:
        file_bytes: All files together; 0 where none may come.
        files: Number of files.
        field_bytes: Each field that is no file.
        fields: Number of such fields.
    """

    file_bytes: int
    files: int = 1
    field_bytes: int = 40_000
    fields: int = 30

    @property
    def body_bytes(self) -> int:
        """A body beyond this cannot be within the other bounds."""
        return self.file_bytes + self.fields * self.field_bytes + (self.files + self.fields) * 4096


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file as it came; its name is for show only."""

    field: str
    name: str
    path: Path
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Received:
    """A form: the first value of each field, and the files in their order."""

    fields: Mapping[str, str]
    files: tuple[ReceivedFile, ...]


async def receive_form(request: Request, folder: Path, limits: BodyLimits) -> Received:
    """Read a form; its files are written into ``folder`` under names of our own.

    Raises:
        RefusalError: 413 beyond a bound, 415 and 422 for a body that is no form.
    """
    _check_length(request, limits.body_bytes)
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind.decode("latin-1").lower() == _FORM:
        return Received(await _plain_fields(request, limits), ())
    boundary = options.get(b"boundary")
    if kind.decode("latin-1").lower() != _MULTIPART or not boundary:
        raise RefusalError(415, "No form", f"Send a form as {_MULTIPART} with a boundary.")
    parts = _Parts(folder, limits)
    try:
        parser = MultipartParser(boundary, parts.callbacks())
        async for chunk in chunks(request):
            parser.write(chunk)
            await parts.flush(_BUFFER)
        parser.finalize()
        await parts.flush(0)
    except FormParserError:
        raise RefusalError(422, "The form is broken", "Its parts cannot be told apart; send it again.") from None
    finally:
        parts.close()
    if not parts.is_complete:
        raise RefusalError(422, "The form is broken", "It ends before its last part; send it again.")
    return Received(parts.fields, tuple(parts.files))


async def receive_body(request: Request, path: Path, limits: BodyLimits) -> ReceivedFile:
    """Read a body that is the file itself, without a form.

    Raises:
        RefusalError: 413 beyond the bound.
    """
    _check_length(request, limits.file_bytes)
    size, buffer = 0, bytearray()
    with path.open("wb") as file:
        async for chunk in chunks(request):
            size += len(chunk)
            if size > limits.file_bytes:
                raise too_large(limits.file_bytes)
            buffer += chunk
            if len(buffer) >= _BUFFER:
                await to_thread.run_sync(file.write, bytes(buffer))
                buffer.clear()
        await to_thread.run_sync(file.write, bytes(buffer))
    return ReceivedFile("file", "", path, size)


async def chunks(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes.

    Raises:
        RefusalError: 400 where the sender went away.
    """
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect:
        raise RefusalError(
            400, "The upload broke off", "The connection closed before its end; send it again."
        ) from None


def too_large(limit_bytes: int) -> RefusalError:
    """The refusal of a body beyond a bound."""
    return RefusalError(
        413,
        "Too large",
        f"At most {bytes_(limit_bytes)} may be sent here. Compress the file with gzip, or send fewer tasks at a time.",
        limit_bytes=limit_bytes,
    )


def _check_length(request: Request, limit_bytes: int) -> None:
    """Refuse by the announced length before a byte is read."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > limit_bytes:
        raise too_large(limit_bytes)


async def _plain_fields(request: Request, limits: BodyLimits) -> dict[str, str]:
    from urllib.parse import parse_qsl

    body = bytearray()
    bound = limits.fields * limits.field_bytes
    async for chunk in chunks(request):
        body += chunk
        if len(body) > bound:
            raise too_large(bound)
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=limits.fields)
    except (UnicodeDecodeError, ValueError):
        raise RefusalError(422, "The form is broken", "Its fields are too many or no UTF-8.") from None
    return dict(reversed(pairs))


@dataclass(slots=True)
class _Parts:
    """Collects what the parser finds; files go to disk, a buffer at a time."""

    folder: Path
    limits: BodyLimits
    fields: dict[str, str] = field(default_factory=dict)
    files: list[ReceivedFile] = field(default_factory=list)
    is_complete: bool = False
    _header: bytearray = field(default_factory=bytearray)
    _value: bytearray = field(default_factory=bytearray)
    _disposition: bytes = b""
    _name: str = ""
    _file_name: str | None = None
    _text: bytearray = field(default_factory=bytearray)
    _to_write: list[tuple[IO[bytes], bytearray]] = field(default_factory=list)
    _buffered: int = 0
    _file: IO[bytes] | None = None
    _size: int = 0
    _all_files: int = 0
    _count: int = 0

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._on_header,
            "on_header_value": self._on_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    async def flush(self, at_least: int) -> None:
        """Write what has gathered, where it is that much."""
        if self._buffered < max(1, at_least):
            return
        work, self._to_write, self._buffered = self._to_write, [], 0
        await to_thread.run_sync(_write, work)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        for file, _ in self._to_write:
            file.close()

    def _begin(self) -> None:
        self._disposition, self._text, self._size = b"", bytearray(), 0
        self._header, self._value = bytearray(), bytearray()

    def _on_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if bytes(self._header).lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._header, self._value = bytearray(), bytearray()

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        if b"name" not in options:
            raise RefusalError(422, "The form is broken", "A part has no name.")
        self._name = _text(options[b"name"])[:200]
        name = options.get(b"filename")
        self._file_name = None if name is None else _text(name)[:200]
        self._count += 1
        if self._count > self.limits.fields + self.limits.files:
            raise RefusalError(422, "Too many fields", "The form has more parts than it may.")
        # A browser sends an empty part for a file field that was left empty.
        if self._file_name is not None:
            if len(self.files) >= self.limits.files or not self.limits.file_bytes:
                raise RefusalError(422, "Too many files", f"At most {self.limits.files} may come with this form.")
            self._file = (self.folder / f"part-{len(self.files)}").open("wb")

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._size += end - start
        if self._file is None:
            if self._size > self.limits.field_bytes:
                raise RefusalError(
                    413, "Too large", f"The field {self._name[:40]!r} is longer than {bytes_(self.limits.field_bytes)}."
                )
            self._text += data[start:end]
            return
        self._all_files += end - start
        if self._all_files > self.limits.file_bytes:
            raise too_large(self.limits.file_bytes)
        if not self._to_write or self._to_write[-1][0] is not self._file:
            self._to_write.append((self._file, bytearray()))
        self._to_write[-1][1].extend(data[start:end])
        self._buffered += end - start

    def _end(self) -> None:
        if self._file is None:
            try:
                text = self._text.decode("utf-8")
            except UnicodeDecodeError:
                raise RefusalError(422, "The form is broken", f"The field {self._name[:40]!r} is no UTF-8.") from None
            self.fields.setdefault(self._name, text)
            return
        file, self._file = self._file, None
        # Closed by the writer, after the last of its bytes.
        self._to_write.append((file, bytearray()))
        self._buffered += 1
        if self._file_name or self._size:
            path = self.folder / f"part-{len(self.files)}"
            self.files.append(ReceivedFile(self._name, self._file_name or "", path, self._size))

    def _finish(self) -> None:
        self.is_complete = True


def _write(work: list[tuple[IO[bytes], bytearray]]) -> None:
    for file, data in work:
        if data:
            file.write(data)
        else:
            file.close()


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", errors="replace")
