"""Pages of a task's generations, read from Parquet: filter and sort on the columns they need, then fifty rows.

Numbers of a file are kept a while, texts never are: however many rows a file has, a page holds its own rows, one batch
of a text column and a bounded number of numeric columns in memory.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sized
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from grue.core.metric import Floats
from grue.runs.explanations import Explanations, read_explanations
from grue.runs.read import StoredRun
from leaderboard_site.pages.rows import SampleRow, is_score
from leaderboard_site.sample_files import TOKENS, OpenedSamples, Places, containing, has_id, matching, rows_at

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

ROWS_A_PAGE = 50
FINISHES = ("stop", "length", "empty")
KEPT_BYTES = 64 << 20
_EXPLANATION_BYTES = 4000  # of one row, roughly
T = TypeVar("T", bound=Sized)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleQuery:
    """Which generations, and in what order.

    Attributes:
        text: Part of the prediction, the prompt or a reference, whatever its case; of the prediction alone where the
            other texts are not shown.
        id: Id of a row; empty for all.
        metric: Score that ``low`` and ``high`` bound; ``generated_tokens`` is one too.
        finish: ``stop``, ``length`` or ``empty`` (nothing but blanks); empty for any.
        sort: Score to sort by; empty for the order of ids.
        descending: Whether the highest comes first. Rows without the score come last in both directions.
        number: 1-based number of the page; past the last one it is the last.
    """

    text: str = ""
    id: str = ""
    metric: str = ""
    low: float | None = None
    high: float | None = None
    finish: str = ""
    sort: str = ""
    descending: bool = False
    number: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplePage:
    """One page of generations.

    Attributes:
        rows: Its generations.
        places: 1-based place of each among all generations, in id order.
        n_matches: Generations that the query finds.
        n_rows: All generations of the task.
        number: Number of the page.
        n_pages: Pages of the query, at least one.
    """

    rows: tuple[SampleRow, ...]
    places: tuple[int, ...]
    n_matches: int
    n_rows: int
    number: int
    n_pages: int


@dataclass(frozen=True, slots=True)
class SampleColumns:
    """What a task's generations can be filtered and sorted by: per-sample metrics, rewards (``reward_…``), tokens."""

    scores: tuple[str, ...]
    n_rows: int
    n_empty: int
    n_cut: int
    has_finish: bool


