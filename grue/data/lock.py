"""``data.lock``: which files were fetched, with their checksums, so that later ones can be told apart."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from grue.core.errors import TaskDataError
from grue.core.text import Json
from grue.data.hashing import FileFacts

LOCK_NAME = "data.lock"
SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class LockedTask:
    """What was fetched of one task.

    Attributes:
        id: Id of the published set.
        revision: Its commit or checksum.
        files: Path (in the repository, or in the bundle) -> checksum and size.
        rows: Split -> records of the benchmark's split.
        fetched_at: RFC 3339 UTC time of the last change.
        bundled: Whether the files stand beside the lock file, as ``export`` writes them.
    """

    id: str | None
    revision: str | None
    files: Mapping[str, FileFacts]
    rows: Mapping[str, int]
    fetched_at: str
    bundled: bool = False

    def to_json(self) -> dict[str, Json]:
        """The object of the lock file."""
        return {
            "id": self.id,
            "revision": self.revision,
            "files": {name: asdict(facts) for name, facts in sorted(self.files.items())},
            "rows": dict(self.rows),
            "fetched_at": self.fetched_at,
            "bundled": self.bundled,
        }


def read_lock(path: Path) -> dict[str, LockedTask]:
    """Task -> what was fetched; empty where there is no lock file.

    Raises:
        TaskDataError: for a file that is no lock file, or a newer one.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise _broken(path, str(error)) from error
    version = document.get("schema_version") if isinstance(document, dict) else None
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise TaskDataError(
            f"The lock file has version {version}, this grue knows {SCHEMA_VERSION}.", "Update grue.", place=str(path)
        )
    try:
        return {name: _locked(entry) for name, entry in document["tasks"].items()}
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise _broken(path, f"{type(error).__name__}: {error}") from error


def write_lock(path: Path, tasks: Mapping[str, LockedTask]) -> None:
    """Write the lock file whole: to a temporary name, synced, renamed.

    Raises:
        TaskDataError: where it cannot be written.
    """
    document = {
        "schema_version": SCHEMA_VERSION,
        "tasks": {name: task.to_json() for name, task in sorted(tasks.items())},
    }
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise TaskDataError(
            f"The lock file cannot be written: {error.strerror or error}.", "Check rights and disk.", place=str(path)
        ) from error


def _locked(entry: Mapping[str, Any]) -> LockedTask:
    return LockedTask(
        id=entry["id"],
        revision=entry["revision"],
        files={name: FileFacts(str(facts["sha256"]), int(facts["bytes"])) for name, facts in entry["files"].items()},
        rows={name: int(count) for name, count in entry["rows"].items()},
        fetched_at=str(entry["fetched_at"]),
        bundled=bool(entry.get("bundled", False)),
    )


def _broken(path: Path, detail: str) -> TaskDataError:
    return TaskDataError(f"This is no lock file: {detail}.", "Remove it and fetch again.", place=str(path))
