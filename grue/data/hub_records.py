"""Reads a published split: files brought to disk, checked against pin and lock, read as records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from grue.core.errors import TaskDataError
from grue.core.record import Record
from grue.core.source import HubSource
from grue.data.archive import archive_file, local_archive
from grue.data.hashing import FileFacts, file_facts
from grue.data.hub import hub_file, local_hub_file
from grue.data.lock import LOCK_NAME, read_lock
from grue.data.parquet import first_line, parquet_shape

_BATCH_ROWS = 512


def hub_records(task: str, source: HubSource, split: str, *, home: Path, offline: bool = False) -> Iterator[Record]:
    """Records of a published split that belong to the benchmark's own split.

    Raises:
        TaskDataError: where files cannot be had, or checksum, count or columns are not what was pinned.
    """
    paths = published_files(source, split, home=home, offline=offline)
    recorded = read_lock(home / "data" / LOCK_NAME).get(task)
    for name, path in paths.items():
        known = recorded.files.get(name) if recorded and recorded.revision == source.revision else None
        check_file(source, name, path, known.sha256 if known else None)
    check_shape(source, split, paths)
    records = counted(source, split, _read(source, split, paths))
    return iter(source.keep(split, list(records))) if source.keep else records


def published_files(source: HubSource, split: str, *, home: Path, offline: bool = False) -> dict[str, Path]:
    """Path in the repository -> local copy, downloaded where it is not there yet.

    Raises:
        TaskDataError: where a file cannot be had.
    """
    if source.url:
        return {name: archive_file(source, name, home=home, offline=offline) for name in source.files[split]}
    return {name: hub_file(source, name, offline=offline) for name in source.files[split]}


def local_file(source: HubSource, name: str, home: Path) -> Path | None:
    """The local copy of one file, without any request."""
    return local_archive(source, name, home) if source.url else local_hub_file(source, name)


def check_file(source: HubSource, name: str, path: Path, recorded: str | None) -> FileFacts:
    """Compare a file's checksum with the documented one, or the one recorded when it was fetched.

    Raises:
        TaskDataError: where it differs.
    """
    facts = file_facts(path)
    wanted = source.sha256.get(name) or recorded
    if wanted and facts.sha256 != wanted:
        raise TaskDataError(
            f"The SHA-256 of {name} is {facts.sha256}, expected is {wanted}.",
            f"Remove {path} and fetch again; if it stays so, the publisher's file has changed.",
            place=f"{source.id}@{source.revision[:12]}",
        )
    return facts


def check_shape(source: HubSource, split: str, paths: dict[str, Path]) -> None:
    """Compare columns and number of records of Parquet files with what is pinned, from their footers.

    Raises:
        TaskDataError: for a missing column or another number of records.
    """
    if source.read:
        return
    total = 0
    for name, path in paths.items():
        shape = parquet_shape(path)
        total += shape.records
        missing = [column for column in source.columns if column not in shape.columns]
        if missing:
            raise TaskDataError(
                f"{name} lacks the column {missing[0]!r}. Found: {', '.join(shape.columns)}.",
                "The publisher's file has changed: use a folder or an exported bundle, and report it.",
                place=f"{source.id}@{source.revision[:12]}",
            )
    _check_count(source, split, total)


def counted(source: HubSource, split: str, records: Iterable[Record]) -> Iterator[Record]:
    """The records; at their end, their number is compared with the documented one, and each had all columns.

    Raises:
        TaskDataError: for a missing column or another number of records.
    """
    total = 0
    for record in records:
        total += 1
        for column in source.columns:
            record.value(column)
        yield record
    _check_count(source, split, total)


def _check_count(source: HubSource, split: str, total: int) -> None:
    wanted = source.counts.get(split)
    if total == 0 or (wanted is not None and total != wanted):
        expected = f"the publisher documents {wanted:,}" if wanted is not None else "there should be some"
        raise TaskDataError(
            f"Split {split!r} has {total:,} records; {expected}.",
            "Remove the cached file and fetch again; if it stays so, the publisher's file has changed.",
            place=f"{source.id}@{source.revision[:12]}",
        )


def _read(source: HubSource, split: str, paths: dict[str, Path]) -> Iterator[Record]:
    if source.read:
        yield from source.read(split, tuple(paths.values()))
        return
    import datasets
    import pyarrow as pa
    import pyarrow.parquet as pq

    for path in paths.values():
        number = 0
        try:
            # Not load_dataset: it writes a second copy to a cache, and in streaming mode imports torch.
            rows = datasets.Dataset(pq.read_table(path, columns=list(source.columns)))
            for batch in rows.iter(_BATCH_ROWS):
                for values in zip(*batch.values(), strict=True):
                    number += 1
                    yield Record(dict(zip(batch, values, strict=True)), f"{path} row {number}")
        except (pa.ArrowException, OSError, ValueError) as error:
            raise TaskDataError(
                f"The Parquet file cannot be read: {first_line(error)}",
                "Remove it and fetch again.",
                place=f"{path} row {number + 1}",
            ) from error
