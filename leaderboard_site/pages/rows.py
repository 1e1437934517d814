"""The rows of one task of one run, read from its Parquet table once for all pages that show them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from grue.comparison.standings_runs import BoardRun, TaskResult
from grue.comparison.standings_task import TaskBoard
from grue.core.errors import RunDirectoryError
from grue.core.metric import Floats
from grue.runs.explanations import Explanations, read_explanations

if TYPE_CHECKING:
    import pyarrow as pa

_FIXED = frozenset(
    {
        "id", "sample", "prompt", "references", "prediction", "raw", "finish_reason", "prompt_tokens",
        "generated_tokens", "prompt_cut", "inputs",
    }
)  # fmt: skip

REWARD = "reward_"
NO_EXPLANATIONS: Explanations = MappingProxyType({})
NO_NUMBERS: Floats = np.zeros(0)
_BATCH_ROWS = 4096


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One generation with its scores.

    Attributes:
        prompt: What the model saw, else the row's own.
        scores: Metric -> value.
        rewards: Reward -> value.
        explanations: Metric -> why, as it was stored at scoring; most rows have none.
    """

    id: str
    sample: int
    prompt: str | None
    references: tuple[str, ...]
    prediction: str
    finish_reason: str | None
    generated_tokens: int | None
    prompt_cut: bool | None
    scores: Mapping[str, float | None]
    rewards: Mapping[str, float | None] = field(default_factory=dict)
    explanations: Explanations = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaskRows:
    """All rows of one task.

    Attributes:
        metric: The per-sample metric that worst and best mean; ``None`` where there is none.
        higher_is_better: Its direction.
    """

    rows: tuple[SampleRow, ...]
    metric: str | None
    scale: float | None
    higher_is_better: bool


def read_rows(run: BoardRun, result: TaskResult, board: TaskBoard | None, limit: int | None = None) -> TaskRows:
    """Read a task's generations, at most ``limit``.

    Raises:
        RunDirectoryError: where the table is missing, damaged or lacks a column.
    """
    place = f"samples/{result.name}.parquet"
    try:
        table = run.stored.samples(result.name)
        records: list[dict[str, Any]] = (table if limit is None else table.slice(0, limit)).to_pylist()
        explained = read_explanations(run.stored, result.name) if limit is None else {}
        rows = tuple(sample_row(record, explained.get((record["id"], record["sample"]), {})) for record in records)
    except KeyError as error:
        raise RunDirectoryError(f"column {error} is missing.", place=place) from error
    except (OSError, ValueError) as error:  # Arrow's own errors are children of both
        raise RunDirectoryError(f"cannot be read: {error}", place=place) from error
    metric = _metric(rows, result, board.metric if board else None)
    score = result.scores.get(metric or "")
    return TaskRows(rows, metric, score.scale if score else None, not (score and score.higher_is_better is False))


def is_score(field: pa.Field) -> bool:
    """Whether a column of the table is a per-sample metric or a reward."""
    import pyarrow as pa

    return field.name not in _FIXED and bool(pa.types.is_floating(field.type) or pa.types.is_integer(field.type))


def sample_row(record: Mapping[str, Any], explanations: Explanations = NO_EXPLANATIONS) -> SampleRow:
    """A line of the table as a row; a column of texts that was not read is empty.

    Raises:
        KeyError: where it lacks another column.
    """
    values = {
        name: None if value is None or value != value else float(value)
        for name, value in record.items()
        if name not in _FIXED and (value is None or isinstance(value, int | float))
    }
    prompt = record.get("prompt")
    if prompt is None and record.get("inputs"):
        prompt = json.loads(record["inputs"]).get("prompt")
    return SampleRow(
        id=record["id"],
        sample=record["sample"],
        prompt=prompt,
        references=tuple(record.get("references") or ()),
        prediction=record["prediction"],
        finish_reason=record["finish_reason"],
        generated_tokens=record["generated_tokens"],
        prompt_cut=record["prompt_cut"],
        scores={name: value for name, value in values.items() if not name.startswith(REWARD)},
        rewards={name.removeprefix(REWARD): value for name, value in values.items() if name.startswith(REWARD)},
        explanations=explanations,
    )


def _metric(rows: Sequence[SampleRow], result: TaskResult, shown: str | None) -> str | None:
    """The shown metric where it has a value a sample, else the next primary, else the next with a direction."""
    directed = [name for name, score in result.scores.items() if score.higher_is_better is not None]
    for name in (shown, *result.primary, *directed):
        if name and any(row.scores.get(name) is not None for row in rows):
            return name
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowNumbers:
    """What distributions of a task are drawn from; no texts.

    Attributes:
        metric: The per-sample metric that is drawn; ``None`` where there is none.
        values: Its value of each generation that has one.
        tokens: Output tokens of each generation that a model wrote.
        words: Words, parted by blanks, of each prediction.
        reference_words: Likewise of each first reference.
    """

    metric: str | None = None
    scale: float | None = None
    values: Floats = field(default_factory=lambda: NO_NUMBERS)
    tokens: Floats = field(default_factory=lambda: NO_NUMBERS)
    words: Floats = field(default_factory=lambda: NO_NUMBERS)
    reference_words: Floats = field(default_factory=lambda: NO_NUMBERS)


def read_numbers(run: BoardRun, result: TaskResult, board: TaskBoard | None) -> RowNumbers:
    """Read a task's numbers; a run that was published without generations has none.

    Raises:
        RunDirectoryError: where the table is damaged or lacks a column.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not run.stored.has_samples(result.name):
        return RowNumbers()
    place = f"samples/{result.name}.parquet"
    directed = [name for name, score in result.scores.items() if score.higher_is_better is not None]
    wanted = dict.fromkeys(name for name in (board.metric if board else None, *result.primary, *directed) if name)
    try:
        with pq.ParquetFile(run.stored.path / place) as file:
            known = file.schema_arrow.names
            metric, values = None, NO_NUMBERS
            for name in wanted:
                if name in known and is_score(file.schema_arrow.field(name)):
                    values = _known(file.read(columns=[name]).column(0))
                    if len(values):
                        metric = name
                        break
            tokens = _known(file.read(columns=["generated_tokens"]).column("generated_tokens"))
            words, reference_words = [], []
            for batch in file.iter_batches(_BATCH_ROWS, columns=["prediction", "references"]):
                words.append(_words(batch.column("prediction")))
                reference_words.append(_words(_first(batch.column("references"))))
    except KeyError as error:
        raise RunDirectoryError(f"column {error} is missing.", place=place) from error
    except (OSError, ValueError, pa.ArrowException) as error:
        raise RunDirectoryError(f"cannot be read: {error}", place=place) from error
    score = result.scores.get(metric or "")
    return RowNumbers(
        metric=metric,
        scale=score.scale if score else None,
        values=values,
        tokens=tokens,
        words=np.concatenate([NO_NUMBERS, *words]),
        reference_words=np.concatenate([NO_NUMBERS, *reference_words]),
    )


def _known(column: pa.ChunkedArray) -> Floats:
    numbers: Floats = column.drop_null().to_numpy().astype(np.float64)
    return numbers[np.isfinite(numbers)]


def _words(texts: pa.Array) -> Floats:
    import pyarrow.compute as pc

    numbers: Floats = pc.count_substring_regex(texts, r"\S+").drop_null().to_numpy().astype(np.float64)
    return numbers


def _first(lists: pa.ListArray) -> pa.Array:
    """The first text of each list that has one."""
    import pyarrow.compute as pc

    return pc.list_element(lists.filter(pc.greater(pc.list_value_length(lists), 0)), 0)
