"""Rows of a baseline, compressed beside its JSON file: equal content in equal bytes, and nothing believed unread."""

from __future__ import annotations

import gzip
import hashlib
import json
import math
import sys
import zlib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from grue.comparison.aggregates import aggregate_of
from grue.comparison.formulas import formula
from grue.core.errors import RunDirectoryError
from grue.core.metric import Floats, MetricValue
from grue.core.run import SCHEMA_VERSION
from grue.core.text import Json, canonical_json
from grue.gate.row_data import RATE, RowData
from grue.stats.bootstrap import Column, mean_of

# Task -> name of a check -> its rows.
RowTable = Mapping[str, Mapping[str, RowData]]
# A thousand rows of all metrics are about 1 MB of text; a file that unpacks to more than this was not made here.
_MOST_BYTES = 1 << 30
_HASH_DIGITS = 12
_TOLERANCE = 1e-9


class BaselineError(RunDirectoryError):
    """A baseline file cannot be read or written; ``place`` names file and key."""


REMAKE = "Restore it from git, or make it again: grue gate --baseline FILE --candidate RUN --update-baseline"


def rows_path(baseline: Path, sha256: str) -> Path:
    """Where the rows of a baseline lie: named by their hash, so that a new file never takes an old one's place."""
    return baseline.with_name(f"{baseline.stem}.rows-{sha256[:_HASH_DIGITS]}.json.gz")


def pack_rows(tables: RowTable) -> bytes:
    """The compressed file; the time of writing is not in it."""
    document: dict[str, Json] = {
        "schema_version": SCHEMA_VERSION,
        "tasks": {task: _packed_task(columns) for task, columns in tables.items()},
    }
    return gzip.compress(canonical_json(document).encode(), compresslevel=9, mtime=0)


def sha256_of(content: bytes) -> str:
    """SHA-256 of the compressed bytes, as 64 hex digits."""
    return hashlib.sha256(content).hexdigest()