class SampleStore:
    """Reads pages of generations; safe to share between threads.

    Args:
        kept_bytes: Bound of what is kept of files that were read.
    """

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._kept = _Kept(kept_bytes)

    def columns(self, stored: StoredRun, task: str) -> SampleColumns:
        """What the generations of a task can be filtered and sorted by.

        Raises:
            RunDirectoryError: where the table is missing, damaged or lacks a column.
        """
        with OpenedSamples(stored, task) as file:
            schema = file.schema_arrow
            names = [field.name for field in schema if is_score(field)]
            finish, empty = self._finish(stored, task, file), self._empty(stored, task, file)
            if TOKENS in schema.names and not np.isnan(self._numbers(stored, task, file, TOKENS)).all():
                names.append(TOKENS)
            return SampleColumns(
                scores=tuple(names),
                n_rows=file.metadata.num_rows,
                n_empty=int(empty.sum()),
                n_cut=int((finish == 2).sum()),
                has_finish=bool((finish > 0).any()),
            )

    def page(
        self, stored: StoredRun, task: str, query: SampleQuery, *, shows_texts: bool, rows_a_page: int = ROWS_A_PAGE
    ) -> SamplePage:
        """The rows of one page.

        Args:
            stored: The run.
            task: A task of it.
            query: Which rows; names of scores that the file does not have find nothing.
            shows_texts: Whether prompts and references may be seen; where not, they are neither searched nor read.
            rows_a_page: Rows of a page.

        Raises:
            RunDirectoryError: where the table is missing, damaged or lacks a column.
        """
        with OpenedSamples(stored, task) as file:
            n_rows = file.metadata.num_rows
            found = self._found(stored, task, file, query, shows_texts=shows_texts)
            n_matches = n_rows if found is None else len(found)
            n_pages = max(1, -(-n_matches // rows_a_page))
            number = min(max(1, query.number), n_pages)
            first = (number - 1) * rows_a_page
            last = min(first + rows_a_page, n_matches)
            places = np.arange(first, last, dtype=np.intp) if found is None else found[first:last]
            rows = rows_at(file, places, shows_texts=shows_texts)
        explained = self._explanations(stored, task) if shows_texts else {}
        return SamplePage(
            rows=tuple(replace(row, explanations=explained.get((row.id, row.sample), {})) for row in rows),
            places=tuple(int(place) + 1 for place in places),
            n_matches=n_matches,
            n_rows=n_rows,
            number=number,
            n_pages=n_pages,
        )

    def _found(
        self, stored: StoredRun, task: str, file: pq.ParquetFile, query: SampleQuery, *, shows_texts: bool
    ) -> Places | None:
        """Places in the order asked for; ``None`` for all as they stand."""
        masks: list[NDArray[np.bool_]] = []
        if query.low is not None or query.high is not None:
            values = self._numbers(stored, task, file, query.metric)
            low, high = query.low, query.high
            masks.append((values >= (-np.inf if low is None else low)) & (values <= (np.inf if high is None else high)))
        if query.finish == "empty":
            masks.append(self._empty(stored, task, file))
        elif query.finish:
            masks.append(self._finish(stored, task, file) == FINISHES.index(query.finish) + 1)
        if query.id:
            masks.append(matching(file, ("id",), lambda batch: has_id(batch, query.id)))
        if query.text:
            key = (_key(stored, task), "text", query.text, shows_texts)
            masks.append(self._kept.get(key, lambda: containing(file, query.text, shows_texts=shows_texts)))
        if not masks and not query.sort:
            return None
        found = np.flatnonzero(np.logical_and.reduce(masks)) if masks else np.arange(file.metadata.num_rows)
        if not query.sort:
            return found
        values = self._numbers(stored, task, file, query.sort)[found]
        # A stable sort keeps equal rows in id order; NaN goes last either way.
        order: Places = np.argsort(-values if query.descending else values, kind="stable")
        return found[order]

    def _numbers(self, stored: StoredRun, task: str, file: pq.ParquetFile, name: str) -> Floats:
        """A numeric column, NaN where a row has no value; all NaN where there is no such column."""
        if name not in file.schema_arrow.names or not (name == TOKENS or is_score(file.schema_arrow.field(name))):
            return np.full(file.metadata.num_rows, np.nan)

        def read() -> Floats:
            column = file.read(columns=[name]).column(0)
            numbers: Floats = column.to_numpy(zero_copy_only=False).astype(np.float64, copy=False)
            return numbers

        return self._kept.get((_key(stored, task), name), read)

    def _finish(self, stored: StoredRun, task: str, file: pq.ParquetFile) -> NDArray[np.int8]:
        """1 for ``stop``, 2 for ``length``, 0 for anything else."""

        def read() -> NDArray[np.int8]:
            import pyarrow as pa
            import pyarrow.compute as pc

            column = file.read(columns=["finish_reason"]).column(0)
            at = pc.index_in(column, value_set=pa.array(FINISHES[:2])).fill_null(-1)
            codes: NDArray[np.int8] = (at.to_numpy() + 1).astype(np.int8)
            return codes

        return self._kept.get((_key(stored, task), "finish_reason"), read)

    def _empty(self, stored: StoredRun, task: str, file: pq.ParquetFile) -> NDArray[np.bool_]:
        import pyarrow.compute as pc

        def blank(batch: pa.RecordBatch) -> pa.Array:
            return pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(batch.column("prediction"))), 0)

        return self._kept.get((_key(stored, task), "empty"), lambda: matching(file, ("prediction",), blank))

    def _explanations(self, stored: StoredRun, task: str) -> Mapping[tuple[str, int], Explanations]:
        return self._kept.get((_key(stored, task), "explanations"), lambda: read_explanations(stored, task))


class _Kept:
    """Least recently used values, bounded by their size."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: OrderedDict[tuple[object, ...], tuple[Any, int]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: tuple[object, ...], make: Callable[[], T]) -> T:
        """The value of a key, made where it is not held."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                known: T = self._held[key][0]
                return known
        # Two threads may make the same value at once; waiting for each other would cost more than that.
        value = make()
        size = value.nbytes if isinstance(value, np.ndarray) else _EXPLANATION_BYTES * len(value)
        with self._lock:
            if size <= self._limit and key not in self._held:
                self._held[key] = (value, size)
                self._bytes += size
            while self._bytes > self._limit:
                self._bytes -= self._held.popitem(last=False)[1][1]
        return value


def _key(stored: StoredRun, task: str) -> tuple[str, str]:
    """Equal for equal content, wherever the run lies."""
    return stored.results["files"][f"samples/{task}.parquet"], task
