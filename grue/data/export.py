"""``grue data export``: a folder of JSON lines that ``--data`` reads on machines without internet."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from grue.core.errors import TaskDataError, UsageError
from grue.core.rows import split_name
from grue.core.task import Task
from grue.data.folder import split_files
from grue.data.hashing import FileFacts, file_facts
from grue.data.location import DataLocation
from grue.data.lock import LOCK_NAME, LockedTask, read_lock, write_lock
from grue.data.records import SplitRecords, default_split, hub_source, open_records


@dataclass(frozen=True, slots=True)
class Exported:
    """One file of the bundle."""

    task: str
    split: str
    file: str
    records: int
    facts: FileFacts


def export(
    tasks: Sequence[Task],
    splits: Sequence[str] | None,
    location: DataLocation,
    out: Path,
    *,
    home: Path,
    offline: bool = False,
    note: Callable[[str], None] = lambda _: None,
) -> list[Exported]:
    """Write ``out/TASK/SPLIT.jsonl`` and ``out/data.lock``.

    A bundle of the hub holds the benchmark's own splits, so that it gives the same rows and fingerprints.

    Args:
        tasks: Tasks to export.
        splits: Splits of each; ``None`` for the default, ``("all",)`` for all.
        location: Where the records are read.
        out: Folder of the bundle; made where it is missing. Files of the same names are replaced.
        home: Folder of caches.
        offline: Look at local files only.
        note: Told what is being done.

    Raises:
        UsageError: for an unknown split, or a bundle written over its own source.
        TaskAbsentError: for a task that is not there.
        TaskDataError: for faulty data, or a folder that cannot be written.
    """
    if location.path is not None and out.resolve() == location.path.resolve():
        raise UsageError("--out is the folder that is read.", "Give another folder.", place=str(out))
    opened = [
        (task, open_records(task, split, location, home=home, offline=offline))
        for task in tasks
        for split in _splits(task, splits, location)
    ]
    locked = read_lock(out / LOCK_NAME)
    exported: list[Exported] = []
    for task, found in opened:
        note(f"{task.name}: {found.split} of {found.place}")
        one = _write(task, found, out)
        exported.append(one)
        locked[task.name] = _entry(locked.get(task.name), found, one)
        write_lock(out / LOCK_NAME, locked)
    return exported


def _splits(task: Task, splits: Sequence[str] | None, location: DataLocation) -> tuple[str, ...]:
    if splits is None:
        return (default_split(task, location),)
    if tuple(splits) == ("all",):
        return tuple(hub_source(task).files if location.kind == "hub" else split_files(task, location))
    return tuple(dict.fromkeys(split_name(split) for split in splits))


def _write(task: Task, found: SplitRecords, out: Path) -> Exported:
    name = f"{task.name}/{found.split}.jsonl"
    target = out / name
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    count = 0
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            for record in found.records:
                count += 1
                try:
                    file.write(json.dumps(record.columns, ensure_ascii=False, allow_nan=False) + "\n")
                except (TypeError, ValueError) as error:
                    raise record.fault(
                        f"A value cannot be written as JSON: {error}.", "Use texts, finite numbers, lists and objects."
                    ) from error
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        raise TaskDataError(
            f"The bundle cannot be written: {error.strerror or error}.", "Check rights and disk.", place=str(target)
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    return Exported(task.name, found.split, name, count, file_facts(target))


def _entry(locked: LockedTask | None, found: SplitRecords, one: Exported) -> LockedTask:
    same = locked if locked and locked.bundled and (locked.id, locked.revision) == (found.id, found.revision) else None
    return LockedTask(
        id=found.id,
        revision=found.revision,
        files={**(same.files if same else {}), one.file: one.facts},
        rows={**(same.rows if same else {}), one.split: one.records},
        fetched_at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        bundled=True,
    )
