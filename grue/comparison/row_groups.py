"""Generations grouped by the row they belong to, and columns of a stored table as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from grue.core.errors import RunDirectoryError
from grue.core.metric import Floats

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class RowGroups:
    """Which generations belong to which row.

    Attributes:
        ids: Of the rows, sorted.
        starts: Place of each row's first generation.
        n: Number of generations.
    """

    ids: tuple[str, ...]
    starts: NDArray[np.intp]
    n: int

    @classmethod
    def of(cls, samples: pa.Table, place: str) -> RowGroups:
        """Group a table of samples by its column ``id``.

        Args:
            samples: ``samples/<task>.parquet``, rows by id and sample.
            place: The file, for messages.

        Raises:
            RunDirectoryError: where there are no ids, or they are not in order.
        """
        import pyarrow.compute as pc

        if "id" not in samples.column_names:
            raise RunDirectoryError("has no column 'id'.", place=place)
        ids = samples.column("id").combine_chunks()
        n = len(ids)
        if not n:
            return cls((), np.empty(0, dtype=np.intp), 0)
        changes = pc.not_equal(ids.slice(1), ids.slice(0, n - 1)).to_numpy(zero_copy_only=False)
        starts = np.concatenate(([0], np.flatnonzero(changes) + 1)).astype(np.intp)
        names = tuple(ids.take(starts).to_pylist())
        if any(left >= right for left, right in pairwise(names)):
            raise RunDirectoryError("its rows are not in id order.", "Score the run again: grue score RUN", place=place)
        return cls(names, starts, n)

    def kept(self, known: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which rows have at least one known generation."""
        kept: NDArray[np.bool_] = np.logical_or.reduceat(known, self.starts)
        return kept

    def means(self, values: Floats) -> Floats:
        """Means over the known samples of each row, shape (rows,); NaN for a row without any."""
        known = ~np.isnan(values)
        sums = np.add.reduceat(np.where(known, values, 0.0), self.starts)
        counts = np.add.reduceat(known.astype(np.float64), self.starts)
        means: Floats = np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)
        return means

    def sums(self, statistics: Floats, known: NDArray[np.bool_]) -> Floats:
        """Sums over the known samples of each row, shape (rows, k)."""
        sums: Floats = np.add.reduceat(np.where(known[:, None], statistics, 0.0), self.starts, axis=0)
        return sums


def numbers_of(samples: pa.Table, name: str, n: int) -> Floats | None:
    """A column of numbers, NaN for null; ``None`` where there is no such column."""
    import pyarrow as pa

    if name not in samples.column_names or not pa.types.is_floating(samples.schema.field(name).type):
        return None
    numbers: Floats = samples.column(name).to_numpy().astype(np.float64, copy=False)
    return numbers if len(numbers) == n else None


def matrix_of(column: pa.ChunkedArray, n: int) -> Floats | None:
    """A column of lists of one length as an array, shape (n, k), NaN for null; ``None`` for anything else."""
    import pyarrow as pa

    lists = column.combine_chunks()
    if isinstance(lists, pa.ChunkedArray):
        lists = lists.chunk(0) if lists.num_chunks else pa.array([], column.type)
    if not pa.types.is_list(lists.type) or len(lists) != n or lists.null_count:
        return None
    sizes = np.diff(lists.offsets.to_numpy())
    if not n or (sizes != sizes[0]).any():
        return None
    flat: Floats = lists.flatten().to_numpy(zero_copy_only=False).astype(np.float64, copy=False)
    return flat.reshape(n, int(sizes[0]))
