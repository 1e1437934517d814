"""Checkpoints that come in pieces: each file goes on where it stopped, and counts when its hash is right.

A model is a folder of this layout; all that is known of a file stands in its names and in one small document:
``<model>/owner.json``, ``<model>/parts/<file id>`` with ``<file id>.json``, ``<model>/files/<name>``.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock

from grue.core.errors import SubmissionError, UsageError
from grue.core.run import SCHEMA_VERSION
from grue.core.text import Json
from grue.runs.files import sync_folder, write_json
from grue.submissions.model_files import MAX_FILES, name_problems
from grue.submissions.values import UploadLimits

DAY_SECONDS = 86_400.0
_ID = re.compile(r"[0-9a-f]{32}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_BLOCK_BYTES = 1 << 20
_MAX_OPEN = 3


class OffsetError(SubmissionError):
    """A piece does not begin where the file ends so far; ``offset`` says where that is."""

    def __init__(self, cause: str, fix: str = "", *, place: str = "", offset: int = 0) -> None:
        super().__init__(cause, fix, place=place)
        self.offset = offset


@dataclass(frozen=True, slots=True)
class ChunkedFile:
    """A file that is being uploaded.

    Attributes:
        upload_id: Names it in later calls.
        model: The folder of files it belongs to.
        name: Its name in the checkpoint.
        size: Bytes it will have.
        sha256: The hash it will have.
        offset: Bytes that are there.
        is_finished: Whether it is whole and its hash was right.
    """

    upload_id: str
    model: str
    name: str
    size: int
    sha256: str
    offset: int
    is_finished: bool


class ChunkedUploads:
    """Uploads below one folder, which several processes may share.

    Args:
        folder: Where they lie until they are submitted.
        limits: How large a checkpoint may be.
    """

    def __init__(self, folder: Path, limits: UploadLimits) -> None:
        self._folder = folder
        self._limits = limits

    def begin(self, name: str, size: int, sha256: str, *, owner: str = "", model: str | None = None) -> ChunkedFile:
        """Announce a file; announcing it again finds the one that was begun.

        Args:
            name: Its name, of those a checkpoint may have.
            size: Its bytes.
            sha256: Its hash, 64 hex digits.
            owner: Whose it is; only calls for the same owner find it.
            model: The folder it belongs to; a new one where nothing is said.

        Raises:
            UsageError: for a name, size or hash that cannot be, or a model that is not there.
            SubmissionError: where the checkpoint becomes too large, or the owner has too many unfinished ones.
        """
        if problems := name_problems(name, size, self._limits):
            raise UsageError(problems[0].problem, problems[0].fix, place=problems[0].id or "")
        if not _SHA256.fullmatch(sha256):
            raise UsageError("The SHA-256 of the file should be 64 hex digits.", "sha256sum prints it.", place=name)
        if model is None:
            model = self._new(owner)
        with self._locked(model, owner) as top:
            known = [self._file(top, path.stem) for path in sorted((top / "parts").glob("*.json"))]
            for file in known:
                if file.name == name:
                    if (file.size, file.sha256) == (size, sha256):
                        return file
                    self._remove(top, file)
            others = [file for file in known if file.name != name]
            total = size + sum(file.size for file in others)
            if total > self._limits.model_bytes or len(others) >= MAX_FILES:
                raise SubmissionError(
                    f"The checkpoint would have {total:,} bytes in {len(others) + 1:,} files; "
                    f"{self._limits.model_bytes:,} are allowed.",
                    "Save the weights in bfloat16, or submit predictions.",
                )
            file_id = secrets.token_hex(16)
            (top / "parts" / file_id).touch()
            document: dict[str, Json] = {"schema_version": SCHEMA_VERSION, "name": name, "size": size, "sha256": sha256}
            write_json(top / "parts" / f"{file_id}.json", document)
            return self._file(top, file_id)

    def append(self, upload_id: str, offset: int, stream: BinaryIO, *, owner: str = "") -> ChunkedFile:
        """Add the piece that begins at ``offset``; what came before a broken connection is kept.

        Raises:
            OffsetError: where the file has another length so far.
            SubmissionError: where the piece goes past the end of the file.
        """
        model, file_id = self._parts(upload_id)
        with self._locked(model, owner) as top:
            file = self._file(top, file_id)
            if offset != file.offset:
                raise OffsetError(
                    f"The piece begins at byte {offset:,}; {file.offset:,} bytes are there.",
                    f"Go on at byte {file.offset:,}.",
                    place=file.name,
                    offset=file.offset,
                )
            rest = file.size - file.offset
            with (top / "parts" / file_id).open("ab") as part:
                try:
                    while block := stream.read(min(_BLOCK_BYTES, rest + 1)):
                        if len(block) > rest:
                            raise SubmissionError(
                                f"More bytes came than the {file.size:,} that were announced.",
                                "Begin the file again with its right size.",
                                place=file.name,
                            )
                        part.write(block)
                        rest -= len(block)
                finally:
                    part.flush()
                    os.fsync(part.fileno())
            return self._file(top, file_id)

    def finish(self, upload_id: str, *, owner: str = "") -> ChunkedFile:
        """Check length and hash and put the file among those of the model; doing so twice changes nothing.

        Raises:
            OffsetError: where bytes are missing.
            SubmissionError: where the hash is another; what came is deleted then.
        """
        model, file_id = self._parts(upload_id)
        with self._locked(model, owner) as top:
            file = self._file(top, file_id)
            if file.is_finished:
                return file
            if file.offset != file.size:
                raise OffsetError(
                    f"{file.offset:,} of {file.size:,} bytes are there.",
                    f"Go on at byte {file.offset:,}.",
                    place=file.name,
                    offset=file.offset,
                )
            part = top / "parts" / file_id
            with part.open("rb") as stream:
                found = hashlib.file_digest(stream, "sha256").hexdigest()
            if found != file.sha256:
                self._remove(top, file)
                raise SubmissionError(
                    f"The SHA-256 of what came is {found[:12]}…, announced was {file.sha256[:12]}….",
                    "Upload the file again.",
                    place=file.name,
                )
            os.replace(part, top / "files" / file.name)
            sync_folder(top / "files")
            return self._file(top, file_id)

    def find(self, upload_id: str, *, owner: str = "") -> ChunkedFile:
        """How far an upload is.

        Raises:
            UsageError: where the owner has none of that id.
        """
        model, file_id = self._parts(upload_id)
        with self._locked(model, owner) as top:
            return self._file(top, file_id)

    def files(self, model: str, *, owner: str = "") -> tuple[ChunkedFile, ...]:
        """All files of a model by name, finished or not.

        Raises:
            UsageError: where the owner has none of that id.
        """
        with self._locked(model, owner) as top:
            found = (self._file(top, path.stem) for path in (top / "parts").glob("*.json"))
            return tuple(sorted(found, key=lambda file: file.name))

    def model_folder(self, model: str, *, owner: str = "") -> Path:
        """The folder of a model all of whose files are finished, to be checked and stored.

        Raises:
            UsageError: where the owner has none of that id.
            SubmissionError: where a file is not finished.
        """
        for file in self.files(model, owner=owner):
            if not file.is_finished:
                raise SubmissionError("The file is not finished.", f"Go on at byte {file.offset:,}.", place=file.name)
        return self._folder / model / "files"

    def drop(self, model: str, *, owner: str = "") -> None:
        """Delete a model that was submitted or given up."""
        with suppress(UsageError), self._locked(model, owner) as top:
            shutil.rmtree(top, ignore_errors=True)

    def collect(self, older_seconds: float = DAY_SECONDS) -> int:
        """Delete models that nobody added anything to for so long; returns their number."""
        count = 0
        for top in self._models():
            if time.time() - _last_change(top) > older_seconds:
                shutil.rmtree(top, ignore_errors=True)
                (self._folder / f"{top.name}.lock").unlink(missing_ok=True)
                count += 1
        return count

    def _new(self, owner: str) -> str:
        mine = sum(_owner(top) == owner for top in self._models())
        if mine >= _MAX_OPEN:
            raise SubmissionError(
                f"{mine} checkpoints of yours are being uploaded already.", "Finish or drop one of them first."
            )
        model = secrets.token_hex(16)
        top = self._folder / model
        (top / "parts").mkdir(parents=True)
        (top / "files").mkdir()
        write_json(top / "owner.json", {"schema_version": SCHEMA_VERSION, "owner": owner})
        return model

    def _models(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        return [top for top in self._folder.iterdir() if _ID.fullmatch(top.name) and top.is_dir()]

    @contextmanager
    def _locked(self, model: str, owner: str) -> Iterator[Path]:
        top = self._folder / model
        if not _ID.fullmatch(model) or _owner(top) != owner:
            raise UsageError("There is no such upload.", "Begin it; one that was left for a day is deleted.")
        with FileLock(self._folder / f"{model}.lock"):
            yield top

    def _parts(self, upload_id: str) -> tuple[str, str]:
        model, _, file_id = upload_id.partition("-")
        if not _ID.fullmatch(model) or not _ID.fullmatch(file_id):
            raise UsageError("There is no such upload.", "Begin it; one that was left for a day is deleted.")
        return model, file_id

    def _file(self, top: Path, file_id: str) -> ChunkedFile:
        try:
            said = json.loads((top / "parts" / f"{file_id}.json").read_bytes())
        except FileNotFoundError:
            raise UsageError("There is no such upload.", "Begin it; one that was left for a day is deleted.") from None
        part = top / "parts" / file_id
        offset = part.stat().st_size if part.exists() else said["size"]
        return ChunkedFile(
            f"{top.name}-{file_id}", top.name, said["name"], said["size"], said["sha256"], offset, not part.exists()
        )

    def _remove(self, top: Path, file: ChunkedFile) -> None:
        file_id = file.upload_id.partition("-")[2]
        (top / "parts" / f"{file_id}.json").unlink(missing_ok=True)
        (top / "parts" / file_id).unlink(missing_ok=True)
        (top / "files" / file.name).unlink(missing_ok=True)


def _owner(top: Path) -> str | None:
    try:
        owner = json.loads((top / "owner.json").read_bytes())["owner"]
    except (OSError, ValueError):
        return None
    return owner if isinstance(owner, str) else None


def _last_change(top: Path) -> float:
    with suppress(OSError):
        return max(path.stat().st_mtime for path in (top, *top.rglob("*")))
    return time.time()
