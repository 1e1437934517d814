"""Where a task's rows are published: pinned files, never a branch name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grue.core.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSource:
    """Files of one data set on the Hugging Face hub, at one commit, or one archive of its publisher.

    Attributes:
        id: Data set id, ``org/name``; for an archive its address without the scheme.
        revision: Commit, 40 hex digits; for an archive ``sha256:`` and its checksum.
        files: Split -> paths in the repository, in row order. One file may serve several splits.
        columns: Top-level columns that a record must have.
        counts: Split -> records (not rows) that the publisher documents for the split's files, before ``keep``.
        sha256: Path -> checksum of the file, where one is documented; others are recorded on first download.
        sizes: Path -> bytes of the file, where documented.
        url: Address of an archive outside the hub; ``files`` then hold its name alone.
        read: Reads records of a split from the downloaded files where they are no plain Parquet.
        keep: Chooses the records that belong to the benchmark's own split, in file order.
        default_split: Split that is evaluated where the user names none.
        notes: What a user should know of this copy.
    """

    id: str
    revision: str
    files: Mapping[str, tuple[str, ...]]
    columns: tuple[str, ...]
    counts: Mapping[str, int] = field(default_factory=dict)
    sha256: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    url: str = ""
    read: Callable[[str, tuple[Path, ...]], Iterable[Record]] | None = None
    keep: Callable[[str, Sequence[Record]], Sequence[Record]] | None = None
    default_split: str = "test"
    notes: str = ""
