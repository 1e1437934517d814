"""Checked uploads that wait to be submitted: on disk below a random name, for an hour, seen by one browser alone."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from grue.runs.files import write_json
from leaderboard_site.submitting.fields import Said
from leaderboard_site.submitting.refusals import RefusalError

SECONDS = 3600
_META = "upload.json"
_TAKEN = "taken.json"
_NAME = re.compile(r"[A-Za-z0-9_-]{20,64}")
_LEFT_SECONDS = 24 * 3600  # what a killed server left half received


@dataclass(frozen=True, slots=True)
class TaskSeen:
    """What an upload holds of a task."""

    task: str
    rows: int
    expected: int
    empty: int
    samples: int
    mean_words: float | None


@dataclass(frozen=True, slots=True)
class RowSeen:
    """The first row as it was read."""

    task: str
    id: str
    prompt: str
    prediction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A checked upload.

    Attributes:
        upload_id: Its random name.
        browser: Who may see it: the random name of a browser.
        counted_for: Account whose attempts it was counted to; empty for nobody.
        content: File or folder below its own that will be stored; empty for a checkpoint of the hub.
        size_bytes: Of what was sent.
        notes: What was left out on purpose.
        model: Hub id of a checkpoint; empty otherwise.
        revision: Its full commit hash.
    """

    upload_id: str
    browser: str
    counted_for: str
    created_at: float
    kind: str
    said: Said
    file_name: str
    size_bytes: int
    content: str
    tasks: tuple[TaskSeen, ...]
    first: RowSeen | None
    rows: int
    content_sha256: str
    notes: tuple[str, ...] = ()
    model: str = ""
    revision: str = ""

    @property
    def seconds_left(self) -> float:
        """How long it is still kept."""
        return max(0.0, self.created_at + SECONDS - time.time())


class PendingUploads:
    """The folder of checked uploads.

    Args:
        folder: Where they are.
        most_bytes: All together; beyond it nothing more is kept.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self.folder = folder
        self._most_bytes = most_bytes

    def work_folder(self) -> Path:
        """A new empty folder to receive into; it becomes an upload by ``keep``, or is removed.

        Raises:
            RefusalError: 429 where there is no room.
        """
        held = sum(self._bytes(path) for path in self._folders())
        if held > self._most_bytes:
            raise RefusalError(429, "No room for more uploads", "Try again in some minutes.", retry_after=300)
        path = self.folder / f".{secrets.token_urlsafe(24)}"
        path.mkdir(parents=True, mode=0o700)
        return path

    def keep(self, work: Path, pending: Pending) -> Pending:
        """Turn a work folder into a checked upload."""
        kept = replace(pending, upload_id=secrets.token_urlsafe(24), created_at=time.time())
        write_json(work / _META, {"schema_version": 1, **asdict(kept)})
        work.rename(self.folder / kept.upload_id)
        return kept

    def find(self, upload_id: str, browser: str) -> Pending | None:
        """An upload of this browser that has not run out."""
        found = self._read(upload_id)
        return found if found and browser and secrets.compare_digest(found.browser, browser) else None

    def taken_as(self, upload_id: str) -> str:
        """The submission that an upload became; empty where it has not."""
        if not _NAME.fullmatch(upload_id):
            return ""
        try:
            return str(json.loads((self.folder / upload_id / _TAKEN).read_text())["submission_id"])
        except (OSError, ValueError, KeyError):
            return ""

    def path(self, pending: Pending) -> Path:
        """What will be stored of it."""
        return self.folder / pending.upload_id / pending.content

    def claim(self, pending: Pending) -> bool:
        """Take an upload for submitting; ``False`` where another request does so now."""
        try:
            os.close(os.open(self.folder / pending.upload_id / "claimed", os.O_CREAT | os.O_EXCL))
        except OSError:
            return False
        return True

    def unclaim(self, pending: Pending) -> None:
        """Give it back: it was not submitted."""
        (self.folder / pending.upload_id / "claimed").unlink(missing_ok=True)

    def done(self, pending: Pending, submission_id: str) -> None:
        """It was submitted: its content goes, its name leads to the submission."""
        folder = self.folder / pending.upload_id
        write_json(folder / _TAKEN, {"schema_version": 1, "submission_id": submission_id})
        for path in folder.iterdir():
            if path.name not in (_TAKEN, _META):
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)

    def drop(self, pending: Pending) -> None:
        """Remove an upload that nobody will submit."""
        shutil.rmtree(self.folder / pending.upload_id, ignore_errors=True)

    def sweep(self) -> None:
        """Remove what has run out."""
        now = time.time()
        for path in self._folders():
            keep_seconds = _LEFT_SECONDS if path.name.startswith(".") else SECONDS
            try:
                if now - path.stat().st_mtime > keep_seconds + 60:
                    shutil.rmtree(path, ignore_errors=True)
            except FileNotFoundError:
                continue

    def _folders(self) -> list[Path]:
        try:
            return [Path(entry.path) for entry in os.scandir(self.folder) if entry.is_dir(follow_symlinks=False)]
        except FileNotFoundError:
            return []

    @staticmethod
    def _bytes(folder: Path) -> int:
        total = 0
        for at, _, files in os.walk(folder):
            for name in files:
                try:
                    total += os.lstat(os.path.join(at, name)).st_size
                except FileNotFoundError:
                    continue
        return total

    def _read(self, upload_id: str) -> Pending | None:
        if not _NAME.fullmatch(upload_id):
            return None
        try:
            document = json.loads((self.folder / upload_id / _META).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        pending = _pending(document)
        return pending if pending.seconds_left else None


def _pending(document: Mapping[str, Any]) -> Pending:
    fields = {key: value for key, value in document.items() if key != "schema_version"}
    first = fields.pop("first")
    return Pending(
        **{
            **fields,
            "said": Said(**fields["said"]),
            "tasks": tuple(TaskSeen(**task) for task in fields["tasks"]),
            "first": RowSeen(**first) if first else None,
            "notes": tuple(fields["notes"]),
        }
    )
