"""Rows of one number on one side of the gate, and how the two sides' rows are laid beside each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from grue.core.metric import Floats
from grue.core.rows import Generation
from grue.runs.read import StoredRun
from grue.stats.bootstrap import Column, mean_of

RATE = "rates."
# Rate -> what of a generation it is made from.
_COLUMNS = {"empty": "prediction", "cut_output": "finish_reason", "cut_prompt": "prompt_cut"}


@dataclass(frozen=True, slots=True)
class RowData:
    """What is resampled of one number.

    Attributes:
        ids: Rows that count, sorted.
        column: Their statistics in that order, and the formula over the sum.
    """

    ids: tuple[str, ...]
    column: Column


@dataclass(frozen=True, slots=True)
class Paired:
    """The same rows of both sides in one order; ``left_out`` counts rows that only one of them has."""

    baseline: Column
    candidate: Column
    ids: tuple[str, ...]
    left_out: int


def lay_beside(baseline: RowData, candidate: RowData) -> Paired:
    """The rows that both sides have."""
    if baseline.ids == candidate.ids:
        return Paired(baseline.column, candidate.column, baseline.ids, 0)
    common = sorted(set(baseline.ids) & set(candidate.ids))
    left_out = len(set(baseline.ids) | set(candidate.ids)) - len(common)
    return Paired(_only(baseline, common), _only(candidate, common), tuple(common), left_out)


def _only(rows: RowData, ids: list[str]) -> Column:
    places = {row_id: place for place, row_id in enumerate(rows.ids)}
    kept = np.array([places[row_id] for row_id in ids], dtype=np.intp)
    return Column(rows.column.statistics[kept], rows.column.corpus_value)


def rate_rows(run: StoredRun, task: str, rate: str) -> RowData | None:
    """A rate of ``results.json`` by row: how many of a row's samples show it, and how many there are.

    Args:
        run: A stored run.
        task: A task of it.
        rate: ``empty``, ``cut_prompt`` or ``cut_output``.

    Returns:
        ``None`` where the run does not know it: no model ran.
    """
    samples = run.samples(task)
    column = samples.column(_COLUMNS[rate]).to_pylist()
    return _marked(zip(samples.column("id").to_pylist(), (_mark(rate, value) for value in column), strict=True))


def rate_rows_of(generations: Sequence[Generation], rate: str) -> RowData | None:
    """The same of generations at hand."""
    return _marked((one.id, _mark(rate, getattr(one, _COLUMNS[rate]))) for one in generations)


def _mark(rate: str, value: str | bool | None) -> bool | None:
    """Whether a generation shows a rate; ``None`` where that is not known."""
    if rate == "empty":
        return not str(value).strip()
    if rate == "cut_output":
        return None if value is None else value == "length"
    return None if value is None else bool(value)


def _marked(marks: Iterable[tuple[str, bool | None]]) -> RowData | None:
    sums: dict[str, list[float]] = {}
    for row_id, mark in marks:
        if mark is not None:
            row = sums.setdefault(row_id, [0.0, 0.0])
            row[0] += mark
            row[1] += 1.0
    if not sums:
        return None
    order = sorted(sums)
    statistics: Floats = np.array([sums[row_id] for row_id in order], dtype=np.float64)
    return RowData(tuple(order), Column(statistics, mean_of))
