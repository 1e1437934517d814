"""Where a task's rows are published: pinned files, never a branch name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSource:
    """Files of one data set on the Hugging Face hub, at one commit.

    Attributes:
        id: Data set id, ``org/name``.
        revision: Commit, 40 hex digits.
        files: Split -> paths in the repository, in row order. An archive may serve several splits.
        columns: Top-level columns that a record must have.
        counts: Split -> records (not rows) the publisher documents; checked after the download.
        sha256: Path -> checksum of the file, where one is documented; others are recorded on first download.
        url: Address of an archive outside the hub that holds the files; ``id`` and ``revision`` then only name it.
        read: Reads records of a split from the downloaded files where they are no plain Parquet or JSONL.
        keep: Chooses, per split, the records that belong to the benchmark's own split (a seeded permutation).
        default_split: Split that is evaluated where the user names none.
        notes: What a user should know of this copy.
    """

    id: str
    revision: str
    files: Mapping[str, tuple[str, ...]]
    columns: tuple[str, ...]
    counts: Mapping[str, int] = field(default_factory=dict)
    sha256: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    read: Callable[[str, tuple[Path, ...]], Iterable[Mapping[str, Any]]] | None = None
    keep: Callable[[str, list[Mapping[str, Any]]], Iterator[Mapping[str, Any]]] | None = None
    default_split: str = "test"
    notes: str = ""
