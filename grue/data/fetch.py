"""``grue data fetch``: resolve pins, download, check, and write down what came."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from grue.core.errors import TaskDataError
from grue.core.rows import split_name
from grue.core.source import HubSource
from grue.core.task import Task
from grue.data.hashing import FileFacts
from grue.data.hub import check_revision
from grue.data.hub_records import check_file, hub_records, published_files
from grue.data.lock import LOCK_NAME, LockedTask, read_lock, write_lock
from grue.data.records import check_split, hub_source


@dataclass(frozen=True, slots=True)
class Fetched:
    """What one split of a task came to."""

    task: str
    split: str
    id: str
    revision: str
    rows: int
    files: Mapping[str, FileFacts]


def fetch(
    tasks: Sequence[Task],
    splits: Sequence[str] | None,
    *,
    home: Path,
    out: Path | None = None,
    offline: bool = False,
    note: Callable[[str], None] = lambda _: None,
) -> list[Fetched]:
    """Download and check splits of tasks, and record them in ``data.lock``, task by task.

    Args:
        tasks: Tasks to fetch.
        splits: Splits of each; ``None`` for a task's default, ``("all",)`` for all.
        home: Folder of caches.
        out: Folder of the lock file; ``None`` for ``home/data``.
        offline: Look at local files only.
        note: Told what is being done.

    Raises:
        TaskAbsentError: for a task that is not published.
        UsageError: for an unknown split.
        TaskDataError: where something cannot be had or differs from pin or lock; tasks before it are recorded.
    """
    plan = [(task, hub_source(task), _splits(task, splits)) for task in tasks]
    for task, source, names in plan:
        for name in names:
            check_split(task, source, name)
    lock_path = (out or home / "data") / LOCK_NAME
    locked = read_lock(lock_path)
    fetched: list[Fetched] = []
    for task, source, names in plan:
        if not source.url and not offline:
            check_revision(source)
        for name in names:
            note(f"{task.name}: {name} of {source.id}")
            one = _fetch_split(task, source, name, locked.get(task.name), home=home, offline=offline)
            fetched.append(one)
            locked[task.name] = _merged(locked.get(task.name), source, one)
            write_lock(lock_path, locked)
    return fetched


def _splits(task: Task, splits: Sequence[str] | None) -> tuple[str, ...]:
    source = hub_source(task)
    if splits is None:
        return (source.default_split,)
    if tuple(splits) == ("all",):
        return tuple(source.files)
    return tuple(dict.fromkeys(split_name(split) for split in splits))


def _fetch_split(
    task: Task, source: HubSource, split: str, locked: LockedTask | None, *, home: Path, offline: bool
) -> Fetched:
    paths = published_files(source, split, home=home, offline=offline)
    known = locked.files if locked and locked.revision == source.revision else {}
    files = {
        name: check_file(source, name, path, known[name].sha256 if name in known else None)
        for name, path in paths.items()
    }
    rows = sum(1 for _ in hub_records(task.name, source, split, home=home, offline=offline))
    if locked and locked.revision == source.revision and locked.rows.get(split, rows) != rows:
        raise TaskDataError(
            f"Split {split!r} has {rows:,} records, the lock file says {locked.rows[split]:,}.",
            "The task's source has changed since: remove its entry from data.lock and fetch again.",
            place=source.id,
        )
    return Fetched(task.name, split, source.id, source.revision, rows, files)


def _merged(locked: LockedTask | None, source: HubSource, one: Fetched) -> LockedTask:
    same = locked if locked and (locked.id, locked.revision) == (source.id, source.revision) else None
    return LockedTask(
        id=source.id,
        revision=source.revision,
        files={**(same.files if same else {}), **one.files},
        rows={**(same.rows if same else {}), one.split: one.rows},
        fetched_at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    )
