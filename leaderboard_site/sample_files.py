"""The Parquet file of a task's generations, read in batches: which rows hold something, and single rows whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from grue.core.errors import RunDirectoryError
from grue.runs.read import StoredRun
from leaderboard_site.pages.rows import SampleRow, is_score, sample_row

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

TOKENS = "generated_tokens"
_BATCH_ROWS = 4096
_TEXTS = ("id", "sample", "prompt", "references", "prediction", "finish_reason", TOKENS, "prompt_cut")
Places = NDArray[np.intp]


class OpenedSamples:
    """A task's file, Arrow's errors told as ours."""

    def __init__(self, stored: StoredRun, task: str) -> None:
        self._stored, self._task = stored, task
        self._place = f"samples/{task}.parquet"
        self._file: pq.ParquetFile | None = None

    def __enter__(self) -> pq.ParquetFile:
        import pyarrow.parquet as pq

        if not self._stored.has_samples(self._task):
            raise RunDirectoryError(f"holds no {self._place}.", place=str(self._stored.path))
        try:
            self._file = pq.ParquetFile(self._stored.path / self._place)
        except (OSError, ValueError) as error:
            raise RunDirectoryError(f"cannot be read: {error}", place=self._place) from error
        return self._file

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if self._file is not None:
            self._file.close()
        if isinstance(error, KeyError):
            raise RunDirectoryError(f"column {error} is missing.", place=self._place) from error
        if isinstance(error, OSError | ValueError):  # Arrow's own errors are children of both
            raise RunDirectoryError(f"cannot be read: {error}", place=self._place) from error


def _batches(file: pq.ParquetFile, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    yield from file.iter_batches(_BATCH_ROWS, columns=list(columns))


def matching(
    file: pq.ParquetFile, columns: Sequence[str], holds: Callable[[pa.RecordBatch], pa.Array]
) -> NDArray[np.bool_]:
    """For each row whether a condition on some columns holds; null is no."""
    found = [holds(batch).fill_null(False).to_numpy(zero_copy_only=False) for batch in _batches(file, columns)]
    return np.concatenate(found) if found else np.zeros(0, dtype=np.bool_)


def has_id(batch: pa.RecordBatch, row_id: str) -> pa.Array:
    """Which rows have an id."""
    import pyarrow.compute as pc

    return pc.equal(batch.column("id"), row_id)


def containing(file: pq.ParquetFile, text: str, *, shows_texts: bool) -> NDArray[np.bool_]:
    """Rows one of whose texts contains the text, whatever its case."""
    import pyarrow as pa
    import pyarrow.compute as pc

    # In a row without a prompt column the prompt stands inside JSON text.
    inside = json.dumps(text, ensure_ascii=False)[1:-1]

    def has(column: pa.Array, part: str = text) -> pa.Array:
        return pc.match_substring(column, part, ignore_case=True).fill_null(False)

    def holds(batch: pa.RecordBatch) -> pa.Array:
        found = has(batch.column("prediction"))
        if not shows_texts:
            return found
        prompts, references = batch.column("prompt"), batch.column("references")
        found = pc.or_(found, has(prompts))
        matched = pc.list_parent_indices(references).filter(has(pc.list_flatten(references)))
        in_reference = np.zeros(len(batch), dtype=np.bool_)
        in_reference[matched.to_numpy(zero_copy_only=False)] = True
        found = pc.or_(found, pa.array(in_reference))
        if prompts.null_count:
            inputs = batch.column("inputs")
            likely = pc.and_(pc.is_null(prompts), has(inputs, inside)).to_numpy(zero_copy_only=False)
            surely = np.zeros(len(batch), dtype=np.bool_)
            for at in np.flatnonzero(likely):
                prompt = json.loads(inputs[int(at)].as_py()).get("prompt", "")
                surely[at] = text.casefold() in str(prompt).casefold()
            found = pc.or_(found, pa.array(surely))
        return found

    if not shows_texts:
        return matching(file, ("prediction",), holds)
    inputs = ("inputs",) if _may_lack(file, "prompt") else ()
    return matching(file, ("prediction", "prompt", "references", *inputs), holds)


def _may_lack(file: pq.ParquetFile, name: str) -> bool:
    """Whether some row has no value in a column, as far as the file's statistics tell."""
    paths = [file.metadata.schema.column(leaf).path for leaf in range(file.metadata.num_columns)]
    for group in range(file.metadata.num_row_groups):
        statistics = file.metadata.row_group(group).column(paths.index(name)).statistics
        if statistics is None or not statistics.has_null_count or statistics.null_count:
            return True
    return False


def rows_at(file: pq.ParquetFile, places: Places, *, shows_texts: bool) -> list[SampleRow]:
    """The rows at some places, in the order given."""
    if not len(places):
        return []
    scores = [field.name for field in file.schema_arrow if is_score(field)]
    texts = [name for name in _TEXTS if shows_texts or name not in ("prompt", "references")]
    found = _taken(file, places, [*texts, *scores])
    lacking = [place for place, record in found.items() if shows_texts and record["prompt"] is None]
    if lacking:
        for place, record in _taken(file, np.array(lacking, dtype=np.intp), ["inputs"]).items():
            found[place] |= record
    return [sample_row(found[int(place)]) for place in places]


def _taken(file: pq.ParquetFile, places: Places, columns: Sequence[str]) -> dict[int, dict[str, Any]]:
    """Place -> record; only row groups that hold one of the places are read, and of these one batch at a time."""
    import pyarrow as pa

    wanted = np.unique(places)
    found: dict[int, dict[str, Any]] = {}
    start = 0
    for group in range(file.metadata.num_row_groups):
        end = start + file.metadata.row_group(group).num_rows
        inside = wanted[(wanted >= start) & (wanted < end)]
        if len(inside):
            at = start
            for batch in file.iter_batches(_BATCH_ROWS, row_groups=[group], columns=list(columns)):
                here = inside[(inside >= at) & (inside < at + len(batch))]
                if len(here):
                    taken = batch.take(pa.array(here - at))
                    found |= dict(zip(map(int, here), taken.to_pylist(), strict=True))
                at += len(batch)
                if at > inside[-1]:
                    break
        start = end
    return found
