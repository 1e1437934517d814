"""Reads Parquet into records that know their row; loads pyarrow when called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grue.core.errors import TaskDataError
from grue.core.record import Record

_BATCH_ROWS = 512


@dataclass(frozen=True, slots=True)
class ParquetShape:
    """Number of records and top-level columns, from the file's footer."""

    records: int
    columns: tuple[str, ...]


def parquet_shape(path: Path) -> ParquetShape:
    """Read the footer alone.

    Raises:
        TaskDataError: for a file that is no whole Parquet file.
    """
    with _open(path) as file:
        return ParquetShape(file.metadata.num_rows, tuple(file.schema_arrow.names))


def read_parquet(path: Path) -> Iterator[Record]:
    """Records in file order; places are ``file row N``, from 1.

    Raises:
        TaskDataError: for a file that is broken, cut off or cannot be read; names the first row it could not give.
    """
    import pyarrow as pa

    number = 0
    with _open(path) as file:
        try:
            for batch in file.iter_batches(batch_size=_BATCH_ROWS):
                for columns in batch.to_pylist():
                    number += 1
                    yield Record(columns, f"{path} row {number}")
        except UnicodeDecodeError as error:
            raise TaskDataError(
                f"Invalid UTF-8 in a text column: byte 0x{error.object[error.start]:02x}.",
                "Write the file again with valid text.",
                place=f"{path} row {number + 1} or one of the {_BATCH_ROWS} after it",
            ) from error
        except (pa.ArrowException, OSError) as error:
            raise TaskDataError(
                f"The Parquet file is broken: {first_line(error)}", "Copy it again.", place=f"{path} row {number + 1}"
            ) from error


def first_line(error: Exception) -> str:
    """The first line of an error's text, for a message."""
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__


def _open(path: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if path.stat().st_size == 0:
            raise TaskDataError("The file is empty.", "Copy it again, or remove it.", place=str(path))
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise TaskDataError(
            f"This is no whole Parquet file: {first_line(error)}", "Copy it again.", place=str(path)
        ) from error
