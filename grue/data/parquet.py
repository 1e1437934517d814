"""Parquet files as records that know their row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from grue.core.errors import TaskDataError
from grue.core.record import Record

_ROWS_AT_ONCE = 1024


def read_parquet(path: Path, name: str) -> Iterator[Record]:
    """Records of a file in order.

    Args:
        path: The file.
        name: How messages call it.

    Raises:
        TaskDataError: where the file is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE):
                for columns in batch.to_pylist():
                    number += 1
                    yield Record(columns, f"{name} row {number}")
    except (pa.ArrowException, OSError) as error:
        after = f" after row {number}" if number else ""
        raise TaskDataError(
            f"The file cannot be read as Parquet{after}: {error}.", "Fetch or write the file again.", place=name
        ) from error
