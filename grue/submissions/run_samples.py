"""The texts of one ``samples/<task>.parquet`` of a stranger; runs in a bounded process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from grue.runs.prediction_lines import MAX_LINE_BYTES
from grue.submissions.findings import Fault, Findings

_COLUMNS = ("id", "sample", "prediction", "raw")
_MAX_COLUMNS = 2_000
_MAX_GROUPS = 10_000
_BATCH_ROWS = 64
_MAX_FOOTER_BYTES = 16 << 20
_BYTES_A_NAME = 64
_AGAIN = "Pack the run as grue wrote it."


class Writing:
    """The prediction file, line by line, no longer than it may become."""

    def __init__(self, out: IO[str], max_bytes: int) -> None:
        self._out = out
        self._left = max_bytes

    def add(self, task: str, row: str, texts: list[str]) -> None:
        """Write the samples of a row as one line."""
        held = {"prediction": texts[0]} if len(texts) == 1 else {"predictions": texts}
        line = json.dumps({"task": task, "id": row, **held}, ensure_ascii=False) + "\n"
        self._left -= len(line.encode())
        if self._left < 0:
            raise Fault("The texts are longer than is allowed.", "Split the run by task.")
        self._out.write(line)


def write_task(task: str, path: Path, writing: Writing, findings: Findings) -> None:
    """Write what the model said to each row: the text before post-processing, which scoring does again.

    What is wrong with the file goes to ``findings``.
    """
    import pyarrow as pa

    place = f"samples/{task}.parquet"
    try:
        for row, texts in _rows(path):
            writing.add(task, row, texts)
    except Fault as fault:
        findings.add(place, fault.problem, fault.fix)
    except UnicodeError:
        findings.add(place, "Invalid Unicode: a text is no UTF-8.", _AGAIN)
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        if isinstance(error, MemoryError):
            raise
        findings.add(place, f"The file is no readable Parquet file: {str(error)[:200]}.", _AGAIN)


def _rows(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Row ids with the texts of their samples, in file order."""
    row, texts = None, list[str]()
    for row_id, sample, prediction, raw in _lines(path):
        if row_id != row:
            if row is not None:
                yield row, texts
            row, texts = row_id, []
        if sample != len(texts):
            raise Fault(f"Row {row_id[:100]!r} has sample {sample} where {len(texts)} should be.", _AGAIN)
        texts.append(prediction if raw is None else raw)
    if row is not None:
        yield row, texts


def _lines(path: Path) -> Iterator[tuple[str, int, str, str | None]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pa.set_cpu_count(1)
    with pq.ParquetFile(
        path,
        memory_map=False,
        pre_buffer=False,
        buffer_size=1 << 16,
        thrift_string_size_limit=_MAX_FOOTER_BYTES,
        thrift_container_size_limit=_MAX_FOOTER_BYTES // _BYTES_A_NAME,
    ) as file:
        _check_shape(file)
        for batch in file.iter_batches(_BATCH_ROWS, columns=list(_COLUMNS), use_threads=False):
            batch.validate(full=True)
            columns = [batch.column(name).to_pylist() for name in _COLUMNS]
            for row, sample, prediction, raw in zip(*columns, strict=True):
                if row is None or sample is None or prediction is None:
                    raise Fault("An id, sample or prediction is null.", _AGAIN)
                if max(len(row), len(prediction), len(raw or "")) > MAX_LINE_BYTES:
                    raise Fault(f"A text is longer than {MAX_LINE_BYTES:,} bytes.", "Shorten it.")
                yield row, sample, prediction, raw


def _check_shape(file: Any) -> None:
    """Columns and groups, from the footer alone."""
    import pyarrow as pa

    if file.num_row_groups > _MAX_GROUPS or file.metadata.num_columns > _MAX_COLUMNS:
        raise Fault("The file has more columns or row groups than a run has.", _AGAIN)
    names = file.schema_arrow.names
    types = {"id": pa.string(), "sample": pa.int64(), "prediction": pa.string(), "raw": pa.string()}
    for name, wanted in types.items():
        if names.count(name) != 1:
            raise Fault(f"The column {name} is there {names.count(name)} times.", _AGAIN)
        found = file.schema_arrow.field(name).type
        if found != wanted:
            raise Fault(f"The column {name} should be {wanted}: found {str(found)[:100]}.", _AGAIN)
