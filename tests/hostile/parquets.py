"""Parquet files that are broken, wrong, or far larger than they look."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.hostile.json_texts import PICKLE, SCRIPT, mutated

Ids = tuple[str, ...]
_MEBIBYTE = 1 << 20


def hostile_parquet(rng: random.Random, ids: Ids) -> tuple[bytes, bool]:
    """A hostile file of samples, and whether it has to be refused."""
    return rng.choice(_FAMILIES)(rng, ids)


@lru_cache(maxsize=16)
def sound_parquet(ids: Ids, samples: int = 1) -> bytes:
    """A file of samples with nothing wrong in it."""
    return _written(_columns(ids, samples))


def _columns(ids: Ids, samples: int = 1) -> dict[str, Any]:
    count = len(ids) * samples
    return {
        "id": pa.array([row for row in sorted(ids) for _ in range(samples)], pa.string()),
        "sample": pa.array([sample for _ in ids for sample in range(samples)], pa.int64()),
        "prompt": pa.nulls(count, pa.string()),
        "references": pa.array([["a reference"]] * count, pa.list_(pa.string())),
        "prediction": pa.array(["once upon a time"] * count, pa.string()),
        "raw": pa.array([None, "once"] * (count // 2) + [None] * (count % 2), pa.string()),
        "inputs": pa.array(['{"prompt":"p"}'] * count, pa.string()),
        "length": pa.array([4.0] * count, pa.float64()),
    }


def _written(columns: dict[str, Any], **options: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, **{"compression": "zstd", "use_dictionary": False, **options})
    return out.getvalue()


def _changed(rng: random.Random, ids: Ids) -> tuple[bytes, bool]:
    whole = bytearray(sound_parquet(ids, rng.choice([1, 3])))
    return b"PAR1" + mutated(rng, bytes(whole[4:-4]), rng.choice([1, 4, 40])) + b"PAR1", False


def _changed_footer(rng: random.Random, ids: Ids) -> tuple[bytes, bool]:
    whole = sound_parquet(ids)
    length = struct.unpack("<I", whole[-8:-4])[0]
    footer = mutated(rng, whole[-8 - length : -8], rng.choice([1, 2, 8]))
    return whole[: -8 - length] + footer + struct.pack("<I", len(footer)) + b"PAR1", False


def _changed_pages(rng: random.Random, ids: Ids) -> tuple[bytes, bool]:
    codec = rng.choice(["none", "snappy", "gzip", "zstd", "brotli", "lz4"])
    whole = _written(
        _columns(ids),
        compression=codec,
        use_dictionary=rng.random() < 0.5,
        data_page_version=rng.choice(["1.0", "2.0"]),
    )
    length = struct.unpack("<I", whole[-8:-4])[0]
    data = bytearray(whole[4 : -8 - length])
    for _ in range(rng.randint(1, 6)):
        data[rng.randrange(len(data))] = rng.choice([0, 255, 127, 128, rng.randrange(256)])
    return b"PAR1" + bytes(data) + whole[-8 - length :], False


def _torn(rng: random.Random, ids: Ids) -> tuple[bytes, bool]:
    whole = sound_parquet(ids)
    return whole[: rng.randrange(len(whole))], True


def _footer_length(rng: random.Random, ids: Ids) -> tuple[bytes, bool]:
    length = rng.choice([0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 0x80000000])
    return sound_parquet(ids)[:-8] + struct.pack("<I", length) + rng.choice([b"PAR1", b"PARE"]), True


def _other_types(rng: random.Random, ids: Ids) -> tuple[bytes, bool]:
    columns = _columns(ids)
    name = rng.choice(["id", "sample", "prediction", "raw"])
    count = len(ids)
    columns[name] = rng.choice(
        [
            pa.array([1.5] * count),
            pa.array([b"\xff\xfe"] * count, pa.binary()),
            pa.array([["a"]] * count),
            pa.array([{"a": 1}] * count),
            pa.array([True] * count),
            pa.nulls(count),
            pa.array([2**62] * count, pa.uint64()),
            pa.array([None] * count, pa.map_(pa.string(), pa.string())),
        ]
    )
    return _written(columns), True


def _other_columns(rng: random.Random, ids: Ids) -> tuple[bytes, bool]:
    columns = _columns(ids)
    if rng.random() < 0.5:
        del columns[rng.choice(["id", "sample", "prediction", "raw"])]
        return _written(columns), True
    table = pa.table(columns)
    out = io.BytesIO()
    pq.write_table(table.append_column("id", table.column("id")), out)
    return out.getvalue(), True


def _many_columns(rng: random.Random, ids: Ids) -> tuple[bytes, bool]:
    return _written(
        {**_columns(ids), **{f"c{number}": pa.nulls(len(ids), pa.float64()) for number in range(2_100)}}
    ), True


def _many_groups(rng: random.Random, ids: Ids) -> tuple[bytes, bool]:
    out = io.BytesIO()
    table = pa.table(_columns(ids)).select(["id", "sample", "prediction", "raw"])
    with pq.ParquetWriter(out, table.schema) as writer:
        for _ in range(40):
            writer.write_table(table, row_group_size=1)
    return out.getvalue(), True


def _wrong_rows(rng: random.Random, ids: Ids) -> tuple[bytes, bool]:
    columns = _columns(ids)
    count = len(ids)
    match rng.randrange(6):
        case 0:
            columns["sample"] = pa.array([rng.choice([-1, 1, 2**62, -(2**63)])] * count, pa.int64())
        case 1:
            columns["id"] = pa.array([None] * count, pa.string())
        case 2:
            columns["prediction"] = pa.array([None] * count, pa.string())
        case 3:
            columns["id"] = pa.array([rng.choice([SCRIPT, "../r1", "x" * 5_000_000])] * count, pa.string())
        case 4:
            columns = {name: values.take(pa.array(list(range(count)) * 2)) for name, values in columns.items()}
        case _:
            kept = rng.randrange(count)
            columns = {name: values.slice(0, kept) for name, values in columns.items()}
    return _written(columns), True


def _broken_text(rng: random.Random, ids: Ids) -> tuple[bytes, bool]:
    name = rng.choice(["id", "prediction", "raw"])
    bad = rng.choice([b"\xff", b"\xed\xa0\x80", b"a\xc3"]) * rng.choice([1, 1_000])
    columns = _columns(ids)
    columns[name] = pa.array([bad] * len(ids), pa.binary()).view(pa.string())
    return _written(columns), True


def _bomb(rng: random.Random, ids: Ids) -> tuple[bytes, bool]:
    """A dictionary of one long text that every row names: kilobytes on disk, gigabytes as rows."""
    size, count = rng.choice([(_MEBIBYTE, 2_000), (8 * _MEBIBYTE, 300), (1_000, 300_000)])
    words = pa.DictionaryArray.from_arrays(pa.array([0] * count, pa.int32()), pa.array(["x" * size], pa.string()))
    columns = {
        "id": pa.array([f"r{number}" for number in range(count)], pa.string()),
        "sample": pa.array([0] * count, pa.int64()),
        "prediction": words,
        "raw": pa.nulls(count, pa.string()),
    }
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, compression="zstd", use_dictionary=True, store_schema=False)
    return out.getvalue(), True


def _no_parquet(rng: random.Random, ids: Ids) -> tuple[bytes, bool]:
    return rng.choice(
        [b"", b"PAR1", b"PAR1PAR1", PICKLE, b"PAR1" + bytes(500) + b"PAR1", rng.randbytes(3_000), b"{}"]
    ), True


_FAMILIES: tuple[Callable[[random.Random, Ids], tuple[bytes, bool]], ...] = (
    _changed,
    _changed_footer,
    _changed_pages,
    _changed_pages,
    _changed_footer,
    _changed,
    _torn,
    _footer_length,
    _other_types,
    _other_columns,
    _many_columns,
    _many_groups,
    _wrong_rows,
    _wrong_rows,
    _broken_text,
    _bomb,
    _no_parquet,
)