class StoredRows:
    """Rows of a baseline file, read when the first is asked for."""

    def __init__(self, path: Path, sha256: str) -> None:
        self.path = path
        self._sha256 = sha256
        self._tasks: Mapping[str, Any] | None = None

    def of(self, task: str, name: str, value: MetricValue | None) -> RowData | None:
        """The rows of a number, the formula rebuilt from its signature.

        Args:
            task: The task.
            name: The number, named as in a check.
            value: What the baseline's JSON says of a metric or reward; ``None`` for a rate.

        Returns:
            ``None`` where the baseline holds none.

        Raises:
            BaselineError: where the file is missing, was changed, or does not give the baseline's value.
        """
        if self._tasks is None:
            self._tasks = self._read()
        known = self._ids(task)
        numbers = self._child(self._tasks.get(task), f"tasks.{task}", "numbers")
        if name not in numbers:
            return None
        ids, statistics = self._unpacked(numbers[name], known, f"tasks.{task}.numbers.{name}")
        if name.startswith(RATE) or value is None or value.signature is None:
            return RowData(ids, Column(statistics, mean_of))
        corpus_value = formula(name, value.signature)
        if corpus_value is not None:
            column = Column(statistics, corpus_value)
        else:
            column = aggregate_of(value.signature, statistics, mean_of, value=value.value)
        found_value = column.value()
        if value.value is None or not math.isclose(found_value, value.value, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE):
            raise self._fault(f"tasks.{task}.{name}: its rows give {found_value:.6g}, the baseline says {value.value}.")
        return RowData(ids, column)

    def _read(self) -> Mapping[str, Any]:
        try:
            content = self.path.read_bytes()
        except FileNotFoundError as error:
            raise BaselineError(
                "is missing: it holds the rows of the baseline beside it.",
                f"Commit both files. {REMAKE}",
                place=str(self.path),
            ) from error
        except OSError as error:
            raise BaselineError(f"cannot be read: {error.strerror or error}.", place=str(self.path)) from error
        found = sha256_of(content)
        if found != self._sha256:
            raise self._fault(
                f"was changed: its SHA-256 is {found[:_HASH_DIGITS]}…, the baseline says "
                f"{self._sha256[:_HASH_DIGITS]}…."
            )
        unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            text = unpacker.decompress(content, _MOST_BYTES)
            if not unpacker.eof:
                raise self._fault("unpacks to more than a baseline holds, or ends too early.")
            document = json.loads(text)
        except (zlib.error, ValueError, RecursionError) as error:
            raise self._fault(f"is damaged: {error}.") from error
        tasks = document.get("tasks") if isinstance(document, dict) else None
        if not isinstance(tasks, dict):
            raise self._fault("should hold an object with 'tasks'.")
        if document.get("schema_version") != SCHEMA_VERSION:
            raise self._fault(f"schema_version should be {SCHEMA_VERSION}: found {document.get('schema_version')!r}.")
        return tasks

    def _child(self, value: object, key: str, name: str) -> Mapping[str, Any]:
        """An object inside an object; an empty one where the outer one is not there."""
        child = value.get(name, {}) if isinstance(value, dict) else {} if value is None else None
        if not isinstance(child, dict):
            raise self._fault(f"{key}.{name} should be an object.")
        return child

    def _ids(self, task: str) -> list[str]:
        """Ids of all rows of a task."""
        value = (self._tasks or {}).get(task)
        ids = value.get("ids", []) if isinstance(value, dict) else []
        if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids) or sorted(set(ids)) != ids:
            raise self._fault(f"tasks.{task}.ids should be different strings in order.")
        return ids

    def _unpacked(self, found: object, ids: list[str], key: str) -> tuple[tuple[str, ...], Floats]:
        places = found.get("rows") if isinstance(found, dict) else None
        columns = found.get("columns") if isinstance(found, dict) else None
        if places is None:
            places = list(range(len(ids)))
        if not isinstance(places, list) or not all(type(one) is int and 0 <= one < len(ids) for one in places):
            raise self._fault(f"{key}.rows should be places in the ids of the task, or null.")
        if any(left >= right for left, right in pairwise(places)):
            raise self._fault(f"{key}.rows should be in order.")
        if not isinstance(columns, list) or not columns:
            raise self._fault(f"{key}.columns should be lists of numbers.")
        for column in columns:
            if not isinstance(column, list) or len(column) != len(places):
                raise self._fault(f"{key}.columns should hold one number a row.")
            if not all(_is_finite(one) for one in column):
                raise self._fault(f"{key}.columns should hold finite numbers.")
        statistics: Floats = np.array(columns, dtype=np.float64).T
        if statistics.shape[1] == 1:
            statistics = np.column_stack((statistics, np.ones(len(places))))
        return tuple(ids[place] for place in places), statistics

    def _fault(self, cause: str) -> BaselineError:
        return BaselineError(cause, REMAKE, place=str(self.path))


def _packed_task(numbers: Mapping[str, RowData]) -> dict[str, Json]:
    ids = sorted({row_id for rows in numbers.values() for row_id in rows.ids})
    places = {row_id: place for place, row_id in enumerate(ids)}
    return {"ids": ids, "numbers": {name: _packed(rows, places) for name, rows in numbers.items()}}


def _packed(rows: RowData, places: Mapping[str, int]) -> dict[str, Json]:
    statistics = rows.column.statistics
    # The second column of a plain mean is a one a row.
    is_mean = statistics.shape[1] == 2 and bool((statistics[:, 1] == 1).all())
    columns = statistics[:, :1] if is_mean else statistics
    return {
        "rows": None if len(rows.ids) == len(places) else [places[row_id] for row_id in rows.ids],
        "columns": [_plain(column) for column in columns.T.tolist()],
    }


def _is_finite(value: object) -> bool:
    # A whole number of JSON may be too large for a float.
    return type(value) in (int, float) and abs(value) <= sys.float_info.max  # type: ignore[arg-type]


def _plain(column: Sequence[float]) -> list[Json]:
    """Whole numbers without a point: most statistics are counts."""
    return [int(x) if x.is_integer() else x for x in column]
