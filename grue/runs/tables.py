"""The Parquet files of a run directory: fixed columns, rows by id and sample, equal content in equal bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from grue.core.metric import Floats
from grue.core.rows import Generation, Row
from grue.core.text import canonical_json

if TYPE_CHECKING:
    import pyarrow as pa

_ROW_GROUP = 16_384


def id_order(generations: Sequence[Generation]) -> list[int]:
    """Positions of the generations by id, then sample."""
    return sorted(range(len(generations)), key=lambda place: (generations[place].id, generations[place].sample))


def samples_table(
    rows: Mapping[str, Row],
    generations: Sequence[Generation],
    per_sample: Mapping[str, Floats],
    rewards: Mapping[str, Floats],
) -> pa.Table:
    """One row a generation, with the text of its row and its scores.

    Args:
        rows: The rows by id, every generation's among them.
        generations: In any order.
        per_sample: Metric -> shape (n,), in the order of ``generations``; NaN is stored as null.
        rewards: Reward -> shape (n,), likewise.
    """
    import pyarrow as pa

    order = id_order(generations)
    drawn = [generations[place] for place in order]
    asked = [rows[generation.id] for generation in drawn]
    text, count = pa.string(), pa.int64()
    columns: dict[str, Any] = {
        "id": pa.array([g.id for g in drawn], text),
        "sample": pa.array([g.sample for g in drawn], count),
        "prompt": pa.array([g.prompt for g in drawn], text),
        "references": pa.array([list(row.references) for row in asked], pa.list_(text)),
        "prediction": pa.array([g.prediction for g in drawn], text),
        "raw": pa.array([None if g.raw == g.prediction else g.raw for g in drawn], text),
        "finish_reason": pa.array([g.finish_reason for g in drawn], text),
        "prompt_tokens": pa.array([g.prompt_tokens for g in drawn], count),
        "generated_tokens": pa.array([g.generated_tokens for g in drawn], count),
        "prompt_cut": pa.array([g.prompt_cut for g in drawn], pa.bool_()),
        "inputs": pa.array([canonical_json({"prompt": row.prompt, **row.inputs}) for row in asked], text),
    }
    scores = {**per_sample, **{f"reward_{name}": values for name, values in rewards.items()}}
    for name, values in scores.items():
        if name in columns:
            raise ValueError(f"a metric may not be named like the column {name!r}")
        columns[name] = pa.array(_ordered(name, values, order, 1), pa.float64(), from_pandas=True)
    return pa.table(columns)


def statistics_table(generations: Sequence[Generation], statistics: Mapping[str, Floats]) -> pa.Table:
    """One row a generation: id, sample, then a list of floats a metric; NaN is stored as null.

    Args:
        generations: In any order.
        statistics: Metric -> shape (n, k), in the order of ``generations``.
    """
    import pyarrow as pa

    order = id_order(generations)
    columns: dict[str, Any] = {
        "id": pa.array([generations[place].id for place in order], pa.string()),
        "sample": pa.array([generations[place].sample for place in order], pa.int64()),
    }
    for name, values in statistics.items():
        ordered = _ordered(name, values, order, 2)
        offsets = np.arange(len(order) + 1, dtype=np.int32) * ordered.shape[1]
        flat = pa.array(ordered.ravel(), pa.float64(), from_pandas=True)
        columns[name] = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), flat)
    return pa.table(columns)


def parquet_bytes(table: pa.Table) -> bytes:
    """The table as a Parquet file, every setting of the writer that touches bytes pinned."""
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(
        table,
        sink,
        row_group_size=_ROW_GROUP,
        version="2.6",
        data_page_version="1.0",
        compression="zstd",
        compression_level=3,
        use_dictionary=False,
        write_statistics=True,
    )
    return sink.getvalue()


def generations_of(table: pa.Table) -> dict[tuple[str, int], Generation]:
    """The generations of a samples table, keyed by (id, sample); what took how long is not in it."""
    names = [field for field in Generation.__slots__ if field != "latency_seconds"]
    columns = [table.column(name).to_pylist() for name in names]
    found = (Generation(**dict(zip(names, values, strict=True))) for values in zip(*columns, strict=True))
    return {(generation.id, generation.sample): generation for generation in found}


def _ordered(name: str, values: Floats, order: Sequence[int], dimensions: int) -> Floats:
    array: Floats = np.asarray(values, dtype=np.float64)
    if array.ndim != dimensions or len(array) != len(order):
        raise ValueError(f"{name}: shape {array.shape} does not fit {len(order)} generations")
    ordered: Floats = array[np.asarray(order, dtype=np.intp)]
    return np.where(np.isfinite(ordered), ordered, np.nan)
